/* Files that shrink and grow while processes map them. Parent and child take turns through pipes. */
#include "conform.h"

static int turns[2][2];
static void make_turns(void) { MUST(pipe(turns[0])); MUST(pipe(turns[1])); }
static void give(int side) { char c = 1; if (write(turns[side][1], &c, 1) != 1) _exit(90); }
static void await(int side) { char c; if (read(turns[side][0], &c, 1) != 1) _exit(91); }
static char *map_file(int fd, long pages, int flags) {
  char *p = kmmap(NULL, (size_t)(pages * PG), RW, flags, fd, 0);
  MUST(p);
  return p;
}

static void shrink_for_other(int fd) {
  make_turns();
  pid_t pid = fork();
  if (pid == 0) {
    char *shared = map_file(fd, 4, MAP_SHARED), *copied = map_file(fd, 4, MAP_PRIVATE), *looked = map_file(fd, 4, MAP_PRIVATE);
    for (int i = 0; i < 4; i++) { (void)*(volatile char *)(shared + i * PG); copied[i * PG] = 'C'; (void)*(volatile char *)(looked + i * PG); }
    give(0);
    await(1);
    BYTE("shared 0", shared);
    BYTE("shared 1, before the end", shared + PG + 9);
    BYTE("shared 1, behind it", shared + PG + 100);
    READS("shared 2", shared + 2 * PG);
    BYTE("copy 0", copied);
    BYTE("copy 1, behind the end", copied + PG + 100);
    READS("copy 2", copied + 2 * PG);
    WRITES("copy 3", copied + 3 * PG);
    READS("looked at 2", looked + 2 * PG);
    READS("looked at 1", looked + PG);
    give(0);
    await(1);
    BYTE("grown: shared 2", shared + 2 * PG);
    BYTE("grown: copy 2", copied + 2 * PG);
    BYTE("grown: looked at 3", looked + 3 * PG);
    shared[3 * PG] = 'S';
    give(0);
    _exit(0);
  }
  await(0);
  RESULT("to a page and 10 bytes", ftruncate(fd, PG + 10));
  give(1);
  await(0);
  RESULT("to four pages", ftruncate(fd, 4 * PG));
  give(1);
  await(0);
  char c = 0;
  COUNT("read 3", pread(fd, &c, 1, 3 * PG));
  BYTE("its byte", &c);
  say("%s", wait_text(pid));
}
CASE("ftruncate", "", "while another process maps the file") { shrink_for_other(disk("f", 4)); }
CASE("ftruncate", "", "while another process maps the memory file") { shrink_for_other(shm(4)); }

static void shrink_after_fork(int fd) {
  char *p = map_file(fd, 2, MAP_PRIVATE);
  p[0] = 'P';
  p[PG] = 'P';
  make_turns();
  pid_t pid = fork();
  if (pid == 0) {
    p[PG] = 'K';
    give(0);
    await(1);
    BYTE("child 0", p);
    READS("child 1", p + PG);
    _exit(0);
  }
  await(0);
  RESULT("to a page", ftruncate(fd, PG));
  give(1);
  say("%s", wait_text(pid));
  BYTE("parent 0", p);
  READS("parent 1", p + PG);
}
CASE("ftruncate", "", "private copies of parent and child go both") { shrink_after_fork(disk("f", 2)); }
CASE("ftruncate", "", "private copies of a memory file go too") { shrink_after_fork(shm(2)); }

CASE("ftruncate", "", "a file without a name that is mapped") {
  int fd = disk("f", 2);
  char *p = map_file(fd, 2, MAP_SHARED);
  MUST(unlink("f"));
  p[PG] = 'x';
  MUST(ftruncate(fd, PG));
  MUST(close(fd));
  BYTE("0", p);
  READS("1", p + PG);
}
CASE("ftruncate", "", "the zero tail: bytes stored behind the end do not come back") {
  int fd = disk("f", 1);
  MUST(ftruncate(fd, 100));
  char *p = map_file(fd, 1, MAP_SHARED);
  p[99] = 'i';
  p[200] = 'o';
  BYTE("seen in the mapping", p + 200);
  MUST(ftruncate(fd, PG));
  char page[PG];
  COUNT("read", pread(fd, page, PG, 0));
  BYTE("inside", page + 99);
  BYTE("outside", page + 200);
}
CASE("ftruncate", "", "shmem: bytes stored behind the end come back") {
  int fd = shm(1);
  MUST(ftruncate(fd, 100));
  char *p = map_file(fd, 1, MAP_SHARED);
  p[99] = 'i';
  p[200] = 'o';
  BYTE("seen in the mapping", p + 200);
  MUST(ftruncate(fd, PG));
  char page[PG];
  COUNT("read", pread(fd, page, PG, 0));
  BYTE("inside", page + 99);
  BYTE("outside", page + 200);
}
CASE("ftruncate", "", "the zero tail of a private mapping is the mapping's own") {
  int fd = disk("f", 1);
  MUST(ftruncate(fd, 100));
  char *p = map_file(fd, 1, MAP_PRIVATE), c = 0;
  BYTE("zero", p + 200);
  p[200] = 'o';
  BYTE("stored", p + 200);
  MUST(ftruncate(fd, PG));
  COUNT("read", pread(fd, &c, 1, 200));
  BYTE("the file's", &c);
  BYTE("the mapping's", p + 200);
}
