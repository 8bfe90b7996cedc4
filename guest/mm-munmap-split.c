/* munmap cuts maps at both ends and in the middle, over holes, and gives the pages back (munmap(2); __split_vma). */
#include "check.h"
int main(void) {
  char *r = reserve(20);
  MUST(mprotect(r, 20 * PG, PROT_READ | PROT_WRITE));
  memset(r, 'x', 20 * PG);
  ERR("middle", munmap(r + 8 * PG, 4 * PG));
  ERR("front", munmap(r, 2 * PG));
  ERR("back", munmap(r + 18 * PG, 2 * PG));
  show_maps("left", r, 20);
  READS("hole", r + 9 * PG);
  READS("kept", r + 7 * PG);
  ERR("hole again", munmap(r + 8 * PG, 4 * PG));
  ERR("over maps and holes", munmap(r + 4 * PG, 12 * PG));
  show_maps("left", r, 20);
  ERR("length 0", munmap(r, 0));
  ERR("unaligned address", munmap(r + 1, PG));
  ERR("length 1 is a page", munmap(r + 2 * PG, 1));
  show_maps("left", r, 20);
  ERR("wrap-around", munmap(r, (size_t)-PG));
  mmap(r + 4 * PG, PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  NUM("mapped again reads zero", r[4 * PG]);
  return 0;
}
