/* memfd, seals, /dev/shm with shm_open, O_TMPFILE and sparse files. */
#include "check.h"
#include <linux/falloc.h>
#include <sys/statfs.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
#define SEAL_SEAL 1
#define SEAL_SHRINK 2
#define SEAL_GROW 4
#define SEAL_WRITE 8

static void memfds(void) {
  char link[64], target[64] = {0};
  int fd = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  readlink(link, target, sizeof target - 1);
  say("shown as %s", target);
  NUM("close on exec", fcntl(fd, F_GETFD));
  RET("no seals", fcntl(fd, F_GET_SEALS));
  ERR("grow", ftruncate(fd, 2 * PG));
  RET("write", write(fd, "abc", 3));
  char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  say("mapped %.3s", p);
  ERR("no write seal while mapped", fcntl(fd, F_ADD_SEALS, SEAL_WRITE));
  p[0] = 'X';
  munmap(p, 2 * PG);
  ERR("seal shrink and grow", fcntl(fd, F_ADD_SEALS, SEAL_SHRINK | SEAL_GROW));
  ERR("shrink", ftruncate(fd, PG));
  ERR("grow", ftruncate(fd, 3 * PG));
  RET("write inside", pwrite(fd, "yz", 2, 1));
  ERR("write beyond", pwrite(fd, "yz", 2, 2 * PG));
  ERR("seal write", fcntl(fd, F_ADD_SEALS, SEAL_WRITE));
  ERR("write", pwrite(fd, "q", 1, 0));
  ERR("shared writable map", (long)mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  ERR("private writable map", (long)mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  ERR("seal the seals", fcntl(fd, F_ADD_SEALS, SEAL_SEAL));
  ERR("another", fcntl(fd, F_ADD_SEALS, SEAL_GROW));
  RET("seals", fcntl(fd, F_GET_SEALS));
  int again = open(link, O_RDONLY);
  char text[8] = {0};
  RET("opened again through /proc", read(again, text, 3));
  say("%s", text);
  int plain = memfd_create("plain", 0);
  RET("not sealable", fcntl(plain, F_GET_SEALS));
  ERR("so no seal", fcntl(plain, F_ADD_SEALS, SEAL_WRITE));
  char longer[300];
  memset(longer, 'n', 299);
  longer[299] = 0;
  ERR("a name too long", memfd_create(longer, 0));
  ERR("bad flag", memfd_create("x", 0x80000000u));
  struct stat s;
  fstat(plain, &s);
  say("mode %o links %ld", s.st_mode, (long)s.st_nlink);
}

static void shared_memory(void) {
  char name[32];
  snprintf(name, sizeof name, "/guest-%d", (int)getpid());
  int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  YES("shm_open", fd >= 0);
  ERR("twice", shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
  ERR("size", ftruncate(fd, PG));
  volatile int *p = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  IN_CHILD("child writes through its own map", {
    int other = shm_open(name, O_RDWR, 0);
    volatile int *q = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    *q = 77;
  });
  NUM("parent sees", *p);
  struct statfs fs;
  statfs("/dev/shm", &fs);
  say("type %lx", (unsigned long)fs.f_type);
  ERR("unlink", shm_unlink(name));
  ERR("gone", shm_open(name, O_RDWR, 0));
  NUM("still mapped", *p);
}

static void nameless(void) {
  scratch();
  int fd = open(".", O_TMPFILE | O_RDWR, 0640);
  YES("O_TMPFILE", fd >= 0);
  struct stat s;
  fstat(fd, &s);
  NUM("links", s.st_nlink);
  write(fd, "kept", 4);
  char from[64];
  snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
  ERR("given a name", linkat(AT_FDCWD, from, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
  fstat(fd, &s);
  NUM("links", s.st_nlink);
  ERR("read only", open(".", O_TMPFILE | O_RDONLY, 0600));
  int never = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
  snprintf(from, sizeof from, "/proc/self/fd/%d", never);
  ERR("with O_EXCL it gets none", linkat(AT_FDCWD, from, AT_FDCWD, "never", AT_SYMLINK_FOLLOW));
  ERR("in a file", open("named", O_TMPFILE | O_RDWR, 0600));
  unlink("named");
}

static void sparse(void) {
  int fd = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
  struct stat s;
  ERR("a terabyte", ftruncate(fd, 1L << 40));
  fstat(fd, &s);
  say("size %ld blocks %ld", (long)s.st_size, (long)s.st_blocks);
  pwrite(fd, "x", 1, 10 * PG + 5);
  pwrite(fd, "y", 1, 1L << 35);
  fstat(fd, &s);
  NUM("blocks", s.st_blocks);
  NUM("first data", lseek(fd, 0, SEEK_DATA) / PG);
  NUM("hole at the start", lseek(fd, 0, SEEK_HOLE));
  NUM("hole after it", lseek(fd, 10 * PG, SEEK_HOLE) / PG);
  NUM("next data", lseek(fd, 11 * PG, SEEK_DATA) / PG);
  ERR("no data behind", lseek(fd, (1L << 35) + PG, SEEK_DATA));
  ERR("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10 * PG, PG));
  fstat(fd, &s);
  NUM("blocks", s.st_blocks);
  ERR("punch needs KEEP_SIZE", fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PG));
  ERR("allocate", fallocate(fd, 0, 0, 4 * PG));
  fstat(fd, &s);
  NUM("blocks", s.st_blocks);
  ERR("collapse", fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PG));
  ERR("no length", fallocate(fd, 0, 0, 0));
  ERR("negative", fallocate(fd, 0, -1, PG));
  int ends[2];
  pipe(ends);
  ERR("of a pipe", fallocate(ends[1], 0, 0, PG));
  ERR("too large", ftruncate(fd, -1));
}

int main(void) {
  memfds();
  shared_memory();
  nameless();
  sparse();
  return 0;
}
