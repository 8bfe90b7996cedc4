/* Who decides whether shared memory has huge pages: the mount of a file, shmem_enabled, the size's own setting. Needs root. */
#include "thp-shmem.h"
#include <sys/shm.h>

#define DIR "/tmp/mm-thp-shmem-kinds.d"
#define RW (PROT_READ | PROT_WRITE)
#define ENABLED THP_DIR "shmem_enabled"
#define OF_SIZE THP_DIR "hugepages-2048kB/shmem_enabled"

/* The options of our mount, but its size. */
static void options(const char *title) {
  char *line = strstr(slurp("/proc/self/mounts"), DIR " tmpfs ");
  char *end = line ? strchr(line, '\n') : NULL;
  if (end) *end = 0;
  char *huge = line ? strstr(line, "huge=") : NULL;
  if (huge) huge[strcspn(huge, ", ")] = 0;
  say("%s: %s", title, huge ? huge : "no huge");
}
static void mounts(void) {
  static const char *const wanted[] = {"huge=never", "huge=always", "huge=within_size", "huge=advise", "huge=deny", "huge=force", "huge=1", "huge"};
  for (int i = 0; i < 8; i++) {
    int failed = mount("none", DIR, "tmpfs", 0, wanted[i]);
    say("mount %s: %s", wanted[i], failed ? err_name(errno) : "ok");
    if (failed) continue;
    options(wanted[i]);
    MUST(umount(DIR));
  }
  MUST(mount("none", DIR, "tmpfs", 0, ""));
  ERR("remount", mount("none", DIR, "tmpfs", MS_REMOUNT, "huge=advise"));
  options("remounted");
  ERR("remount", mount("none", DIR, "tmpfs", MS_REMOUNT, "mode=700"));
  options("remounted without");
  ERR("remount", mount("none", DIR, "tmpfs", MS_REMOUNT, "huge=rubbish"));
  options("refused");
  ERR("remount", mount("none", DIR, "tmpfs", MS_REMOUNT, "huge=never"));
  options("as at first");
  MUST(umount(DIR));
}

static void one(const char *title, const char *option, long size, long page, int asks) {
  MUST(mount("none", DIR, "tmpfs", 0, option));
  int fd = open(DIR "/f", O_RDWR | O_CREAT, 0600);
  MUST(ftruncate(fd, size));
  char *p = map_at(room(2 * HP), 2 * HP, RW, MAP_SHARED, fd, 0);
  if (asks) MUST(madvise(p, 2 * HP, MADV_HUGEPAGE));
  p[page * PG] = 1;
  smap_of(title, p, 2 * HP);
  NUM("pages of the file", blocks(fd));
  MUST(munmap(p, 2 * HP));
  close(fd);
  MUST(umount(DIR));
}
static void files(void) {
  one("never", "huge=never", 2 * HP, 0, 1);
  one("always", "huge=always", PG, 0, 0);
  one("within the size", "huge=within_size", HP, 0, 0);
  one("not within the size", "huge=within_size", HP - PG, 0, 0);
  one("the second is not", "huge=within_size", HP + PG, PAGES, 0);
  one("not asked", "huge=advise", HP, 0, 0);
  one("asked", "huge=advise", HP, 0, 1);
}
static long made(const char *option, long size, long at, long bytes, int allocates) {
  static char buffer[1 << 20];
  MUST(mount("none", DIR, "tmpfs", 0, option));
  int fd = open(DIR "/f", O_RDWR | O_CREAT, 0600);
  MUST(ftruncate(fd, size));
  if (allocates) MUST(fallocate(fd, 0, at, bytes));
  else if (pwrite(fd, buffer, (size_t)bytes, at) != bytes) _exit(98);
  long pages = blocks(fd);
  close(fd);
  MUST(umount(DIR));
  return pages;
}
static void writes(void) {
  NUM("a byte, always", made("huge=always", 0, 0, 1, 0));
  NUM("a byte further, always", made("huge=always", 0, 3 * PG, 1, 0));
  NUM("a byte, never", made("huge=never", 2 * HP, 0, 1, 0));
  NUM("a byte, advise", made("huge=advise", 2 * HP, 0, 1, 0));
  NUM("64 KiB, within_size", made("huge=within_size", 0, 0, 65536, 0));
  NUM("60 KiB, within_size", made("huge=within_size", 0, 0, 61440, 0));
  NUM("a byte, within a size of 1 MiB", made("huge=within_size", HP / 2, 0, 1, 0));
  NUM("a byte, within a size of 1 MiB and a page", made("huge=within_size", HP / 2 + PG, 256 * PG, 1, 0));
  NUM("3 MiB allocated, within_size", made("huge=within_size", 0, 0, 3 * HP / 2, 1));
  NUM("3 MiB and a page allocated, always", made("huge=always", 0, 0, 3 * HP / 2 + PG, 1));
  NUM("a page allocated, always", made("huge=always", 0, 5 * PG, PG, 1));
}

/* A file that has a small page in the middle: what fits between. */
static void between(void) {
  MUST(mount("none", DIR, "tmpfs", 0, "huge=never"));
  int fd = open(DIR "/f", O_RDWR | O_CREAT, 0600);
  RET("write", pwrite(fd, "x", 1, 300 * PG));
  NUM("pages of the file", blocks(fd));
  MUST(mount("none", DIR, "tmpfs", MS_REMOUNT, "huge=always"));
  RET("write", pwrite(fd, "x", 1, 0));
  NUM("pages of the file", blocks(fd));
  RET("write", pwrite(fd, "x", 1, 303 * PG));
  NUM("pages of the file", blocks(fd));
  RET("write", pwrite(fd, "x", 1, 302 * PG));
  NUM("pages of the file", blocks(fd));
  RET("write", pwrite(fd, "x", 1, 301 * PG));
  NUM("pages of the file", blocks(fd));
  MUST(ftruncate(fd, HP));
  char *p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  count_from_here();
  NUM("read", p[0] == 'x');
  smap("read", p);
  p[400 * PG] = 1;
  smap("written elsewhere", p);
  counts("small pieces");
  frame("the first", p);
  frame("a small one", p + 300 * PG);
  MUST(munmap(p, HP));
  close(fd);
  MUST(umount(DIR));
}

static void touch(const char *title, char *p, int asks) {
  if (asks) MUST(madvise(p, HP, MADV_HUGEPAGE));
  p[PG] = 1;
  smap(title, p);
}
static void unnamed(const char *title) {
  say("- %s", title);
  char *p = map_at(room(HP), HP, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  touch("anonymous", p, 0);
  MUST(munmap(p, HP));
  p = map_at(room(HP), HP, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  touch("anonymous, asked", p, 1);
  MUST(munmap(p, HP));
  int fd = (int)syscall(SYS_memfd_create, "m", 0);
  MUST(ftruncate(fd, HP));
  p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  touch("memfd", p, 0);
  MUST(munmap(p, HP));
  close(fd);
  fd = (int)syscall(SYS_memfd_create, "m", 0);
  RET("write to a memfd", pwrite(fd, "x", 1, 0));
  NUM("its pages", blocks(fd));
  close(fd);
  int id = shmget(IPC_PRIVATE, HP, 0600);
  p = room(HP);
  MUST(munmap(p, HP));
  YES("attached", shmat(id, p, 0) == p);
  touch("System V", p, 0);
  MUST(shmdt(p));
  MUST(shmctl(id, IPC_RMID, NULL));
}
static void settings(void) {
  static const char *const words[] = {"always", "within_size", "advise", "never", "deny", "force"};
  say("default: %s", strtok(slurp(ENABLED), "\n"));
  say("of the size: %s", strtok(slurp(OF_SIZE), "\n"));
  ERR("rubbish", word(ENABLED, "rubbish"));
  for (int i = 0; i < 6; i++) {
    ERR(words[i], word(ENABLED, words[i]));
    say("now: %s", strtok(slurp(ENABLED), "\n"));
    unnamed(words[i]);
  }
  one("force, a file", "huge=never", PG, 0, 0);
  MUST(word(ENABLED, "deny"));
  one("deny, a file", "huge=always", HP, 0, 0);
  MUST(word(ENABLED, "never"));
  static const char *const sizes[] = {"always", "within_size", "advise", "never"};
  for (int i = 0; i < 4; i++) {
    MUST(word(OF_SIZE, sizes[i]));
    unnamed(sizes[i]);
  }
  MUST(word(ENABLED, "always"));
  unnamed("never of the size, always of all");
  MUST(word(ENABLED, "never"));
  ERR("rubbish of the size", word(OF_SIZE, "force"));
  MUST(word(OF_SIZE, "inherit"));
}

static void placed(const char *title, long bytes, int fd, long offset) {
  int flags = MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0);
  long aligned = 0;
  char *all[4];
  for (int i = 0; i < 4; i++) {
    /* Apart from each other by a page. */
    all[i] = mmap(NULL, (size_t)bytes, RW, flags, fd, offset);
    aligned += ((unsigned long)all[i] - (unsigned long)offset) % HP == 0;
    char *fence = mmap(NULL, PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fence == MAP_FAILED) _exit(96);
  }
  for (int i = 0; i < 4; i++) MUST(munmap(all[i], (size_t)bytes));
  say("%s: %s", title, aligned == 4 ? "in step" : aligned <= 1 ? "anywhere" : "some in step");
}
static void places(void) {
  MUST(mount("none", DIR, "tmpfs", 0, "huge=always"));
  int fd = open(DIR "/f", O_RDWR | O_CREAT, 0600);
  MUST(ftruncate(fd, 8 * HP));
  placed("a huge page", HP, fd, 0);
  placed("and a page", HP + PG, fd, 0);
  placed("less", HP - PG, fd, 0);
  placed("from page 3 on, two", 2 * HP, fd, 3 * PG);
  placed("from page 3 on, one", HP, fd, 3 * PG);
  placed("anonymous", 2 * HP, -1, 0);
  MUST(word(ENABLED, "advise"));
  placed("anonymous, advise", 2 * HP + PG, -1, 0);
  MUST(word(ENABLED, "deny"));
  placed("denied", 2 * HP + PG, fd, 0);
  MUST(word(ENABLED, "never"));
  close(fd);
  MUST(umount(DIR));
}

int main(void) {
  umount2(DIR, MNT_DETACH);
  mkdir(DIR, 0700);
  mounts();
  files();
  writes();
  between();
  settings();
  places();
  MUST(rmdir(DIR));
  return 0;
}
