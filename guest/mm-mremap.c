/* mremap grows in place, shrinks, moves with its content, and to a fixed place (mremap(2)). */
#include "check.h"
int main(void) {
  char *r = reserve(40);
  MUST(munmap(r, 40 * PG));
  int rw = PROT_READ | PROT_WRITE, an = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  mmap(r, 4 * PG, rw, an, -1, 0);
  for (int i = 0; i < 4; i++) r[i * PG] = (char)('a' + i);
  YES("grow in place", mremap(r, 4 * PG, 8 * PG, 0) == r);
  say("content %c%c zero %d", r[0], r[3 * PG], r[7 * PG]);
  YES("shrink", mremap(r, 8 * PG, 3 * PG, 0) == r);
  READS("cut off", r + 3 * PG);
  mmap(r + 4 * PG, PG, PROT_READ, an, -1, 0);
  ERR("no room, not MAYMOVE", mremap(r, 3 * PG, 8 * PG, 0));
  minflt();
  long before = minflt();
  char *m = mremap(r, 3 * PG, 8 * PG, MREMAP_MAYMOVE);
  YES("moved", m != MAP_FAILED && m != r);
  volatile char keep = m[0] + m[PG] + m[2 * PG];
  NUM("faults of reading moved pages", minflt() - before);
  say("content %c%c%c %d", m[0], m[PG], m[2 * PG], keep == (char)('a' + 'b' + 'c'));
  READS("old place", r);
  char *t = r + 20 * PG;
  mmap(t, PG, PROT_READ, an, -1, 0);
  YES("FIXED replaces", mremap(m, 8 * PG, 6 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, t) == t);
  say("content %c%c%c", t[0], t[PG], t[2 * PG]);
  show_maps("region", r, 40);
  YES("move the middle", mremap(t + PG, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, r + 30 * PG) == r + 30 * PG);
  say("content %c", r[30 * PG]);
  show_maps("split", r, 40);
  YES("DONTUNMAP", mremap(t, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, r + 35 * PG) == r + 35 * PG);
  say("content %c, old place %d", r[35 * PG], t[0]);
  ERR("unaligned", mremap(t + 1, PG, 2 * PG, MREMAP_MAYMOVE));
  ERR("new size 0", mremap(t, PG, 0, MREMAP_MAYMOVE));
  ERR("unmapped", mremap(r + 10 * PG, PG, 2 * PG, MREMAP_MAYMOVE));
  ERR("across maps", mremap(t, 3 * PG, 4 * PG, MREMAP_MAYMOVE));
  ERR("FIXED without MAYMOVE", mremap(t, PG, PG, MREMAP_FIXED, r));
  ERR("overlap", mremap(t + 2 * PG, 3 * PG, 3 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, t + 3 * PG));
  ERR("unknown flag", mremap(t, PG, PG, 64));
  return 0;
}
