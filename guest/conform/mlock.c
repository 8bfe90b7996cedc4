/* mlock(2), mlock2(2), munlock(2), mlockall(2), munlockall(2). */
#include "conform.h"
static long locked(void) { return read_field("/proc/self/status", "VmLck"); }

CASE("mlock", "", "makes pages resident") {
  char *p = area(6);
  RESULT("lock", kmlock(p + PG, 3 * PG));
  NUM("Rss kB", smaps_number(p + PG, "Rss"));
  NUM("Locked kB", smaps_number(p + PG, "Locked"));
  NUM("VmLck kB", locked());
  MAPS("lines", p, 6);
  FLAGS("flags", p + PG);
}
CASE("mlock", "", "address and length are rounded outward") {
  char *p = area(4);
  RESULT("two bytes over a boundary", kmlock(p + PG - 1, 2));
  NUM("VmLck kB", locked());
  MAPS("lines", p, 4);
}
CASE("mlock", "", "does not nest") {
  char *p = area(2);
  kmlock(p, 2 * PG);
  kmlock(p, 2 * PG);
  NUM("VmLck kB", locked());
  kmunlock(p, 2 * PG);
  NUM("VmLck kB", locked());
}
CASE("mlock", "", "length 0") {
  RESULT("mapped", kmlock(area(1), 0));
  RESULT("not mapped", kmlock(hole(1), 0));
  NUM("VmLck kB", locked());
}
CASE("mlock", "", "a private writable file: pages are copied at once") {
  char *p = reserve(4);
  kmmap(p, 2 * PG, RW, MAP_PRIVATE | MAP_FIXED, disk("f", 2), 0);
  RESULT("lock", kmlock(p, 2 * PG));
  NUM("Anonymous kB", smaps_number(p, "Anonymous"));
}
CASE("mlock", "", "is not inherited, and exec forgets it") {
  char *p = area(4);
  kmlock(p, 4 * PG);
  IN_CHILD("child", NUM("VmLck kB in the child", locked()); show_flags("flags in the child", p));
  NUM("VmLck kB", locked());
}
CASE("mlock", "ENOMEM", "a hole: what is before it is locked") {
  char *p = area(4);
  kmunmap(p + 2 * PG, PG);
  RESULT("over the hole", kmlock(p, 4 * PG));
  NUM("VmLck kB", locked());
  MAPS("lines", p, 4);
  RESULT("nothing there", kmlock(p + 2 * PG, PG));
}
CASE("mlock", "ENOMEM", "PROT_NONE: locked all the same") {
  char *p = area(2);
  kmprotect(p, 2 * PG, PROT_NONE);
  RESULT("lock", kmlock(p, 2 * PG));
  NUM("VmLck kB", locked());
}
CASE("mlock", "ENOMEM", "beyond the end of a file") {
  char *p = reserve(4);
  kmmap(p, 3 * PG, RW, MAP_SHARED | MAP_FIXED, disk("f", 1), 0);
  RESULT("lock", kmlock(p, 3 * PG));
  NUM("VmLck kB", locked());
  NUM("Rss kB", smaps_number(p, "Rss"));
}
CASE("mlock", "ENOMEM", "beyond RLIMIT_MEMLOCK") {
  limit(RLIMIT_MEMLOCK, 4 * PG);
  char *p = area(8);
  drop_root();
  RESULT("5 pages", kmlock(p, 5 * PG));
  RESULT("4 pages", kmlock(p, 4 * PG));
  RESULT("the same again", kmlock(p, 4 * PG));
  RESULT("one other", kmlock(p + 4 * PG, PG));
  RESULT("overlapping", kmlock(p + 3 * PG, 2 * PG));
  kmunlock(p, PG);
  RESULT("one other after an unlock", kmlock(p + 4 * PG, PG));
}
CASE("mlock", "EPERM", "RLIMIT_MEMLOCK 0") {
  limit(RLIMIT_MEMLOCK, 0);
  char *p = area(2);
  RESULT("as root", kmlock(p, PG));
  drop_root();
  RESULT("as nobody", kmlock(p, PG));
  RESULT("unlock as nobody", kmunlock(p, PG));
  RESULT("all as nobody", kmlockall(MCL_CURRENT));
  RESULT("length 0", kmlock(p, 0));
}
CASE("mlock", "EINVAL", "address and length that wrap") {
  char *p = area(1);
  RESULT("2^64 - 1", kmlock(p, (size_t)-1));
  RESULT("2^64 - a page", kmlock(p, (size_t)-PG));
  RESULT("2^62", kmlock((void *)(1L << 62), PG));
  RESULT("unlock 2^64 - 1", kmunlock(p, (size_t)-1));
  RESULT("unlock 2^64 - a page", kmunlock(p, (size_t)-PG));
}
CASE("mlock2", "MLOCK_ONFAULT", "pages stay absent until they are touched") {
  char *p = area(6);
  p[0] = 1;
  RESULT("lock", kmlock2(p, 6 * PG, MLOCK_ONFAULT));
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("VmLck kB", locked());
  p[PG] = 1;
  NUM("Rss kB", smaps_number(p, "Rss"));
  FLAGS("flags", p);
}
CASE("mlock2", "MLOCK_ONFAULT", "then mlock: the rest comes in") {
  char *p = area(4);
  kmlock2(p, 4 * PG, MLOCK_ONFAULT);
  kmlock(p, 4 * PG);
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("VmLck kB", locked());
}
CASE("mlock2", "", "flags 0 is mlock") {
  char *p = area(2);
  RESULT("lock", kmlock2(p, 2 * PG, 0));
  NUM("Rss kB", smaps_number(p, "Rss"));
}
CASE("mlock2", "EINVAL", "unknown flags") {
  char *p = area(2);
  RESULT("2", kmlock2(p, PG, 2));
  RESULT("3", kmlock2(p, PG, 3));
  RESULT("-1", kmlock2(p, PG, -1));
}
CASE("munlock", "", "the middle: three lines, pages stay") {
  char *p = area(6);
  kmlock(p, 6 * PG);
  RESULT("unlock", kmunlock(p + 2 * PG, 2 * PG));
  NUM("VmLck kB", locked());
  MAPS("lines", p, 6);
  NUM("Rss kB of the middle", smaps_number(p + 2 * PG, "Rss"));
}
CASE("munlock", "", "what is not locked") {
  RESULT("unlock", kmunlock(area(2), 2 * PG));
}
CASE("munlock", "ENOMEM", "a hole") {
  char *p = area(4);
  kmlock(p, 4 * PG);
  kmunmap(p + 2 * PG, PG);
  RESULT("unlock", kmunlock(p, 4 * PG));
  NUM("VmLck kB", locked());
}
CASE("mlockall", "MCL_CURRENT", "locks what is there, not what comes") {
  char *p = area(4);
  RESULT("lock", kmlockall(MCL_CURRENT));
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("Locked kB", smaps_number(p, "Locked"));
  char *q = area(4);
  NUM("Rss kB of a new one", smaps_number(q, "Rss"));
}
CASE("mlockall", "MCL_FUTURE", "locks what comes, not what is there") {
  char *p = area(4);
  RESULT("lock", kmlockall(MCL_FUTURE));
  NUM("VmLck kB", locked());
  char *q = area(4);
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("Rss kB of a new one", smaps_number(q, "Rss"));
  FLAGS("flags", q);
}
CASE("mlockall", "MCL_ONFAULT", "with MCL_CURRENT, with MCL_FUTURE") {
  char *p = area(4);
  p[0] = 1;
  RESULT("current", kmlockall(MCL_CURRENT | MCL_ONFAULT));
  NUM("Rss kB", smaps_number(p, "Rss"));
  FLAGS("flags", p);
  RESULT("future", kmlockall(MCL_FUTURE | MCL_ONFAULT));
  char *q = area(4);
  NUM("Rss kB of a new one", smaps_number(q, "Rss"));
  FLAGS("flags", q);
}
CASE("mlockall", "MCL_FUTURE", "a child does not inherit it") {
  kmlockall(MCL_FUTURE);
  IN_CHILD("child", char *q = area(2); NUM("Rss kB in the child", smaps_number(q, "Rss")));
}
CASE("mlockall", "EINVAL", "flags") {
  RESULT("0", kmlockall(0));
  RESULT("MCL_ONFAULT alone", kmlockall(MCL_ONFAULT));
  RESULT("8", kmlockall(8));
  RESULT("MCL_CURRENT | 8", kmlockall(MCL_CURRENT | 8));
}
CASE("mlockall", "ENOMEM", "more is mapped than RLIMIT_MEMLOCK") {
  limit(RLIMIT_MEMLOCK, 16 * PG);
  RESULT("as root", kmlockall(MCL_CURRENT));
  kmunlockall();
  drop_root();
  RESULT("current", kmlockall(MCL_CURRENT));
  RESULT("future", kmlockall(MCL_FUTURE));
  RESULT("then a map of 17 pages", kmmap(NULL, 17 * PG, RW, ANON, -1, 0));
  RESULT("then a map of 2 pages", kmmap(NULL, 2 * PG, RW, ANON, -1, 0));
}
CASE("munlockall", "", "nothing is locked any more, nor what comes") {
  kmlockall(MCL_CURRENT | MCL_FUTURE);
  RESULT("unlock", kmunlockall());
  NUM("VmLck kB", locked());
  NUM("Rss kB of a new one", smaps_number(area(2), "Rss"));
}
