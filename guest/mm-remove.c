/* MADV_REMOVE frees pages of a shared memory object for all who map it; private copies stay (madvise(2), madvise_remove). */
#include "check.h"
int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  char *s = map_anon(4, rw, MAP_SHARED);
  memset(s, 's', 4 * PG);
  ERR("shared anonymous", madvise(s + PG, 2 * PG, MADV_REMOVE));
  say("content %d %d %d %d", s[0], s[PG], s[2 * PG], s[3 * PG]);
  s[PG] = 't';
  NUM("written again", s[PG]);
  int fd = memfd_create("m", 0);
  MUST(ftruncate(fd, 4 * PG));
  char *a = mmap(NULL, 4 * PG, rw, MAP_SHARED, fd, 0), *b = mmap(NULL, 2 * PG, PROT_READ, MAP_SHARED, fd, PG);
  char *p = mmap(NULL, 4 * PG, rw, MAP_PRIVATE, fd, 0);
  memset(a, 'm', 4 * PG);
  p[PG] = 'p';
  say("before %c%c%c", a[PG], b[0], p[2 * PG]);
  struct stat st;
  MUST(fstat(fd, &st));
  NUM("blocks", st.st_blocks);
  ERR("memfd", madvise(a + PG, 2 * PG, MADV_REMOVE));
  say("after %d %d %d %d", a[PG], b[0], p[2 * PG], a[3 * PG]);
  NUM("private copy", p[PG]);
  MUST(fstat(fd, &st));
  NUM("size", st.st_size / PG);
  YES("read through a hole makes no page", st.st_blocks <= 4 * 8);
  ERR("private map", madvise(p, PG, MADV_REMOVE));
  ERR("private anonymous", madvise(map_anon(1, rw, MAP_PRIVATE), PG, MADV_REMOVE));
  ERR("read-only view of a writable file", madvise(b, PG, MADV_REMOVE));
  MUST(mlock(s, PG));
  ERR("locked", madvise(s, PG, MADV_REMOVE));
  return 0;
}
