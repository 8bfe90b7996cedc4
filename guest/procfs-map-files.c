/* /proc/PID/map_files: a link for each mapping of a file; clear_refs; words of kpageflags (fs/proc/base.c, task_mmu.c, page.c, 6.18). */
#include "check.h"
#include <dirent.h>

static char *base;

static void link_of(const char *what, char *at, long pages) {
  char name[128], target[256];
  struct stat s;
  snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (unsigned long)at, (unsigned long)(at + pages * PG));
  errno = 0;
  if (lstat(name, &s) != 0) {
    say("%s: %s", what, err_name(errno));
    return;
  }
  ssize_t n = readlink(name, target, sizeof target - 1);
  if (n < 0) n = 0;
  target[n] = 0;
  char *last = strrchr(target, '/');
  say("%s: %o, %ld bytes, %d names, %s", what, s.st_mode, (long)s.st_size, (int)s.st_nlink, last ? last + 1 : target);
}

static void list(const char *what, long pages) {
  char text[512] = "";
  DIR *folder = opendir("/proc/self/map_files");
  for (struct dirent *e; (e = readdir(folder));) {
    unsigned long from, to;
    if (sscanf(e->d_name, "%lx-%lx", &from, &to) != 2) continue;
    if (from < (unsigned long)base || to > (unsigned long)(base + pages * PG)) continue;
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, " %ld-%ld:%d", (long)(from - (unsigned long)base) / PG,
             (long)(to - (unsigned long)base) / PG, e->d_type);
  }
  closedir(folder);
  say("%s:%s", what, text);
}

static void names(void) {
  struct stat s;
  MUST(stat("/proc/self/map_files", &s));
  say("folder: %o, %d names, %ld bytes", s.st_mode, (int)s.st_nlink, (long)s.st_size);
  ERR("of a thread", stat("/proc/thread-self/map_files", &s));
  base = reserve(16);
  int file = letters("file", 4), mem = memfd_create("map-files", 0);
  MUST(ftruncate(mem, 8 * PG));
  MUST(mmap(base, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, PG));
  int only = open("file", O_RDONLY);
  MUST(mmap(base + 3 * PG, 2 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, only, 0));
  MUST(mmap(base + 6 * PG, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, mem, 0));
  MUST(mmap(base + 9 * PG, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  MUST(mmap(base + 11 * PG, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  list("listed", 16);
  link_of("shared file", base, 2);
  link_of("file for reading", base + 3 * PG, 2);
  link_of("memfd", base + 6 * PG, 2);
  link_of("shared memory", base + 9 * PG, 1);
  link_of("anonymous", base + 11 * PG, 1);
  link_of("a part", base, 1);
  link_of("too much", base, 3);
  static const char *const bad[] = {"0-1000", "x", "1000-2000-", "01000-2000", "1000-0x2000", "1000", "-", "1000-02000"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char name[64];
    snprintf(name, sizeof name, "/proc/self/map_files/%s", bad[i]);
    ERR(bad[i], lstat(name, &s));
  }
  char name[128], upper[128], byte = 0;
  snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (unsigned long)base, (unsigned long)(base + 2 * PG));
  snprintf(upper, sizeof upper, "/proc/self/map_files/%lX-%lX", (unsigned long)base, (unsigned long)(base + 2 * PG));
  ERR("in capitals", lstat(upper, &s));
  MUST(unlink("file"));
  link_of("without a name", base, 2);
  int again = open(name, O_RDWR);
  YES("opened", again >= 0);
  RET("read", pread(again, &byte, 1, PG));
  NUM("byte", byte);
  base[5] = 'Z';
  RET("read", pread(again, &byte, 1, PG + 5));
  NUM("byte", byte);
  MUST(munmap(base, 2 * PG));
  ERR("unmapped", open(name, O_RDONLY));
  RET("still open", pread(again, &byte, 1, PG + 5));
  snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (unsigned long)(base + 6 * PG), (unsigned long)(base + 8 * PG));
  int other = open(name, O_RDWR);
  base[6 * PG] = 'q';
  RET("read the memfd", pread(other, &byte, 1, 0));
  NUM("byte", byte);
  pid_t child = fork();
  if (child == 0) {
    MUST(setresuid(1000, 1000, 1000));
    ERR("without rights", open(name, O_RDONLY));
    _exit(0);
  }
  say("child: %s", wait_text(child));
  list("listed", 16);
}

static void clear(void) {
  static const char *const texts[] = {"1", "2\n", " 3", "4", "5", "0", "6", "-1", "x", "1x", "", "0x1", "1 ", "01"};
  int fd = open("/proc/self/clear_refs", O_WRONLY);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    char what[32];
    snprintf(what, sizeof what, "clear_refs \"%.*s\"", (int)strcspn(texts[i], "\n"), texts[i]);
    RET(what, write(fd, texts[i], strlen(texts[i])));
  }
  char *p = map_anon(2048, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  madvise(p, 2048 * PG, MADV_NOHUGEPAGE);
  memset(p, 1, 2048 * PG);
  munmap(p, 2048 * PG);
  static char text[8192];
  long peak[2];
  for (int i = 0; i < 2; i++) {
    int status = open("/proc/self/status", O_RDONLY);
    text[read(status, text, sizeof text - 1)] = 0;
    close(status);
    peak[i] = atol(strstr(text, "VmHWM:") + 6);
    if (i == 0) RET("forget the peak", write(fd, "5", 1));
  }
  YES("lower", peak[1] < peak[0] - 4096);
  close(fd);
}

/* MMAP 11, ANON 12, SWAPBACKED 14, HUGE 17, ZERO_PAGE 24; the other bits move with the kernel's lists. */
/* Whether a plain file is swap-backed is a matter of what /tmp is. */
#define SHOWN (1ULL << 11 | 1ULL << 12 | 1ULL << 14 | 1ULL << 17 | 1ULL << 24)
static void flags(const char *what, char *at, uint64_t hidden) {
  int map = open("/proc/self/pagemap", O_RDONLY), flag = open("/proc/kpageflags", O_RDONLY), count = open("/proc/kpagecount", O_RDONLY);
  uint64_t word = 0, bits = 0, maps = 0;
  MUST(pread(map, &word, 8, (long)((unsigned long)at / PG * 8)));
  long frame = (long)(word & ((1ULL << 55) - 1));
  MUST(pread(flag, &bits, 8, frame * 8));
  MUST(pread(count, &maps, 8, frame * 8));
  if ((bits & (1ULL << 24)) != 0) maps = 0;
  say("%s: %llx, %ld times", what, (unsigned long long)(bits & SHOWN & ~hidden), (long)maps);
  close(map), close(flag), close(count);
}

static void frames(void) {
  char *p = map_anon(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  madvise(p, 4 * PG, MADV_NOHUGEPAGE);
  p[0] = 1;
  NUM("zero", p[PG]);
  flags("anonymous", p, 0);
  flags("zero page", p + PG, 0);
  int go[2];
  MUST(pipe(go));
  pid_t child = fork();
  if (child == 0) {
    char c;
    (void)!read(go[0], &c, 1);
    _exit(0);
  }
  flags("after fork", p, 0);
  (void)!write(go[1], "x", 1);
  say("child: %s", wait_text(child));
  flags("alone", p, 0);
  int file = letters("pages", 1), mem = memfd_create("frames", 0);
  MUST(ftruncate(mem, PG));
  char *f = mmap(NULL, PG, PROT_READ, MAP_SHARED, file, 0), *m = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
  NUM("file", f[0]);
  m[0] = 1;
  flags("file", f, 1ULL << 14);
  flags("memfd", m, 0);
  int words = open("/proc/kpageflags", O_RDONLY);
  char byte[16];
  RET("odd place", pread(words, byte, 8, 4));
  RET("odd size", pread(words, byte, 7, 0));
  close(words);
  unlink("pages");
}

int main(void) {
  scratch();
  names();
  clear();
  frames();
  return 0;
}
