/* Where a sparse file has bytes: SEEK_DATA and SEEK_HOLE on the root file system and on tmpfs (lseek(2), 6.18). */
#include "check.h"

static void at(int fd, long page) {
  errno = 0;
  long data = lseek(fd, page * PG + 10, SEEK_DATA);
  int no = errno;
  long hole = lseek(fd, page * PG + 10, SEEK_HOLE);
  if (data < 0) say("page %ld: data %s, hole %ld", page, err_name(no), hole < 0 ? hole : hole / PG);
  else say("page %ld: data %ld+%ld, hole %ld+%ld", page, data / PG, data % PG, hole / PG, hole % PG);
}

static void sparse(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
  MUST(fd);
  MUST(unlink(path));
  MUST(pwrite(fd, "a", 1, 0));
  MUST(pwrite(fd, "b", 1, 5 * PG));
  MUST(pwrite(fd, "c", 1, 6 * PG));
  MUST(ftruncate(fd, 10 * PG));
  for (long page = 0; page < 11; page++) at(fd, page);
  MUST(fsync(fd));
  for (long page = 0; page < 11; page += 2) at(fd, page);
  MUST(fallocate(fd, 3, 5 * PG, PG));
  at(fd, 4);
  at(fd, 5);
  MUST(fsync(fd));
  at(fd, 4);
  MUST(fallocate(fd, 0, 8 * PG, PG));
  at(fd, 7);
  MUST(pwrite(fd, "d", 1, 8 * PG + 5));
  at(fd, 7);
  MUST(ftruncate(fd, 2 * PG));
  at(fd, 0);
  at(fd, 1);
  MUST(ftruncate(fd, 12 * PG));
  at(fd, 5);
  ERR("before the start", lseek(fd, -1, SEEK_DATA));
  ERR("at the end", lseek(fd, 12 * PG, SEEK_HOLE));
  char *m = mmap(NULL, 12 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  m[10 * PG] = 1;
  at(fd, 5);
  munmap(m, 12 * PG);
  close(fd);
}

int main(void) {
  sparse("/file-holes.tmp");
  sparse("/dev/shm/file-holes.tmp");
  return 0;
}
