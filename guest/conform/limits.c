/* Limits of memory: setrlimit(2), personality(2), and what they do to mappings and to a program that is executed. */
#include "conform.h"
#include <sys/personality.h>
#ifndef ADDR_COMPAT_LAYOUT
#define ADDR_COMPAT_LAYOUT 0x0200000
#define READ_IMPLIES_EXEC 0x0400000
#define ADDR_NO_RANDOMIZE 0x0040000
#endif
extern char **environ;
/* Runs this program again with one case of it; its output goes to a pipe, whose end is given back. */
static void again(const char *text) { execl("/proc/self/exe", "again", text, (char *)NULL); say("exec: %s", err_name(errno)); _exit(97); }

CASE("setrlimit", "RLIMIT_AS", "an address space already larger: what is there stays") {
  char *p = area(8);
  limit(RLIMIT_AS, PG);
  p[0] = 1;
  RESULT("map", kmmap(NULL, PG, RW, ANON, -1, 0));
  RESULT("map over", kmmap(p, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("unmap", kmunmap(p, PG));
  RESULT("split by mprotect", kmprotect(p + 3 * PG, PG, PROT_READ));
}
CASE("setrlimit", "RLIMIT_DATA", "0: no private writable memory, but for what is there") {
  char *p = area(2), *old = kbrk(NULL);
  limit(RLIMIT_DATA, 0);
  RESULT("private", kmmap(NULL, PG, RW, ANON, -1, 0));
  RESULT("shared", kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  RESULT("stack", kmmap(NULL, PG, RW, ANON | MAP_GROWSDOWN, -1, 0));
  RESULT("over what is there", kmmap(p, PG, RW, ANON | MAP_FIXED, -1, 0));
  PLACE("brk", kbrk(old + PG), old);
}
CASE("setrlimit", "RLIMIT_MEMLOCK", "binds only without CAP_IPC_LOCK") {
  limit(RLIMIT_MEMLOCK, 2 * PG);
  char *p = area(4);
  RESULT("as root", kmlock(p, 4 * PG));
  kmunlock(p, 4 * PG);
  drop_root();
  RESULT("as nobody", kmlock(p, 4 * PG));
  RESULT("2 pages", kmlock(p, 2 * PG));
}
CASE("setrlimit", "RLIMIT_STACK", "stack mapping of the program follows it at once") {
  limit(RLIMIT_STACK, 256 * 1024);
  volatile char *here = (volatile char *)__builtin_frame_address(0);
  READS("200 KiB below", here - 200 * 1024);
  READS("300 KiB below", here - 300 * 1024);
}
CASE("setrlimit", "EINVAL", "soft above hard, unknown resource") {
  struct rlimit wrong = {2, 1}, right = {1, 2};
  RESULT("soft above hard", syscall(SYS_prlimit64, 0, RLIMIT_AS, &wrong, 0));
  RESULT("resource 16", syscall(SYS_prlimit64, 0, 16, &right, 0));
}
CASE("setrlimit", "EPERM", "raising the hard limit without CAP_SYS_RESOURCE") {
  struct rlimit low = {PG * 1000, PG * 1000}, high = {PG * 1000, PG * 2000};
  RESULT("lower", setrlimit(RLIMIT_MEMLOCK, &low));
  drop_root();
  RESULT("raise", setrlimit(RLIMIT_MEMLOCK, &high));
}
CASE("personality", "READ_IMPLIES_EXEC", "mmap and mprotect of readable memory") {
  COUNT("set", personality(READ_IMPLIES_EXEC) == -1 ? -1 : 0);
  char *p = reserve(8);
  kmmap(p, PG, PROT_READ, ANON | MAP_FIXED, -1, 0);
  kmmap(p + PG, PG, RW, ANON | MAP_FIXED, -1, 0);
  kmmap(p + 2 * PG, PG, PROT_WRITE, ANON | MAP_FIXED, -1, 0);
  kmmap(p + 3 * PG, PG, PROT_NONE, ANON | MAP_FIXED, -1, 0);
  kmmap(p + 4 * PG, PG, PROT_READ, MAP_SHARED | MAP_FIXED, disk("f", 1), 0);
  MAPS("mapped", p, 5);
  kmprotect(p + 2 * PG, 2 * PG, PROT_READ);
  kmprotect(p, PG, PROT_NONE);
  MAPS("protected", p, 5);
}
CASE("personality", "READ_IMPLIES_EXEC", "brk, and a file from a noexec file system") {
  personality(READ_IMPLIES_EXEC);
  RESULT("procfs file", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, open("/proc/self/status", O_RDONLY), 0));
  char *old = kbrk(NULL);
  char *next = (char *)(((unsigned long)old + PG - 1) & ~(PG - 1));
  kbrk(next + 2 * PG);
  MAPS("heap", next, 2);
}
CASE("personality", "", "what it returns, and that a child inherits it") {
  NUM("at first", personality(0xffffffff));
  NUM("old one", personality(ADDR_NO_RANDOMIZE));
  NUM("now", personality(0xffffffff) == ADDR_NO_RANDOMIZE);
  IN_CHILD("child", NUM("in the child", personality(0xffffffff) == ADDR_NO_RANDOMIZE));
}
/* Addresses of stack, mmap area and heap of a program that is executed. */
struct place { unsigned long stack, map, heap; };
static void report(int fd) {
  struct place place = {(unsigned long)__builtin_frame_address(0), (unsigned long)kmmap(NULL, PG, RW, ANON, -1, 0),
                        (unsigned long)kbrk(NULL)};
  if (write(fd, &place, sizeof place) != sizeof place) _exit(96);
}
CASE("execve", "report", "helper of the cases below: addresses to descriptor 9") {
  if (fcntl(9, F_GETFD) != -1) report(9);
}
static struct place executed(unsigned long persona, rlim_t stack) {
  struct place place = {0, 0, 0};
  int ends[2];
  MUST(pipe(ends));
  pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], 9);
    dup2(open("/dev/null", O_WRONLY), 1);
    personality(persona);
    if (stack) limit(RLIMIT_STACK, stack);
    again("helper of the cases below");
  }
  close(ends[1]);
  if (read(ends[0], &place, sizeof place) != sizeof place) say("no report");
  close(ends[0]);
  wait_text(pid);
  return place;
}
CASE("personality", "ADDR_NO_RANDOMIZE", "two programs have the same addresses") {
  struct place a = executed(ADDR_NO_RANDOMIZE, 0), b = executed(ADDR_NO_RANDOMIZE, 0);
  YES("stack", a.stack == b.stack);
  YES("map", a.map == b.map);
  YES("heap", a.heap == b.heap);
}
CASE("personality", "", "without it they differ") {
  struct place a = executed(0, 0), b = executed(0, 0), c = executed(0, 0);
  YES("stack", a.stack != b.stack || b.stack != c.stack);
  YES("map", a.map != b.map || b.map != c.map);
  YES("heap", a.heap != b.heap || b.heap != c.heap);
}
CASE("personality", "ADDR_COMPAT_LAYOUT", "mappings from the bottom up") {
  struct place new = executed(ADDR_NO_RANDOMIZE, 0), old = executed(ADDR_NO_RANDOMIZE | ADDR_COMPAT_LAYOUT, 0);
  YES("new: near the stack", new.stack - new.map < 1UL << 32);
  YES("old: from a third of the space", old.map > old.stack / 4 && old.map < old.stack / 2);
}
CASE("setrlimit", "RLIMIT_STACK", "unlimited: mappings from the bottom up; a large one moves them down") {
  struct place small = executed(ADDR_NO_RANDOMIZE, 8 << 20), large = executed(ADDR_NO_RANDOMIZE, 1 << 30);
  struct place none = executed(ADDR_NO_RANDOMIZE, RLIM_INFINITY);
  NUM("difference in MiB", (long)((small.map - large.map) >> 20));
  YES("unlimited: from a third of the space", none.map > none.stack / 4 && none.map < none.stack / 2);
}
