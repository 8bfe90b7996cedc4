/* MAP_FIXED replaces, MAP_FIXED_NOREPLACE refuses, a hint is only a hint (mmap(2)). */
#include "check.h"
int main(void) {
  char *r = reserve(16);
  int rw = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
  YES("FIXED gives the address", mmap(r + 4 * PG, 4 * PG, rw, flags | MAP_FIXED, -1, 0) == r + 4 * PG);
  r[4 * PG] = 5;
  show_maps("after FIXED", r, 16);
  ERR("NOREPLACE over it", mmap(r + 7 * PG, 2 * PG, rw, flags | MAP_FIXED_NOREPLACE, -1, 0));
  NUM("content stays", r[4 * PG]);
  MUST(munmap(r + 10 * PG, 2 * PG));
  YES("NOREPLACE into a hole", mmap(r + 10 * PG, 2 * PG, rw, flags | MAP_FIXED_NOREPLACE, -1, 0) == r + 10 * PG);
  show_maps("after NOREPLACE", r, 16);
  mmap(r + 4 * PG, PG, rw, flags | MAP_FIXED, -1, 0);
  NUM("FIXED again gives a new zero page", r[4 * PG]);
  show_maps("and merges", r, 16);
  char *h = mmap(r + 4 * PG, PG, rw, flags, -1, 0);
  YES("hint that is taken goes elsewhere", h != MAP_FAILED && (h < r || h >= r + 16 * PG));
  MUST(munmap(r + 13 * PG, PG));
  YES("hint that is free is taken", mmap(r + 13 * PG, PG, rw, flags, -1, 0) == r + 13 * PG);
  ERR("FIXED unaligned", mmap(r + 1, PG, rw, flags | MAP_FIXED, -1, 0));
  return 0;
}
