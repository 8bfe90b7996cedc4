/* mincore(2). */
#include "conform.h"
static void show(const char *what, char *p, long pages) {
  unsigned char vec[64];
  char text[65] = {0};
  if (kmincore(p, (size_t)(pages * PG), vec) == -1) { say("%s: %s", what, err_name(errno)); return; }
  for (long i = 0; i < pages; i++) text[i] = vec[i] == 0 ? '.' : vec[i] == 1 ? '1' : '?';
  say("%s: %s", what, text);
}

CASE("mincore", "", "anonymous: pages that were touched") {
  char *p = area(6);
  p[PG] = 1;
  (void)*(volatile char *)(p + 3 * PG);
  show("one written, one read", p, 6);
  kmadvise(p, 6 * PG, MADV_DONTNEED);
  show("after MADV_DONTNEED", p, 6);
}
CASE("mincore", "", "a file: what the page cache has") {
  char *p = kmmap(NULL, 4 * PG, PROT_READ, MAP_SHARED, disk("f", 3), 0);
  show("not touched by us", p, 3);
  show("beyond the end", p, 4);
}
CASE("mincore", "", "shared anonymous: pages that a child wrote") {
  char *p = kmmap(NULL, 3 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  IN_CHILD("child", p[PG] = 1);
  show("in the parent", p, 3);
}
CASE("mincore", "", "several mappings") {
  char *p = area(4);
  kmprotect(p + 2 * PG, PG, PROT_NONE);
  p[3 * PG] = 1;
  show("lines", p, 4);
}
CASE("mincore", "", "locked and PROT_NONE memory") {
  char *p = area(4);
  kmlock(p, 2 * PG);
  kmprotect(p + 2 * PG, 2 * PG, PROT_NONE);
  show("pages", p, 4);
}
CASE("mincore", "", "length 0, and a length that is not whole pages") {
  char *p = area(2);
  unsigned char vec[2] = {7, 7};
  RESULT("0", kmincore(p, 0, vec));
  RESULT("0 with a bad vector", kmincore(p, 0, NULL));
  RESULT("1 byte", kmincore(p, 1, vec));
  NUM("first", vec[0]);
  NUM("second, untouched", vec[1]);
}
CASE("mincore", "EFAULT", "a vector that cannot be written") {
  char *p = area(2), *bad = area(2);
  kmprotect(bad, PG, PROT_READ);
  RESULT("NULL", kmincore(p, PG, NULL));
  RESULT("read-only", kmincore(p, PG, bad));
  RESULT("hole", kmincore(p, PG, hole(1)));
  RESULT("beyond the address space", kmincore(p, PG, (void *)(1L << 62)));
}
CASE("mincore", "EINVAL", "address that is not a multiple of a page") {
  unsigned char vec[2];
  RESULT("1", kmincore(area(1) + 1, PG, vec));
}
CASE("mincore", "ENOMEM", "a hole, and beyond the address space") {
  char *p = area(4);
  unsigned char vec[8];
  kmunmap(p + 2 * PG, PG);
  RESULT("hole at the end", kmincore(p, 3 * PG, vec));
  RESULT("hole first", kmincore(p + 2 * PG, 2 * PG, vec));
  RESULT("2^62", kmincore((void *)(1L << 62), PG, vec));
  RESULT("length 2^64 - 1", kmincore(p, (size_t)-1, vec));
  RESULT("length 2^63", kmincore(p, (size_t)1 << 63, vec));
}
