/* mmap(2): every flag and errno of the man page. */
#include "conform.h"

CASE("mmap", "MAP_FIXED_NOREPLACE", "over an existing mapping") {
  char *p = area(4);
  RESULT("map there", kmmap(p + PG, PG, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  MAPS("after", p, 4);
}
CASE("mmap", "MAP_FIXED_NOREPLACE", "where nothing is") {
  char *p = hole(4);
  PLACE("map there", kmmap(p, 2 * PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), p);
  MAPS("after", p, 4);
}
CASE("mmap", "PROT_NONE", "a store is SEGV_ACCERR") {
  char *p = area(2);
  kmmap(p, PG, PROT_NONE, ANON | MAP_FIXED, -1, 0);
  MARK(p);
  *(volatile char *)p = 1;
}
