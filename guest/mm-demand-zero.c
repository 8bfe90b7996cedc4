/* Anonymous memory is made on first touch, one fault a page, and reads as zero (mmap(2) MAP_ANONYMOUS; do_anonymous_page). */
#include "check.h"
int main(void) {
  char *p = map_anon(64, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  minflt();
  long before = minflt();
  NUM("faults of no touch", minflt() - before);
  before = minflt();
  for (int i = 0; i < 64; i++) p[i * PG] = 1;
  NUM("faults of writing 64 pages", minflt() - before);
  before = minflt();
  for (int i = 0; i < 64; i++) p[i * PG + 7] = 2;
  NUM("faults of writing them again", minflt() - before);
  int zero = 1;
  for (int i = 0; i < 64; i++) zero &= p[i * PG + 100] == 0 && p[i * PG + 4095] == 0;
  YES("rest of each page is zero", zero);
  return 0;
}
