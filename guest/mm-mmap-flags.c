/* POPULATE takes its faults in the call, NORESERVE and STACK change nothing that a program sees (mmap(2)). */
#include "check.h"
int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  char *p = map_anon(32, rw, MAP_PRIVATE | MAP_POPULATE);
  minflt();
  long before = minflt();
  for (int i = 0; i < 32; i++) p[i * PG] = 1;
  NUM("faults after POPULATE", minflt() - before);
  char *q = map_anon(1 << 18, rw, MAP_PRIVATE | MAP_NORESERVE);
  q[(1L << 30) - 1] = 3;
  NUM("last byte of a GiB", q[(1L << 30) - 1]);
  ERR("unmap it", munmap(q, 1L << 30));
  char *s = map_anon(4, rw, MAP_PRIVATE | MAP_STACK);
  s[0] = 1;
  NUM("STACK", s[0]);
  char *none = map_anon(1L << 24, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
  READS("a 64 GiB PROT_NONE map", none + (1L << 35));
  ERR("unmap it", munmap(none, (size_t)PG << 24));
  return 0;
}
