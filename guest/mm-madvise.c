/* MADV_DONTNEED drops private pages: anonymous ones read zero, file ones the file again (madvise(2)). */
#include "check.h"
int main(void) {
  scratch();
  int fd = letters("f", 4);
  char *a = map_anon(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  memset(a, 'x', 4 * PG);
  ERR("anonymous", madvise(a + PG, 2 * PG, MADV_DONTNEED));
  say("content %d %d %d %d", a[0], a[PG], a[2 * PG], a[3 * PG]);
  char *p = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  p[0] = 'X';
  p[PG] = 'Y';
  ERR("private file", madvise(p, PG, MADV_DONTNEED));
  say("content %c%c%c", p[0], p[PG], p[2 * PG]);
  char *s = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  s[0] = 'S';
  ERR("shared file", madvise(s, 4 * PG, MADV_DONTNEED));
  say("content %c%c", s[0], s[PG]);
  ERR("WILLNEED", madvise(s, 4 * PG, MADV_WILLNEED));
  ERR("SEQUENTIAL", madvise(s, 4 * PG, MADV_SEQUENTIAL));
  ERR("NORMAL", madvise(s, 4 * PG, MADV_NORMAL));
  ERR("length 0", madvise(s, 0, MADV_DONTNEED));
  ERR("unaligned", madvise(s + 1, PG, MADV_DONTNEED));
  ERR("unknown advice", madvise(s, PG, 9999));
  MUST(munmap(a + 2 * PG, PG));
  a[3 * PG] = 'x';
  ERR("over a hole", madvise(a, 4 * PG, MADV_DONTNEED));
  NUM("behind the hole", a[3 * PG]);
  unlink("f");
  return 0;
}
