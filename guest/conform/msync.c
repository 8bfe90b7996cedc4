/* msync(2). */
#include "conform.h"
static char *shared(long pages) { return kmmap(NULL, (size_t)(pages * PG), RW, MAP_SHARED, disk("f", pages), 0); }

CASE("msync", "MS_SYNC", "a shared file") {
  char *p = shared(2), c;
  p[0] = 'S';
  RESULT("sync", kmsync(p, 2 * PG, MS_SYNC));
  int fd = open("f", O_RDONLY);
  MUST(read(fd, &c, 1));
  BYTE("file", &c);
}
CASE("msync", "MS_ASYNC", "a shared file") {
  char *p = shared(2);
  p[0] = 'S';
  RESULT("async", kmsync(p, 2 * PG, MS_ASYNC));
}
CASE("msync", "MS_INVALIDATE", "alone, and with the others") {
  char *p = shared(2);
  RESULT("alone", kmsync(p, 2 * PG, MS_INVALIDATE));
  RESULT("sync", kmsync(p, 2 * PG, MS_SYNC | MS_INVALIDATE));
  RESULT("async", kmsync(p, 2 * PG, MS_ASYNC | MS_INVALIDATE));
}
CASE("msync", "", "flags 0, private and anonymous memory") {
  char *p = area(2);
  RESULT("0", kmsync(p, PG, 0));
  RESULT("anonymous", kmsync(p, PG, MS_SYNC));
  RESULT("a length that is not whole pages", kmsync(p, PG + 1, MS_SYNC));
  RESULT("length 0", kmsync(p, 0, MS_SYNC));
  RESULT("length 0 in a hole", kmsync(hole(1), 0, MS_SYNC));
}
CASE("msync", "EBUSY", "MS_INVALIDATE of locked memory") {
  char *p = shared(2);
  kmlock(p, PG);
  RESULT("locked", kmsync(p, PG, MS_INVALIDATE));
  RESULT("locked, with MS_SYNC", kmsync(p, 2 * PG, MS_SYNC | MS_INVALIDATE));
  RESULT("the page behind", kmsync(p + PG, PG, MS_INVALIDATE));
  RESULT("MS_SYNC alone", kmsync(p, PG, MS_SYNC));
}
CASE("msync", "EINVAL", "flags and addresses") {
  char *p = area(2);
  RESULT("MS_SYNC | MS_ASYNC", kmsync(p, PG, MS_SYNC | MS_ASYNC));
  RESULT("8", kmsync(p, PG, 8));
  RESULT("-1", kmsync(p, PG, -1));
  RESULT("not aligned", kmsync(p + 1, PG, MS_SYNC));
  RESULT("not aligned, length 0", kmsync(p + 1, 0, MS_SYNC));
}
CASE("msync", "ENOMEM", "holes") {
  char *p = area(4);
  kmunmap(p + PG, PG);
  RESULT("in the middle, sync", kmsync(p, 4 * PG, MS_SYNC));
  RESULT("in the middle, async", kmsync(p, 4 * PG, MS_ASYNC));
  RESULT("at the start", kmsync(p + PG, 2 * PG, MS_SYNC));
  RESULT("at the end", kmsync(p, 2 * PG, MS_SYNC));
  RESULT("nothing there", kmsync(p + PG, PG, MS_ASYNC));
  RESULT("2^62", kmsync((void *)(1L << 62), PG, MS_SYNC));
  RESULT("length 2^64 - 1", kmsync(p, (size_t)-1, MS_SYNC));
  RESULT("wraps", kmsync((void *)-PG, 2 * PG, MS_SYNC));
}
