/* Every write to the disk fails (--inject disk-write=1): who is told, and how often. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TELL(call) \
  do { \
    errno = 0; \
    long result = (long)(call); \
    printf("%s: %s\n", #call, result < 0 ? strerror(errno) : "ok"); \
  } while (0)

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  int a = open("out", O_RDWR | O_CREAT | O_TRUNC, 0644), b = open("out", O_RDONLY);
  TELL(write(a, "hello", 5));
  TELL(fsync(a));
  TELL(fsync(a));
  TELL(fdatasync(b));
  TELL(fsync(b));
  int late = open("out", O_RDONLY);
  TELL(fsync(late));
  char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, a, 0);
  map[0] = 'x';
  TELL(msync(map, 4096, MS_SYNC));
  TELL(msync(map, 4096, MS_SYNC));
  TELL(write(a, "more", 4));
  TELL(sync_file_range(a, 0, 0, 7));
  TELL(sync_file_range(a, 0, 0, 7));
  TELL(syncfs(a));
  TELL(syncfs(a));
  TELL(write(a, "last", 4));
  TELL(close(b));
  TELL(close(a));
  return 0;
}
