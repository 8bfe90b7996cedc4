/* Small pages of shared memory become huge ones when somebody asks for it: MADV_COLLAPSE. Needs root. */
#include "thp-shmem.h"

#define DIR "/tmp/mm-thp-shmem-collapse.d"
#define RW (PROT_READ | PROT_WRITE)

/* Two huge pages' room, in small pages: the first `pages` are there. */
static int small_file(long pages) {
  static char all[HP];
  int fd = open(DIR "/f", O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(fd);
  MUST(unlink(DIR "/f"));
  for (long i = 0; i < pages; i++) all[i * PG] = (char)i;
  if (pwrite(fd, all, (size_t)(pages * PG), 0) != pages * PG) _exit(95);
  MUST(ftruncate(fd, 2 * HP));
  return fd;
}
static long sum(char *p) {
  long total = 0;
  for (long i = 0; i < PAGES; i++) total += p[i * PG] & 255;
  return total;
}
static void alone(void) {
  int fd = small_file(PAGES);
  char *p = map_at(room(2 * HP), 2 * HP, RW, MAP_SHARED, fd, 0);
  count_from_here();
  long before = named("/proc/vmstat", "thp_collapse_alloc");
  smap("nothing mapped", p);
  ERR("collapse", madvise(p, HP, MADV_COLLAPSE));
  smap("collapsed", p);
  counts("collapsed");
  NUM("collapses", named("/proc/vmstat", "thp_collapse_alloc") - before);
  NUM("sum", sum(p));
  frame("the first", p);
  ERR("again", madvise(p, HP, MADV_COLLAPSE));
  counts("again");
  ERR("an empty one", madvise(p + HP, HP, MADV_COLLAPSE));
  smap_of("an empty one", p, 2 * HP);
  NUM("pages of the file", blocks(fd));
  ERR("less than one", madvise(p, HP - PG, MADV_COLLAPSE));
  MUST(munmap(p, 2 * HP));
  close(fd);
  counts("gone");

  fd = small_file(3);
  p = map_at(room(2 * HP), 2 * HP, RW, MAP_SHARED, fd, 0);
  p[PG] = 77;
  ERR("three pages", madvise(p, HP, MADV_COLLAPSE));
  smap("three pages", p);
  NUM("pages of the file", blocks(fd));
  NUM("the first", p[0]);
  NUM("the second", p[PG]);
  NUM("the last", p[HP - PG]);
  p[HP] = 1;
  ERR("both", madvise(p, 2 * HP, MADV_COLLAPSE));
  smap_of("both", p, 2 * HP);
  NUM("pages of the file", blocks(fd));
  MUST(munmap(p, 2 * HP));
  close(fd);
}
static void refused(void) {
  int fd = small_file(PAGES);
  char *at = room(3 * HP);
  char *p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  ERR("asked not", madvise(p, HP, MADV_COLLAPSE));
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, PG);
  ERR("out of step", madvise(p, HP, MADV_COLLAPSE));
  MUST(munmap(p, HP));
  p = map_at(at, HP - PG, RW, MAP_SHARED, fd, 0);
  ERR("too short", madvise(p, HP - PG, MADV_COLLAPSE));
  MUST(munmap(p, HP - PG));
  p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  MUST(word(THP_DIR "shmem_enabled", "deny"));
  ERR("denied", madvise(p, HP, MADV_COLLAPSE));
  MUST(word(THP_DIR "shmem_enabled", "never"));
  NUM("read", p[0]);
  ERR("read-only", mprotect(p, HP, PROT_READ));
  ERR("collapse", madvise(p, HP, MADV_COLLAPSE));
  smap("read-only", p);
  MUST(munmap(p, HP));
  close(fd);
}
/* A huge page that is there, mapped in small parts. */
static void parts(void) {
  int fd = small_file(PAGES);
  char *at = room(3 * HP);
  char *p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  ERR("collapse", madvise(p, HP, MADV_COLLAPSE));
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  p[5 * PG] = 99;
  smap("by parts", p);
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  count_from_here();
  ERR("collapse", madvise(p, HP, MADV_COLLAPSE));
  smap("by one", p);
  counts("by one");
  NUM("byte", p[5 * PG]);
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  ERR("collapse, not mapped", madvise(p, HP, MADV_COLLAPSE));
  smap("by one", p);
  MUST(munmap(p, HP));
  close(fd);
}
static void private_copies(void) {
  int fd = small_file(PAGES);
  char *p = map_at(room(HP), HP, RW, MAP_PRIVATE, fd, 0);
  NUM("read", p[3 * PG]);
  ERR("collapse of a private one", madvise(p, HP, MADV_COLLAPSE));
  smap("private", p);
  p[3 * PG] = 55;
  smap("written", p);
  ERR("collapse with a copy", madvise(p, HP, MADV_COLLAPSE));
  smap("with a copy", p);
  NUM("the copy", p[3 * PG]);
  NUM("not the file's", p[4 * PG]);
  MUST(munmap(p, HP));
  close(fd);
}
static void two(void) {
  int fd = small_file(PAGES), to[2], back[2];
  char c = 0;
  MUST(pipe(to));
  MUST(pipe(back));
  char *p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  for (long i = 0; i < PAGES; i++) p[i * PG] = 2;
  pid_t pid = fork();
  if (pid == 0) {
    for (long i = 0; i < PAGES; i++) p[i * PG]++;
    smap("child", p);
    if (write(back[1], &c, 1) != 1 || read(to[0], &c, 1) != 1) _exit(1);
    smap("child, after", p);
    NUM("child's sum", sum(p));
    smap("child, touched", p);
    _exit(0);
  }
  RET("child is ready", read(back[0], &c, 1));
  smap("parent", p);
  ERR("collapse", madvise(p, HP, MADV_COLLAPSE));
  smap("parent, after", p);
  NUM("sum", sum(p));
  if (write(to[1], &c, 1) != 1) _exit(94);
  int status;
  MUST(waitpid(pid, &status, 0));
  smap("parent, alone", p);
  MUST(munmap(p, HP));
  close(fd);
}

int main(void) {
  umount2(DIR, MNT_DETACH);
  mkdir(DIR, 0700);
  MUST(mount("none", DIR, "tmpfs", 0, ""));
  alone();
  refused();
  parts();
  private_copies();
  two();
  MUST(umount(DIR));
  MUST(rmdir(DIR));
  return 0;
}
