/* A MAP_GROWSDOWN map grows by a touch just below it, up to the guard gap above the next map (expand_downwards). */
#include "check.h"
int main(void) {
  char *r = reserve(1024);
  MUST(munmap(r, 1024 * PG));
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN;
  char *s = r + 1000 * PG;
  YES("mapped", mmap(s, 4 * PG, PROT_READ | PROT_WRITE, flags, -1, 0) == s);
  WRITES("one page below", s - PG);
  WRITES("many pages below", s - 200 * PG);
  show_maps("grown", r, 1024);
  READS("below it", s - 300 * PG);
  show_maps("grown by a read", r, 1024);
  char *other = r + 400 * PG;
  mmap(other, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  WRITES("above the guard gap", other + 257 * PG);
  WRITES("in the guard gap", other + 255 * PG + 4095);
  show_maps("kept apart", r, 1024);
  return 0;
}
