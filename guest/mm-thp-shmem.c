/* Huge pages of files in RAM: made at a write and at a fault, mapped by one entry or by many, cut off, cut up, shared. Needs root. */
#include "thp-shmem.h"

#define DIR "/tmp/mm-thp-shmem.d"
#define RW (PROT_READ | PROT_WRITE)

static int file_of(long bytes) {
  int fd = open(DIR "/f", O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(fd);
  MUST(unlink(DIR "/f"));
  MUST(ftruncate(fd, bytes));
  return fd;
}

static void mapping(void) {
  count_from_here();
  int fd = open(DIR "/g", O_RDWR | O_CREAT, 0600);
  MUST(ftruncate(fd, 2 * HP));
  char *p = map_at(room(2 * HP), 2 * HP, RW, MAP_SHARED, fd, 0);
  smap("untouched", p);
  long before = minflt();
  p[12345] = 7;
  NUM("faults", minflt() - before);
  smap("stored once", p);
  counts("stored once");
  NUM("pages of the file", blocks(fd));
  NUM("resident", resident(p, 2 * PAGES));
  frame("its first page", p);
  frame("its last page", p + HP - PG);
  NUM("read elsewhere", p[HP + 5]);
  smap_of("and read", p, 2 * HP);
  counts("and read");
  NUM("meminfo agrees", named("/proc/meminfo", "ShmemHugePages") / 2048 - named("/proc/vmstat", "nr_shmem_hugepages"));
  NUM("meminfo agrees", named("/proc/meminfo", "ShmemPmdMapped") / 2048 - named("/proc/vmstat", "nr_shmem_pmdmapped"));
  MUST(munmap(p, 2 * HP));
  counts("unmapped");
  NUM("pages of the file", blocks(fd));
  close(fd);
  MUST(unlink(DIR "/g"));
  counts("gone");
}

static void writing(void) {
  count_from_here();
  int fd = file_of(0);
  RET("write", pwrite(fd, "x", 1, 0));
  NUM("pages of the file", blocks(fd));
  counts("a byte written");
  RET("write behind", pwrite(fd, "y", 1, HP));
  NUM("pages of the file", blocks(fd));
  counts("another");
  char c = 1;
  RET("read", pread(fd, &c, 1, HP - 1));
  NUM("a zero", c);
  RET("read", pread(fd, &c, 1, HP));
  NUM("the byte", c);
  char *p = map_at(room(2 * HP), 2 * HP, RW, MAP_SHARED, fd, 0);
  NUM("mapped", p[0]);
  smap("read alone", p);
  counts("read alone");
  MUST(munmap(p, 2 * HP));
  close(fd);
  counts("gone");
  fd = file_of(0);
  ERR("fallocate", posix_fallocate(fd, 0, HP) ? -1 : 0);
  NUM("pages of the file", blocks(fd));
  counts("allocated");
  NUM("data", lseek(fd, 0, SEEK_DATA) == -1 ? -errno : 0);
  p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  NUM("resident", resident(p, PAGES));
  RET("write", pwrite(fd, "x", 1, 5 * PG));
  NUM("resident", resident(p, PAGES));
  NUM("data", lseek(fd, 0, SEEK_DATA));
  NUM("hole", lseek(fd, 0, SEEK_HOLE) == HP);
  MUST(munmap(p, HP));
  close(fd);
}

static void parts(void) {
  count_from_here();
  int fd = file_of(2 * HP);
  char *at = room(3 * HP);
  char *p = map_at(at, HP - PG, RW, MAP_SHARED, fd, 0);
  p[0] = 1;
  smap("a mapping a page too short", p);
  counts("a mapping a page too short");
  frame("its first page", p);
  p[PG] = 1;
  smap("and its second page", p);
  MUST(munmap(p, HP - PG));
  p = map_at(at + PG, HP, RW, MAP_SHARED, fd, 0);
  p[0] = 1;
  smap("a mapping out of step", p);
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, HP / 2);
  p[0] = 1;
  smap("half a page of the file further", p);
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, HP);
  counts("before the second");
  p[0] = 1;
  smap("the second", p);
  counts("the second");
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  p[3] = 1;
  smap("asked not", p);
  MUST(munmap(p, HP));
  p = map_at(at, 2 * HP, PROT_READ, MAP_SHARED, fd, 0);
  NUM("read", p[0]);
  smap_of("read-only", p, 2 * HP);
  MUST(munmap(p, 2 * HP));
  p = map_at(at, HP, RW, MAP_PRIVATE, fd, 0);
  NUM("read", p[PG]);
  smap("private, read", p);
  p[PG] = 2;
  smap("private, written", p);
  NUM("read", p[2 * PG]);
  smap("and read beside it", p);
  NUM("the copy", p[PG]);
  MUST(munmap(p, HP));
  counts("all this");
  close(fd);
}

static void changing(void) {
  int fd = file_of(2 * HP);
  count_from_here();
  char *at = room(4 * HP);
  char *p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  memset(p, 5, HP);
  ERR("mprotect of all", mprotect(p, HP, PROT_READ));
  smap("all read-only", p);
  ERR("mprotect of all", mprotect(p, HP, RW));
  long before = minflt();
  p[0] = 6;
  NUM("faults", minflt() - before);
  smap("writable again", p);
  ERR("mprotect of a page", mprotect(p + 7 * PG, PG, PROT_READ));
  smap("a page read-only", p);
  p[0] = 1;
  smap("and written", p);
  NUM("read", p[7 * PG]);
  smap("and read", p);
  ERR("mprotect back", mprotect(p + 7 * PG, PG, RW));
  counts("mprotect");
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  p[0] = 1;
  ERR("munmap of the end", munmap(p + HP - 4 * PG, 4 * PG));
  smap("the end unmapped", p);
  p[0] = 1;
  smap("touched", p);
  counts("munmap");
  MUST(munmap(p, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  p[0] = 1;
  ERR("MADV_DONTNEED of a page", madvise(p + PG, PG, MADV_DONTNEED));
  smap("a page dropped", p);
  NUM("its byte", p[PG]);
  smap("touched", p);
  ERR("MADV_DONTNEED of all", madvise(p, HP, MADV_DONTNEED));
  smap("all dropped", p);
  NUM("its byte", p[PG]);
  smap("touched", p);
  char *q = mremap(p, HP, HP, MREMAP_MAYMOVE | MREMAP_FIXED, at + 2 * HP);
  YES("moved", q == at + 2 * HP);
  smap("moved", q);
  q = mremap(q, HP, HP, MREMAP_MAYMOVE | MREMAP_FIXED, at + PG);
  YES("moved out of step", q == at + PG);
  smap("moved out of step", q);
  NUM("its byte", q[PG]);
  smap("touched", q);
  MUST(munmap(q, HP));
  p = map_at(at, HP, RW, MAP_SHARED, fd, 0);
  p[0] = 1;
  ERR("mlock", mlock(p, HP));
  smap("locked", p);
  ERR("munlock of a page", munlock(p + 3 * PG, PG));
  smap("a page not locked", p);
  MUST(munmap(p, HP));
  counts("the rest");
  close(fd);
}

static void cutting(void) {
  int fd = file_of(2 * HP);
  char *p = map_at(room(2 * HP), 2 * HP, RW, MAP_SHARED, fd, 0);
  memset(p, 5, 2 * HP);
  count_from_here();
  ERR("truncate to a page and a half", ftruncate(fd, PG + PG / 2));
  smap_of("cut off", p, 2 * HP);
  counts("cut off");
  NUM("pages of the file", blocks(fd));
  NUM("kept", p[PG]);
  smap_of("touched", p, 2 * HP);
  MUST(ftruncate(fd, 2 * HP));
  NUM("zero", p[PG + PG / 2]);
  MUST(munmap(p, 2 * HP));
  close(fd);

  fd = file_of(2 * HP);
  p = map_at(room(2 * HP), 2 * HP, RW, MAP_SHARED, fd, 0);
  memset(p, 5, 2 * HP);
  count_from_here();
  ERR("a hole of a page", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PG, PG));
  smap_of("a hole", p, 2 * HP);
  counts("a hole");
  NUM("pages of the file", blocks(fd));
  NUM("zero", p[5 * PG]);
  NUM("kept", p[6 * PG]);
  smap("touched", p);
  NUM("kept", p[300 * PG]);
  smap("touched", p);
  NUM("pages of the file", blocks(fd));
  ERR("MADV_REMOVE of a huge page", madvise(p + HP, HP, MADV_REMOVE));
  NUM("pages of the file", blocks(fd));
  smap_of("removed", p, 2 * HP);
  counts("removed");
  NUM("zero", p[HP]);
  counts("touched");
  ERR("MADV_REMOVE in the middle", madvise(p + HP + 100 * PG, 7 * PG, MADV_REMOVE));
  NUM("pages of the file", blocks(fd));
  counts("removed");
  ERR("bytes zeroed", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 3, 10));
  NUM("pages of the file", blocks(fd));
  MUST(munmap(p, 2 * HP));
  close(fd);
  counts("gone");
}

static void child_says(void (*what)(char *), char *p) {
  pid_t pid = fork();
  if (pid == 0) {
    what(p);
    _exit(0);
  }
  int status;
  MUST(waitpid(pid, &status, 0));
}
static void touches(char *p) {
  smap("child, untouched", p);
  p[9] = 4;
  smap("child, touched", p);
  frame("child", p);
  MUST(munmap(p + PG, PG));
  smap("child, a page less", p);
  p[9] = 4;
  smap("child, touched", p);
  frame("child", p);
}
static void copies(char *p) {
  smap("child of a private mapping", p);
  p[9] = 4;
  smap("child has written", p);
}
static void forking(void) {
  int fd = file_of(HP);
  char *p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  memset(p, 5, HP);
  smap("parent", p);
  count_from_here();
  child_says(touches, p);
  smap("parent", p);
  counts("fork");
  NUM("the child's byte", p[9]);
  MUST(munmap(p, HP));
  p = map_at(room(HP), HP, RW, MAP_PRIVATE, fd, 0);
  NUM("read", p[0]);
  child_says(copies, p);
  p[PG] = 1;
  child_says(copies, p);
  smap("parent", p);
  MUST(munmap(p, HP));
  close(fd);
}

int main(void) {
  umount2(DIR, MNT_DETACH);
  mkdir(DIR, 0700);
  ERR("mount huge=always", mount("none", DIR, "tmpfs", 0, "huge=always"));
  mapping();
  writing();
  parts();
  changing();
  cutting();
  forking();
  MUST(umount(DIR));
  MUST(rmdir(DIR));
  return 0;
}
