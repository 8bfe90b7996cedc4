/* mincore tells which pages are in memory (mincore(2)). */
#include "check.h"
int main(void) {
  unsigned char v[8] = {0};
  char *p = map_anon(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  p[0] = p[3 * PG] = p[7 * PG] = 1;
  ERR("call", mincore(p, 8 * PG, v));
  say("resident %d%d%d%d%d%d%d%d", v[0] & 1, v[1] & 1, v[2] & 1, v[3] & 1, v[4] & 1, v[5] & 1, v[6] & 1, v[7] & 1);
  ERR("DONTNEED", madvise(p, 4 * PG, MADV_DONTNEED));
  MUST(mincore(p, 8 * PG, v));
  say("resident %d%d%d%d%d%d%d%d", v[0] & 1, v[1] & 1, v[2] & 1, v[3] & 1, v[4] & 1, v[5] & 1, v[6] & 1, v[7] & 1);
  ERR("unaligned", mincore(p + 1, PG, v));
  ERR("bad vector", mincore(p, PG, (unsigned char *)hide((void *)8)));
  MUST(munmap(p + 2 * PG, PG));
  ERR("hole", mincore(p, 8 * PG, v));
  ERR("length 0", mincore(p, 0, v));
  /* A mapping after the other: what lies before the hole is told, nothing behind it. */
  memset(v, 9, sizeof v);
  p[0] = 1;
  ERR("hole", mincore(p, 8 * PG, v));
  say("vector %d%d%d%d%d%d%d%d", v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]);
  /* The end of a vector that cannot be written is found out where the walk comes to it. */
  char *two = map_anon(2, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  MUST(munmap(two + PG, PG));
  MUST(mprotect(p + PG, PG, PROT_READ));
  two[PG - 1] = 9;
  ERR("short vector", mincore(p, 2 * PG, (unsigned char *)two + PG - 1));
  say("vector %d", two[PG - 1]);
  ERR("bad vector of no memory", mincore(p + 2 * PG, PG, (unsigned char *)hide((void *)8)));
  ERR("vector beyond all addresses", mincore(p + 2 * PG, PG, (unsigned char *)hide((void *)-1L)));
  ERR("beyond all addresses", mincore((void *)(-2L * PG), PG, (unsigned char *)hide((void *)-1L)));
  return 0;
}
