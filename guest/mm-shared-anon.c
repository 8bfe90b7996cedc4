/* MAP_SHARED|MAP_ANONYMOUS memory is one object for parent and children (mmap(2); shmem_zero_setup). */
#include "check.h"
int main(void) {
  int *p = (int *)map_anon(4, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[0] = 1;
  IN_CHILD("child", p[0]++; p[3 * PG / 4] = 77);
  NUM("written by the child", p[0]);
  NUM("first touched by the child", p[3 * PG / 4]);
  char *q = (char *)p;
  ERR("DONTNEED", madvise(q, 4 * PG, MADV_DONTNEED));
  NUM("shared memory survives DONTNEED", p[0]);
  char *r = map_anon(2, PROT_READ | PROT_WRITE, MAP_SHARED);
  show_maps("names", r, 2);
  return 0;
}
