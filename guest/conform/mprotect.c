/* mprotect(2), pkey_alloc(2), pkey_free(2), pkey_mprotect(2). */
#include "conform.h"

CASE("mprotect", "PROT_READ", "the middle: three lines; back: one") {
  char *p = area(6);
  memset(p, 'a', 6 * PG);
  RESULT("to read", kmprotect(p + 2 * PG, 2 * PG, PROT_READ));
  MAPS("lines", p, 6);
  READS("inside", p + 2 * PG);
  WRITES("inside", p + 2 * PG);
  WRITES("before", p);
  RESULT("back", kmprotect(p + 2 * PG, 2 * PG, RW));
  MAPS("lines", p, 6);
}
CASE("mprotect", "PROT_NONE", "load, store and jump") {
  char *p = area(2);
  p[0] = 'a';
  RESULT("to none", kmprotect(p, PG, PROT_NONE));
  READS("", p);
  WRITES("", p);
  JUMPS("", p);
  RESULT("back", kmprotect(p, PG, RW));
  BYTE("content", p);
}
CASE("mprotect", "PROT_WRITE", "implies reading") {
  char *p = area(2);
  RESULT("to write", kmprotect(p, PG, PROT_WRITE));
  WRITES("", p);
  READS("", p);
  MAPS("lines", p, 2);
}
CASE("mprotect", "PROT_EXEC", "flags of the mapping") {
  char *p = area(2);
  RESULT("read and execute", kmprotect(p, PG, PROT_READ | PROT_EXEC));
  MAPS("lines", p, 2);
  WRITES("", p);
  RESULT("all", kmprotect(p, PG, RW | PROT_EXEC));
  WRITES("", p);
  MAPS("lines", p, 2);
}
CASE("mprotect", "PROT_SEM", "accepted, changes nothing") {
  char *p = area(2);
  RESULT("read, write, sem", kmprotect(p, PG, RW | PROT_SEM));
  RESULT("sem alone", kmprotect(p, PG, PROT_SEM));
  MAPS("lines", p, 2);
}
CASE("mprotect", "PROT_GROWSDOWN", "down to the start of a mapping that grows") {
  char *p = hole(600);
  char *top = p + 500 * PG;
  kmmap(top, 4 * PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  RESULT("the last page", kmprotect(top + 3 * PG, PG, PROT_READ | PROT_GROWSDOWN));
  MAPS("lines", top, 4);
  RESULT("the second", kmprotect(top + PG, PG, RW | PROT_GROWSDOWN));
  MAPS("lines", top, 4);
}
CASE("mprotect", "PROT_GROWSDOWN", "a mapping that does not grow: EINVAL") {
  char *p = area(4);
  RESULT("whole", kmprotect(p, 4 * PG, PROT_READ | PROT_GROWSDOWN));
  RESULT("part", kmprotect(p + PG, PG, PROT_READ | PROT_GROWSDOWN));
  MAPS("lines", p, 4);
}
CASE("mprotect", "PROT_GROWSDOWN", "the stack from a page of it") {
  volatile char here = 1;
  char *page = (char *)((unsigned long)&here & ~(PG - 1));
  RESULT("read and write", kmprotect(page, PG, RW | PROT_GROWSDOWN));
  RESULT("nothing there", kmprotect(hole(2), PG, RW | PROT_GROWSDOWN));
}
CASE("mprotect", "PROT_GROWSUP", "no mapping grows up: EINVAL") {
  char *p = area(4);
  RESULT("anonymous", kmprotect(p, PG, PROT_READ | PROT_GROWSUP));
  RESULT("both", kmprotect(p, PG, PROT_READ | PROT_GROWSUP | PROT_GROWSDOWN));
  RESULT("nothing there", kmprotect(hole(2), PG, RW | PROT_GROWSUP));
}
CASE("mprotect", "EINVAL", "address that is not a multiple of a page") {
  RESULT("1", kmprotect(area(2) + 1, PG, PROT_READ));
}
CASE("mprotect", "EINVAL", "unknown bits of prot") {
  char *p = area(2);
  for (long bit = 0x20; bit < 0x100000000; bit <<= 1)
    if (bit < 0x1000000 || bit > 0x2000000) RESULT("bit", kmprotect(p, PG, PROT_READ | bit));
  RESULT("with length 0", kmprotect(p, 0, 0x1000));
}
CASE("mprotect", "", "length 0: nothing happens") {
  char *p = area(2);
  RESULT("mapped", kmprotect(p, 0, PROT_NONE));
  RESULT("not mapped", kmprotect(hole(1), 0, PROT_NONE));
  MAPS("lines", p, 2);
}
CASE("mprotect", "ENOMEM", "a hole at the start, in the middle, at the end") {
  char *p = area(6);
  kmunmap(p + 2 * PG, PG);
  RESULT("start", kmprotect(p + 2 * PG, 2 * PG, PROT_READ));
  MAPS("lines", p, 6);
  RESULT("middle", kmprotect(p + PG, 3 * PG, PROT_READ));
  MAPS("lines", p, 6);
  char *q = area(2);
  kmunmap(q + PG, PG);
  RESULT("end", kmprotect(q, 2 * PG, PROT_READ));
  MAPS("lines", q, 2);
}
CASE("mprotect", "ENOMEM", "beyond the address space") {
  RESULT("2^62", kmprotect((void *)(1L << 62), PG, PROT_READ));
  RESULT("wraps", kmprotect((void *)-PG, 2 * PG, PROT_READ));
  RESULT("length 2^64 - 1", kmprotect(area(1), (size_t)-1, PROT_READ));
}
CASE("mprotect", "EACCES", "writing to what was opened for reading") {
  close(disk("f", 2));
  int fd = open("f", O_RDONLY);
  char *p = reserve(4);
  kmmap(p, 2 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  RESULT("shared", kmprotect(p, PG, RW));
  kmmap(p, 2 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  RESULT("private", kmprotect(p, PG, RW));
  WRITES("private", p);
  MAPS("lines", p, 2);
}
CASE("mprotect", "EACCES", "the mappings before the refused one are changed") {
  close(disk("f", 2));
  char *p = area(4);
  kmmap(p + 2 * PG, 2 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, open("f", O_RDONLY), 0);
  kmprotect(p, 2 * PG, PROT_READ);
  RESULT("over both", kmprotect(p, 4 * PG, RW));
  MAPS("lines", p, 4);
}
CASE("mprotect", "EACCES", "execution of a file from a noexec file system") {
  int fd = open("/proc/self/status", O_RDONLY);
  RESULT("map", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd, 0));
}
CASE("mprotect", "ENOMEM", "RLIMIT_DATA when private memory becomes writable") {
  char *p = kmmap(NULL, 64 * PG, PROT_READ, ANON, -1, 0);
  limit(RLIMIT_DATA, (rlim_t)(read_field("/proc/self/status", "VmData") + 64) * 1024);
  RESULT("17 pages", kmprotect(p, 17 * PG, RW));
  RESULT("16 pages", kmprotect(p, 16 * PG, RW));
  RESULT("1 more", kmprotect(p + 20 * PG, PG, RW));
}
CASE("mprotect", "", "private pages that were written keep their content and stay unshared") {
  int fd = disk("f", 1);
  char *p = kmmap(NULL, PG, RW, MAP_PRIVATE, fd, 0), c;
  p[0] = 'w';
  kmprotect(p, PG, PROT_READ);
  BYTE("read-only", p);
  kmprotect(p, PG, RW);
  p[1] = 'v';
  BYTE("first", p);
  BYTE("second", p + 1);
  MUST(pread(fd, &c, 1, 0));
  BYTE("file", &c);
}
CASE("mprotect", "", "the zero page: written after it was read") {
  char *p = area(2);
  READS("", p);
  kmprotect(p, PG, PROT_READ);
  kmprotect(p, PG, RW);
  p[0] = 'z';
  BYTE("first", p);
  BYTE("second", p + PG);
}
CASE("mprotect", "", "accounting: PROT_NONE and read-only memory") {
  char *p = reserve(8);
  kmmap(p, 2 * PG, PROT_READ, ANON | MAP_FIXED, -1, 0);
  FLAGS("read-only", p);
  kmprotect(p, 2 * PG, RW);
  FLAGS("made writable", p);
  kmprotect(p, 2 * PG, PROT_READ);
  FLAGS("read-only again", p);
  kmprotect(p, 2 * PG, RW);
  p[0] = 1;
  kmprotect(p, 2 * PG, PROT_NONE);
  FLAGS("none, after a store", p);
}
CASE("pkey_alloc", "ENOSPC", "no keys in the hardware") {
  COUNT("alloc", syscall(SYS_pkey_alloc, 0, 0));
  COUNT("no access", syscall(SYS_pkey_alloc, 0, 1));
  COUNT("no write", syscall(SYS_pkey_alloc, 0, 2));
}
CASE("pkey_alloc", "EINVAL", "flags and rights that do not exist") {
  COUNT("flags", syscall(SYS_pkey_alloc, 1, 0));
  COUNT("rights", syscall(SYS_pkey_alloc, 0, 0x80));
  COUNT("rights -1", syscall(SYS_pkey_alloc, 0, -1L));
}
CASE("pkey_free", "EINVAL", "keys that were not allocated") {
  COUNT("0", syscall(SYS_pkey_free, 0));
  COUNT("1", syscall(SYS_pkey_free, 1));
  COUNT("15", syscall(SYS_pkey_free, 15));
  COUNT("-1", syscall(SYS_pkey_free, -1L));
  COUNT("100", syscall(SYS_pkey_free, 100));
}
CASE("pkey_mprotect", "", "key -1 is mprotect") {
  char *p = area(4);
  RESULT("to read", kpkey_mprotect(p + PG, PG, PROT_READ, -1));
  MAPS("lines", p, 4);
  RESULT("unaligned", kpkey_mprotect(p + 1, PG, PROT_READ, -1));
  RESULT("a hole", kpkey_mprotect(hole(1), PG, PROT_READ, -1));
}
CASE("pkey_mprotect", "EINVAL", "keys that were not allocated") {
  char *p = area(4);
  RESULT("1", kpkey_mprotect(p, PG, PROT_READ, 1));
  RESULT("15", kpkey_mprotect(p, PG, PROT_READ, 15));
  RESULT("16", kpkey_mprotect(p, PG, PROT_READ, 16));
  RESULT("-2", kpkey_mprotect(p, PG, PROT_READ, -2));
  MAPS("lines", p, 4);
}
CASE("pkey_mprotect", "EINVAL", "key 0 is nobody's and always there") {
  char *p = area(2);
  RESULT("0", kpkey_mprotect(p, PG, PROT_READ, 0));
  MAPS("lines", p, 2);
}
