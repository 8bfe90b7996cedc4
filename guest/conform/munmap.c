/* munmap(2). */
#include "conform.h"

CASE("munmap", "", "the middle of a mapping: two lines are left") {
  char *p = area(6);
  RESULT("unmap", kmunmap(p + 2 * PG, 2 * PG));
  MAPS("lines", p, 6);
}
CASE("munmap", "", "over several mappings and the holes between them") {
  char *p = area(8);
  kmunmap(p + 2 * PG, PG);
  kmprotect(p + 4 * PG, PG, PROT_READ);
  RESULT("unmap", kmunmap(p + PG, 6 * PG));
  MAPS("lines", p, 8);
}
CASE("munmap", "", "where nothing is mapped") {
  char *p = hole(4);
  RESULT("unmap", kmunmap(p, 4 * PG));
}
CASE("munmap", "", "a length that is not whole pages is rounded up") {
  char *p = area(4);
  RESULT("unmap", kmunmap(p, PG + 1));
  MAPS("lines", p, 4);
}
CASE("munmap", "", "a file: the offset of what is left behind") {
  int fd = disk("f", 6);
  char *p = reserve(6);
  kmmap(p, 6 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  RESULT("unmap", kmunmap(p + PG, 2 * PG));
  MAPS("lines", p, 6);
  BYTE("behind it", p + 3 * PG);
}
CASE("munmap", "EINVAL", "address that is not a multiple of a page") {
  char *p = area(2);
  RESULT("1", kmunmap(p + 1, PG));
  RESULT("2048", kmunmap(p + 2048, 2048));
}
CASE("munmap", "EINVAL", "length 0") {
  RESULT("mapped", kmunmap(area(1), 0));
  RESULT("at 0", kmunmap(NULL, 0));
}
CASE("munmap", "EINVAL", "beyond the address space") {
  RESULT("2^62", kmunmap((void *)(1L << 62), PG));
  RESULT("the last page", kmunmap((void *)-PG, PG));
  RESULT("length 2^64 - 1", kmunmap(area(1), (size_t)-1));
  RESULT("length 2^63", kmunmap(area(1), (size_t)1 << 63));
  RESULT("from 0, 2^62", kmunmap(NULL, (size_t)1 << 62));
}
CASE("munmap", "SEGV_MAPERR", "a load after it") {
  char *p = area(2);
  p[0] = 1;
  kmunmap(p, PG);
  MARK(p);
  (void)*(volatile char *)(p + 16);
}
CASE("munmap", "SEGV_MAPERR", "a store after it") {
  char *p = area(2);
  p[0] = 1;
  kmunmap(p, PG);
  MARK(p);
  *(volatile char *)(p + 16) = 1;
}
CASE("munmap", "SEGV_MAPERR", "a jump after it") {
  char *p = area(2);
  kmprotect(p, PG, PROT_READ | PROT_EXEC);
  kmunmap(p, PG);
  MARK(p);
  ((void (*)(void))hide(p))();
}
CASE("munmap", "", "locked pages are no longer counted") {
  char *p = area(4);
  kmlock(p, 4 * PG);
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
  kmunmap(p + PG, 2 * PG);
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
}
CASE("munmap", "", "shared memory lives as long as one mapping of it") {
  char *p = kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *q = kmremap(p, 0, PG, MREMAP_MAYMOVE, NULL);
  p[0] = 's';
  kmunmap(p, PG);
  BYTE("the other", q);
}
CASE("munmap", "", "memory mapped there again is zero") {
  char *p = area(1);
  p[0] = 'o';
  kmunmap(p, PG);
  kmmap(p, PG, RW, ANON | MAP_FIXED, -1, 0);
  BYTE("content", p);
}
