/* brk(2), as the system call: what it returns is the break. */
#include "conform.h"

CASE("brk", "", "grow, write, shrink, grow: zeroed again") {
  char *old = kbrk(NULL);
  PLACE("grow by 3 pages", kbrk(old + 3 * PG), old);
  old[2 * PG] = 'b';
  BYTE("content", old + 2 * PG);
  PLACE("back", kbrk(old), old);
  PLACE("again", kbrk(old + 3 * PG), old);
  BYTE("content", old + 2 * PG);
}
CASE("brk", "", "the break need not be at a page") {
  char *old = kbrk(NULL);
  PLACE("100 bytes", kbrk(old + 100), old);
  PLACE("where it is", kbrk(NULL), old);
  PLACE("5 pages and 1", kbrk(old + 5 * PG + 1), old);
}
CASE("brk", "", "below its start: the break stays") {
  char *old = kbrk(NULL);
  PLACE("address 1", kbrk((void *)1), old);
  PLACE("below", kbrk(old - 100 * PG), old);
}
CASE("brk", "ENOMEM", "beyond the address space") {
  char *old = kbrk(NULL);
  PLACE("2^62", kbrk((void *)(1L << 62)), old);
  PLACE("2^64 - 1", kbrk((void *)-1L), old);
  PLACE("2^63", kbrk((void *)(1UL << 63)), old);
}
CASE("brk", "ENOMEM", "a mapping in the way") {
  char *old = kbrk(NULL);
  char *next = (char *)(((unsigned long)old + PG - 1) & ~(PG - 1));
  PLACE("map", kmmap(next + 4 * PG, PG, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0), next);
  PLACE("up to a page below it", kbrk(next + 3 * PG), next);
  PLACE("up to it", kbrk(next + 4 * PG), next);
  PLACE("into it", kbrk(next + 4 * PG + 1), next);
}
CASE("brk", "ENOMEM", "the guard gap of a stack above") {
  char *old = kbrk(NULL);
  char *next = (char *)(((unsigned long)old + PG - 1) & ~(PG - 1));
  RESULT("stack", kmmap(next + 400 * PG, PG, RW, ANON | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1, 0));
  PLACE("257 pages below", kbrk(next + 143 * PG), next);
  PLACE("256 pages below", kbrk(next + 144 * PG), next);
  PLACE("200 pages below", kbrk(next + 200 * PG), next);
}
CASE("brk", "ENOMEM", "RLIMIT_DATA") {
  char *old = kbrk(NULL);
  limit(RLIMIT_DATA, (rlim_t)(read_field("/proc/self/status", "VmData") + 64) * 1024);
  PLACE("100 pages", kbrk(old + 100 * PG), old);
  PLACE("10 pages", kbrk(old + 10 * PG), old);
}
CASE("brk", "ENOMEM", "RLIMIT_AS") {
  char *old = kbrk(NULL);
  limit(RLIMIT_AS, (rlim_t)(read_field("/proc/self/status", "VmSize") + 64) * 1024);
  PLACE("17 pages", kbrk(old + 17 * PG), old);
  PLACE("16 pages", kbrk(old + 16 * PG), old);
}
CASE("brk", "", "mlockall(MCL_FUTURE): resident and locked") {
  char *old = kbrk(NULL);
  kmlockall(MCL_FUTURE);
  long before = read_field("/proc/self/status", "VmLck");
  PLACE("4 pages", kbrk(old + 4 * PG), old);
  NUM("locked kB", read_field("/proc/self/status", "VmLck") - before);
}
CASE("brk", "", "lines: [heap] and its rights") {
  char *old = kbrk(NULL);
  char *next = (char *)(((unsigned long)old + PG - 1) & ~(PG - 1));
  kbrk(next + 4 * PG);
  kmprotect(next + PG, PG, PROT_READ);
  kmunmap(next + 2 * PG, PG);
  MAPS("lines", next, 6);
  PLACE("shrink over the hole", kbrk(next), next);
  MAPS("lines", next, 6);
}
CASE("brk", "", "a child's break is its own") {
  char *old = kbrk(NULL);
  IN_CHILD("child", kbrk(old + 10 * PG));
  PLACE("parent", kbrk(NULL), old);
}
