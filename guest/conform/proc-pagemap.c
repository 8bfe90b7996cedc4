/* What /proc/PID/pagemap, clear_refs, map_files and smaps say of pages (fs/proc/task_mmu.c, base.c, 6.18). */
#include "conform.h"
#include <sys/ioctl.h>

static uint64_t word_of(void *at) {
  uint64_t word = 0;
  int fd = open("/proc/self/pagemap", O_RDONLY);
  MUST(fd);
  MUST(pread(fd, &word, 8, (off_t)((uintptr_t)at / PG * 8)));
  close(fd);
  return word;
}
/* The bits above the frame number; of a marker, all that is told. */
static void word(const char *what, void *at) {
  uint64_t w = word_of(at);
  say("%s: %llx", what, (unsigned long long)(w >> 63 ? w >> 55 << 55 : w));
}
static void refs(const char *what, const char *text) {
  int fd = open("/proc/self/clear_refs", O_WRONLY);
  MUST(fd);
  COUNT(what, write(fd, text, strlen(text)));
  close(fd);
}
static char *plain(int pages) {
  char *p = area(pages);
  MUST(kmadvise(p, (size_t)(pages * PG), MADV_NOHUGEPAGE));
  return p;
}

CASE("/proc/PID/pagemap", "PM_PRESENT", "a page that is there, one that is not, one without a mapping") {
  char *p = plain(2);
  p[0] = 1;
  word("there", p);
  word("not yet", p + PG);
  word("nothing mapped", hole(1));
}
CASE("/proc/PID/pagemap", "PM_MMAP_EXCLUSIVE", "mapped by one, by two, by one again") {
  char *p = plain(1), c;
  int go[2];
  MUST(pipe(go));
  p[0] = 1;
  pid_t pid = fork();
  if (pid == 0) _exit(read(go[0], &c, 1) == 1 ? 0 : 1);
  word("by two", p);
  MUST(write(go[1], "x", 1));
  say("child: %s", wait_text(pid));
  word("by one", p);
}
CASE("/proc/PID/pagemap", "PM_FILE", "shared memory, a private copy") {
  int mem = shm(2);
  char *s = kmmap(NULL, 2 * PG, RW, MAP_SHARED, mem, 0), *own = kmmap(NULL, 2 * PG, RW, MAP_PRIVATE, mem, 0);
  s[0] = 1;
  word("shared", s);
  own[0] = 2;
  word("copy", own);
}
CASE("/proc/PID/pagemap", "PM_SWAP", "a guard region is a marker") {
  char *p = plain(1);
  RESULT("guard", kmadvise(p, PG, 102));
  word("guard", p);
}
CASE("/proc/PID/pagemap", "", "the page of zeroes") {
  char *p = plain(1);
  BYTE("read", p);
  word("zeroes", p);
}
CASE("/proc/PID/pagemap", "EINVAL", "places and sizes that are no words") {
  char buffer[16];
  int fd = open("/proc/self/pagemap", O_RDONLY);
  COUNT("at 4", pread(fd, buffer, 8, 4));
  COUNT("12 bytes", pread(fd, buffer, 12, 0));
  COUNT("at the end of all", pread(fd, buffer, 8, (off_t)(1ULL << 52)));
}
CASE("/proc/PID/pagemap", "", "no frame numbers without CAP_SYS_ADMIN") {
  char *p = plain(1);
  int fd = open("/proc/self/pagemap", O_RDONLY);
  p[0] = 1;
  uint64_t w = 0;
  MUST(pread(fd, &w, 8, (off_t)((uintptr_t)p / PG * 8)));
  YES("root sees one", (w & ((1ULL << 55) - 1)) != 0);
  pid_t pid = fork();
  if (pid == 0) {
    drop_root();
    MUST(pread(fd, &w, 8, (off_t)((uintptr_t)p / PG * 8)));
    YES("by root's descriptor", (w & ((1ULL << 55) - 1)) != 0);
    MUST(syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0));
    int own = open("/proc/self/pagemap", O_RDONLY);
    MUST(own);
    MUST(pread(own, &w, 8, (off_t)((uintptr_t)p / PG * 8)));
    say("nobody sees: %llx", (unsigned long long)w);
    _exit(0);
  }
  say("child: %s", wait_text(pid));
}
CASE("/proc/PID/clear_refs", "1", "pages count as not touched") {
  char *p = plain(2);
  memset(p, 1, 2 * PG);
  NUM("referenced", smaps_number(p, "Referenced"));
  refs("clear", "1");
  NUM("referenced", smaps_number(p, "Referenced"));
}
CASE("/proc/PID/clear_refs", "2", "anonymous pages alone") {
  char *p = plain(1), *s = kmmap(NULL, PG, RW, MAP_SHARED, shm(1), 0);
  p[0] = s[0] = 1;
  refs("clear", "2");
  say("referenced %ld %ld", smaps_number(p, "Referenced"), smaps_number(s, "Referenced"));
}
CASE("/proc/PID/clear_refs", "3", "pages of files alone") {
  char *p = plain(1), *s = kmmap(NULL, PG, RW, MAP_SHARED, shm(1), 0);
  p[0] = s[0] = 1;
  refs("clear", "3");
  say("referenced %ld %ld", smaps_number(p, "Referenced"), smaps_number(s, "Referenced"));
}
CASE("/proc/PID/clear_refs", "5", "the peak of resident memory is forgotten") {
  char *p = plain(1024);
  memset(p, 1, 1024 * PG);
  MUST(kmunmap(p, 1024 * PG));
  long before = read_field("/proc/self/status", "VmHWM");
  refs("forget", "5");
  YES("lower by most of it", read_field("/proc/self/status", "VmHWM") < before - 3000);
}
CASE("/proc/PID/clear_refs", "EINVAL", "other texts") {
  refs("0", "0");
  refs("6", "6");
  refs("x", "x");
  refs("4", "4");
}
CASE("/proc/PID/map_files", "", "a link for each mapping of a file") {
  int mem = shm(2);
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED, mem, 0), name[96], text[64];
  snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (unsigned long)p, (unsigned long)(p + 2 * PG));
  ssize_t n = readlink(name, text, sizeof text);
  say("%.*s", (int)n, text);
  int fd = open(name, O_RDWR);
  p[5] = 'X';
  char c = 0;
  COUNT("through it", pread(fd, &c, 1, 5));
  BYTE("byte", &c);
  MUST(kmunmap(p + PG, PG));
  RESULT("another size now", open(name, O_RDWR));
}
CASE("/proc/PID/map_files", "", "shared memory without a name") {
  char *p = kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), name[96], c = 0;
  snprintf(name, sizeof name, "/proc/self/map_files/%lx-%lx", (unsigned long)p, (unsigned long)(p + PG));
  p[3] = 'Y';
  int fd = open(name, O_RDWR);
  RESULT("open", fd);
  COUNT("read", pread(fd, &c, 1, 3));
  BYTE("byte", &c);
  char *again = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0);
  close(fd);
  MUST(kmunmap(p, PG));
  BYTE("mapped again", again + 3);
}
CASE("/proc/PID/smaps", "VmFlags", "what is set by calls") {
  char *p = area(2);
  FLAGS("plain", p);
  RESULT("lock", kmlock(p, PG));
  FLAGS("locked", p);
  RESULT("unlock", kmunlock(p, PG));
  RESULT("lock on fault", kmlock2(p, PG, MLOCK_ONFAULT));
  FLAGS("locked on fault", p);
  static const int advice[] = {MADV_SEQUENTIAL, MADV_RANDOM, MADV_DONTFORK, MADV_WIPEONFORK, MADV_DONTDUMP, MADV_HUGEPAGE, MADV_NOHUGEPAGE};
  for (size_t i = 0; i < sizeof advice / sizeof *advice; i++) {
    char *q = area(1), what[32];
    RESULT("advise", kmadvise(q, PG, advice[i]));
    snprintf(what, sizeof what, "advice %d", advice[i]);
    FLAGS(what, q);
  }
  FLAGS("shared", kmmap(NULL, PG, RW, MAP_SHARED, shm(1), 0));
  FLAGS("no reserve", kmmap(NULL, PG, RW, ANON | MAP_NORESERVE, -1, 0));
  FLAGS("droppable", kmmap(NULL, PG, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0));
  FLAGS("grows down", kmmap(NULL, PG, RW, ANON | MAP_GROWSDOWN, -1, 0));
}
CASE("/proc/PID/smaps", "", "the counters of a mapping") {
  char *p = plain(4);
  memset(p, 1, 2 * PG);
  BYTE("a zero page", p + 2 * PG);
  static const char *const fields[] = {"Size", "KernelPageSize", "MMUPageSize", "Rss", "Pss", "Pss_Dirty", "Shared_Clean", "Shared_Dirty",
    "Private_Clean", "Private_Dirty", "Referenced", "Anonymous", "KSM", "LazyFree", "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped",
    "Shared_Hugetlb", "Private_Hugetlb", "Swap", "SwapPss", "Locked", "THPeligible"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) NUM(fields[i], smaps_number(p, fields[i]));
}
