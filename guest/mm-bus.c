/* A file map beyond the end of the file: the last page's rest is zero, pages behind raise SIGBUS (mmap(2)). */
#include "check.h"
int main(void) {
  scratch();
  int fd = letters("f", 2);
  MUST(ftruncate(fd, PG + 100));
  char *p = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  say("last byte %c, behind it %d", p[PG + 99], p[PG + 100]);
  READS("rest of the last page", p + 2 * PG - 1);
  READS("page behind", p + 2 * PG);
  WRITES("page behind", p + 3 * PG);
  p[PG + 200] = 'z';
  MUST(ftruncate(fd, 3 * PG));
  READS("after the file grew", p + 2 * PG);
  say("after growing: %d", p[2 * PG]);
  p[2 * PG] = 'q';
  MUST(ftruncate(fd, PG));
  READS("after truncation", p + PG);
  READS("first page", p);
  MUST(ftruncate(fd, 3 * PG));
  say("truncated page is zero: %d %d", p[PG], p[2 * PG]);
  char *q = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  q[0] = 'Q';
  MUST(ftruncate(fd, 0));
  READS("private copy after truncation", q);
  unlink("f");
  return 0;
}
