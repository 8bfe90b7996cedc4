/* Faults: signal, code and address of each kind of bad access; the tail of a file; stack growth and its guard gap. */
#include "conform.h"

CASE("fault", "SEGV_MAPERR", "load, store, jump where nothing is mapped") {
  char *p = hole(2);
  READS("load", p + 5);
  WRITES("store", p + 5);
  JUMPS("hole", p + 8);
}
CASE("fault", "SEGV_MAPERR", "address of the fault: the first byte that is missing") {
  char *p = area(2);
  kmunmap(p + PG, PG);
  MARK(p + PG);
  *(volatile long *)(p + PG + 8) = 1;
}
CASE("fault", "SEGV_MAPERR", "NULL") {
  MARK(0);
  *(volatile char *)hide(NULL) = 1;
}
CASE("fault", "SEGV_ACCERR", "store to read-only, load and store of PROT_NONE, jump to data") {
  char *p = area(3);
  kmprotect(p, PG, PROT_READ);
  kmprotect(p + PG, PG, PROT_NONE);
  WRITES("read-only", p);
  READS("none", p + PG);
  WRITES("none", p + PG);
  JUMPS("read-only", p);
  JUMPS("none", p + PG);
  JUMPS("read-write", p + 2 * PG);
}
CASE("fault", "SEGV_ACCERR", "a store to a shared mapping of a read-only descriptor") {
  close(disk("f", 1));
  char *p = kmmap(NULL, PG, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
  MARK(p);
  *(volatile char *)(p + 9) = 1;
}
CASE("fault", "SEGV_ACCERR", "a store to text") {
  char *p = (char *)((unsigned long)&conform_fatal & ~(PG - 1));
  WRITES("text", p);
}
CASE("fault", "BUS_ADRERR", "beyond the end of a file, shared") {
  char *p = kmmap(NULL, 4 * PG, RW, MAP_SHARED, disk("f", 1), 0);
  READS("first page", p);
  READS("second page", p + PG);
  WRITES("third page", p + 2 * PG);
  MARK(p);
  *(volatile char *)(p + PG + 3) = 1;
}
CASE("fault", "BUS_ADRERR", "beyond the end of a file, private") {
  char *p = kmmap(NULL, 4 * PG, RW, MAP_PRIVATE, disk("f", 1), 0);
  READS("second page", p + PG);
  WRITES("third page", p + 2 * PG);
}
CASE("fault", "BUS_ADRERR", "beyond the end of a memory file") {
  char *p = kmmap(NULL, 4 * PG, RW, MAP_SHARED, shm(1), 0);
  READS("second page", p + PG);
  WRITES("third page", p + 2 * PG);
}
CASE("fault", "BUS_ADRERR", "an empty file") {
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, disk("f", 0), 0);
  READS("first page", p);
}
CASE("fault", "BUS_ADRERR", "a jump beyond the end of a file") {
  char *p = kmmap(NULL, 2 * PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, disk("f", 1), 0);
  JUMPS("beyond the end", p + PG);
}
CASE("fault", "BUS_ADRERR", "rights come before the end of the file") {
  char *p = kmmap(NULL, 2 * PG, PROT_READ, MAP_PRIVATE, disk("f", 1), 0);
  WRITES("read-only, beyond the end", p + PG);
  READS("read-only, beyond the end", p + PG);
}
CASE("fault", "zero tail", "bytes behind the end of a file in its last page") {
  int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
  MUST(write(fd, "abc", 3));
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0), c = 'x';
  BYTE("last byte", p + 2);
  BYTE("behind it", p + 3);
  BYTE("end of the page", p + PG - 1);
  p[10] = 'T';
  BYTE("a store there is seen in memory", p + 10);
  COUNT("not in the file", pread(fd, &c, 1, 10));
  MUST(ftruncate(fd, 20));
  COUNT("grown: read", pread(fd, &c, 1, 15));
  BYTE("grown: what was not written", p + 15);
}
CASE("fault", "truncate", "under a shared mapping: SIGBUS, content comes back as zero") {
  int fd = disk("f", 3);
  char *p = kmmap(NULL, 3 * PG, RW, MAP_SHARED, fd, 0);
  BYTE("third", p + 2 * PG);
  MUST(ftruncate(fd, PG));
  READS("first", p);
  READS("second", p + PG);
  WRITES("third", p + 2 * PG);
  MUST(ftruncate(fd, 3 * PG));
  BYTE("grown: third", p + 2 * PG);
}
CASE("fault", "truncate", "under a private mapping: written pages go too") {
  int fd = disk("f", 3);
  char *p = kmmap(NULL, 3 * PG, RW, MAP_PRIVATE, fd, 0);
  p[PG] = 'X';
  p[0] = 'Y';
  MUST(ftruncate(fd, PG));
  BYTE("first", p);
  READS("second", p + PG);
  MUST(ftruncate(fd, 3 * PG));
  BYTE("grown: second", p + PG);
}
CASE("fault", "truncate", "in the middle of a page: the tail is zero") {
  int fd = disk("f", 2);
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED, fd, 0);
  p[100] = 'X';
  MUST(ftruncate(fd, 50));
  BYTE("kept", p + 49);
  BYTE("cut", p + 50);
  BYTE("cut, was written", p + 100);
  READS("second page", p + PG);
}
CASE("fault", "truncate", "in the middle of a page: a private copy keeps its tail") {
  int fd = disk("f", 1);
  char *p = kmmap(NULL, PG, RW, MAP_PRIVATE, fd, 0);
  p[100] = 'X';
  MUST(ftruncate(fd, 50));
  BYTE("kept", p + 49);
  BYTE("tail", p + 60);
  BYTE("tail, was written", p + 100);
}
CASE("fault", "truncate", "O_TRUNC under a mapping") {
  int fd = disk("f", 1);
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0);
  BYTE("before", p);
  MUST(open("f", O_RDWR | O_TRUNC));
  READS("after", p);
}
CASE("fault", "BUS_ADRERR", "the kernel's own access beyond the end: EFAULT") {
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED, disk("f", 1), 0);
  int ends[2];
  MUST(pipe(ends));
  MUST(write(ends[1], "abcde", 5));
  COUNT("write from there", write(ends[1], p + PG, 10));
  COUNT("write over the end", write(ends[1], p + PG - 5, 10));
  COUNT("read to there", read(ends[0], p + PG, 5));
}
CASE("fault", "SEGV_MAPERR", "growth of a stack stops at the guard gap of 256 pages") {
  char *p = hole(600), *top = p + 500 * PG;
  kmmap(p, PG, RW, ANON | MAP_FIXED, -1, 0);
  kmmap(top, PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  WRITES("down to 257 pages above the mapping", p + 258 * PG);
  WRITES("257 pages", p + 257 * PG);
  WRITES("256 pages", p + 256 * PG);
  WRITES("255 pages", p + 255 * PG);
  MAPS("lines", p, 501);
}
CASE("fault", "SEGV_MAPERR", "a PROT_NONE neighbour needs no gap; another stack neither") {
  char *p = hole(600), *top = p + 500 * PG;
  kmmap(p, 400 * PG, PROT_NONE, ANON | MAP_FIXED, -1, 0);
  kmmap(top, PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  WRITES("100 pages below", p + 401 * PG);
  WRITES("beside it", p + 400 * PG);
  MAPS("lines", p, 501);
}
CASE("fault", "SEGV_MAPERR", "mmap keeps the gap below a stack, MAP_FIXED does not") {
  char *p = hole(600), *top = p + 500 * PG;
  kmmap(top, PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  char *q = kmmap(top - 100 * PG, PG, RW, ANON, -1, 0);
  YES("a hint in the gap is not followed", q != top - 100 * PG);
  PLACE("300 pages below", kmmap(top - 300 * PG, PG, RW, ANON, -1, 0), p);
  PLACE("MAP_FIXED in the gap", kmmap(top - 10 * PG, PG, RW, ANON | MAP_FIXED, -1, 0), p);
  WRITES("growth towards it", top - 1);
}
CASE("fault", "SEGV_MAPERR", "RLIMIT_STACK bounds the growth of any mapping that grows") {
  limit(RLIMIT_STACK, 64 * PG);
  char *p = hole(600), *top = p + 500 * PG;
  kmmap(top, PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  WRITES("63 pages below", top - 63 * PG);
  WRITES("64 pages below", top - 64 * PG);
  MAPS("lines", top - 65 * PG, 66);
}
CASE("fault", "SEGV_MAPERR", "RLIMIT_AS bounds the growth of a stack") {
  char *p = hole(600), *top = p + 500 * PG;
  kmmap(top, PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  READS("", top);
  limit(RLIMIT_AS, (rlim_t)(read_field("/proc/self/status", "VmSize") + 16) * 1024);
  WRITES("4 pages below", top - 4 * PG);
  WRITES("5 pages below", top - 5 * PG);
}
static int deeper(volatile char *above) {
  volatile char here[16 * PG];
  here[0] = above[0];
  return deeper(here) + here[1];
}
CASE("fault", "SEGV_MAPERR", "recursion without end") {
  limit(RLIMIT_STACK, 1 << 20);
  volatile char first = 1;
  NUM("depth", deeper(&first));
}
CASE("fault", "SIGSEGV", "a bad stack pointer when a signal comes: killed") {
  struct sigaction action = {0};
  action.sa_handler = SIG_DFL;
  sigaction(SIGSEGV, &action, NULL);
  *(volatile char *)hole(1) = 1;
}
CASE("fault", "SIGSEGV", "a handler that returns: the access is tried again") {
  static char *volatile page;
  page = area(1);
  kmprotect(page, PG, PROT_READ);
  struct sigaction action = {0};
  extern void conform_mend(int);
  action.sa_handler = conform_mend;
  sigaction(SIGSEGV, &action, NULL);
  conform_mark = page;
  page[0] = 'm';
  BYTE("content", page);
}
void conform_mend(int sig) { (void)sig; kmprotect(conform_mark, PG, RW); say("mended"); }
CASE("fault", "SIGSEGV", "blocked: killed all the same") {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGSEGV);
  sigprocmask(SIG_BLOCK, &set, NULL);
  *(volatile char *)hole(1) = 1;
}
CASE("fault", "SIGSEGV", "ignored: killed all the same") {
  signal(SIGSEGV, SIG_IGN);
  *(volatile char *)hole(1) = 1;
}
