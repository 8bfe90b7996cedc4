/* What is written to a shared file map is seen by read(2) at once and after msync; private writes are not (msync(2)). */
#include "check.h"
int main(void) {
  scratch();
  int fd = letters("f", 2);
  char c[2] = {0};
  char *s = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  s[10] = 'S';
  MUST(pread(fd, c, 1, 10));
  say("read sees %c, private map sees %c", c[0], p[10]);
  p[11] = 'P';
  MUST(pread(fd, c, 1, 11));
  say("read sees %c, shared map sees %c", c[0], s[11]);
  s[12] = 'T';
  say("private page that was copied sees %c", p[12]);
  MUST(pwrite(fd, "W", 1, PG + 5));
  say("write seen by shared %c, private %c", s[PG + 5], p[PG + 5]);
  ERR("MS_SYNC", msync(s, 2 * PG, MS_SYNC));
  ERR("MS_ASYNC", msync(s, 2 * PG, MS_ASYNC));
  ERR("MS_INVALIDATE", msync(s, 2 * PG, MS_INVALIDATE));
  ERR("both", msync(s, PG, MS_SYNC | MS_ASYNC));
  ERR("unaligned", msync(s + 1, PG, MS_SYNC));
  ERR("unknown flag", msync(s, PG, 64));
  MUST(munmap(s + PG, PG));
  ERR("over a hole", msync(s, 2 * PG, MS_SYNC));
  close(fd);
  fd = open("f", O_RDONLY);
  MUST(pread(fd, c, 1, 12));
  say("reopened file holds %c", c[0]);
  unlink("f");
  return 0;
}
