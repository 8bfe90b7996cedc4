/* mremap(2): every flag and errno of the man page, and the moves of several mappings that 6.17 brought. */
#include "conform.h"
#define MAYMOVE MREMAP_MAYMOVE
#define TO_FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)
#define DONTUNMAP (MREMAP_MAYMOVE | MREMAP_DONTUNMAP)

static void letters_in(char *p, long pages) { for (long i = 0; i < pages; i++) p[i * PG] = (char)('a' + i); }

CASE("mremap", "", "grow in place where the place is free") {
  char *p = hole(8);
  kmmap(p, 2 * PG, RW, ANON | MAP_FIXED, -1, 0);
  letters_in(p, 2);
  PLACE("grow", kmremap(p, 2 * PG, 5 * PG, 0, NULL), p);
  BYTE("old", p + PG);
  BYTE("new", p + 4 * PG);
  MAPS("lines", p, 8);
}
CASE("mremap", "", "shrink") {
  char *p = area(6);
  letters_in(p, 6);
  PLACE("shrink", kmremap(p, 6 * PG, 2 * PG, 0, NULL), p);
  MAPS("lines", p, 6);
  BYTE("rest", p + PG);
}
CASE("mremap", "", "shrink cuts a hole; sizes are rounded up to pages") {
  char *p = area(6);
  PLACE("3 pages to 1 byte", kmremap(p, 3 * PG, 1, 0, NULL), p);
  MAPS("lines", p, 6);
}
CASE("mremap", "", "same size: nothing happens") {
  char *p = area(2);
  PLACE("same", kmremap(p, 2 * PG, 2 * PG, 0, NULL), p);
  PLACE("same, may move", kmremap(p, 2 * PG, 2 * PG, MAYMOVE, NULL), p);
  PLACE("rounded to the same", kmremap(p, PG + 1, 2 * PG, 0, NULL), p);
}
CASE("mremap", "", "shrink over several mappings") {
  char *p = area(6);
  kmprotect(p + 3 * PG, PG, PROT_READ);
  PLACE("shrink", kmremap(p, 6 * PG, PG, 0, NULL), p);
  MAPS("lines", p, 6);
}
CASE("mremap", "ENOMEM", "cannot grow in place and may not move") {
  char *p = area(4);
  RESULT("a neighbour", kmremap(p, 4 * PG, 6 * PG, 0, NULL));
  RESULT("not the end of the mapping", kmremap(p, 2 * PG, 3 * PG, 0, NULL));
  MAPS("lines", p, 4);
}
CASE("mremap", "MREMAP_MAYMOVE", "moves with its content") {
  char *p = area(4);
  letters_in(p, 4);
  char *q = kmremap(p, 4 * PG, 8 * PG, MAYMOVE, NULL);
  YES("moved", q != p && q != MAP_FAILED);
  BYTE("last old page", q + 3 * PG);
  BYTE("first new page", q + 4 * PG);
  MAPS("old place", p, 4);
  MARK(p);
  *(volatile char *)p = 1;
}
CASE("mremap", "MREMAP_MAYMOVE", "a part of a mapping that grows: the rest stays") {
  char *p = area(6);
  letters_in(p, 6);
  char *q = kmremap(p + 2 * PG, 2 * PG, 4 * PG, MAYMOVE, NULL);
  BYTE("moved", q + PG);
  MAPS("old place", p, 6);
}
CASE("mremap", "MREMAP_MAYMOVE", "a private file keeps its written pages and its offset") {
  int fd = disk("f", 4);
  char *p = reserve(4);
  kmmap(p, 2 * PG, RW, MAP_PRIVATE | MAP_FIXED, fd, PG);
  p[0] = 'X';
  char *to = hole(8);
  PLACE("move", kmremap(p, 2 * PG, 3 * PG, TO_FIXED, to), to);
  BYTE("written", to);
  BYTE("second", to + PG);
  BYTE("third", to + 2 * PG);
  MAPS("lines", to, 8);
}
CASE("mremap", "MREMAP_FIXED", "to a place: what was there goes") {
  char *p = area(3), *to = area(6);
  letters_in(p, 3);
  memset(to, 'o', 6 * PG);
  PLACE("move", kmremap(p, 3 * PG, 3 * PG, TO_FIXED, to + PG), to);
  BYTE("before", to);
  BYTE("moved", to + 2 * PG);
  BYTE("behind", to + 4 * PG);
  MAPS("new place", to, 6);
  MAPS("old place", p, 3);
}
CASE("mremap", "MREMAP_FIXED", "shrinking while it moves") {
  char *p = area(4), *to = hole(6);
  letters_in(p, 4);
  PLACE("move", kmremap(p, 4 * PG, 2 * PG, TO_FIXED, to), to);
  BYTE("second", to + PG);
  MAPS("new place", to, 6);
  MAPS("old place", p, 4);
}
CASE("mremap", "MREMAP_FIXED", "growing while it moves") {
  char *p = area(2), *to = hole(6);
  letters_in(p, 2);
  PLACE("move", kmremap(p, 2 * PG, 5 * PG, TO_FIXED, to), to);
  BYTE("second", to + PG);
  BYTE("new", to + 4 * PG);
  MAPS("new place", to, 6);
}
CASE("mremap", "MREMAP_FIXED", "beside a neighbour it merges with") {
  char *p = area(6);
  letters_in(p, 6);
  char *to = hole(8);
  PLACE("second half", kmremap(p + 3 * PG, 3 * PG, 3 * PG, TO_FIXED, to + 3 * PG), to);
  PLACE("first half", kmremap(p, 3 * PG, 3 * PG, TO_FIXED, to), to);
  MAPS("lines", to, 8);
}
CASE("mremap", "MREMAP_FIXED", "several mappings of one size: the holes move too") {
  char *p = area(8), *to = hole(8);
  letters_in(p, 8);
  kmunmap(p + 2 * PG, PG);
  kmprotect(p + 4 * PG, PG, PROT_READ);
  PLACE("move", kmremap(p, 8 * PG, 8 * PG, TO_FIXED, to), to);
  MAPS("new place", to, 8);
  MAPS("old place", p, 8);
  BYTE("last", to + 7 * PG);
}
CASE("mremap", "MREMAP_FIXED", "several mappings, from the middle of one to the middle of another") {
  char *p = area(8), *to = hole(8);
  letters_in(p, 8);
  kmprotect(p + 3 * PG, 2 * PG, PROT_READ);
  PLACE("move", kmremap(p + PG, 6 * PG, 6 * PG, TO_FIXED, to + PG), to);
  MAPS("new place", to, 8);
  MAPS("old place", p, 8);
}
CASE("mremap", "MREMAP_FIXED", "several mappings, first in a hole: EFAULT") {
  char *p = area(6), *to = hole(6);
  kmunmap(p, PG);
  RESULT("starts in a hole", kmremap(p, 4 * PG, 4 * PG, TO_FIXED, to));
  kmprotect(p + 2 * PG, PG, PROT_READ);
  PLACE("ends in a hole", kmremap(p + PG, 6 * PG, 6 * PG, TO_FIXED, hole(8)), NULL);
}
CASE("mremap", "EFAULT", "several mappings that grow or shrink") {
  char *p = area(6);
  kmprotect(p + 3 * PG, 3 * PG, PROT_READ);
  RESULT("grow", kmremap(p, 6 * PG, 8 * PG, MAYMOVE, NULL));
  RESULT("grow to a place", kmremap(p, 6 * PG, 8 * PG, TO_FIXED, hole(8)));
  RESULT("shrink to a place", kmremap(p, 6 * PG, 4 * PG, TO_FIXED, hole(8)));
  MAPS("lines", p, 6);
}
CASE("mremap", "EFAULT", "nothing is mapped there") {
  char *p = hole(2);
  RESULT("same size", kmremap(p, PG, PG, 0, NULL));
  RESULT("grow", kmremap(p, PG, 2 * PG, MAYMOVE, NULL));
  RESULT("shrink", kmremap(p, 2 * PG, PG, 0, NULL));
  RESULT("move", kmremap(p, PG, PG, TO_FIXED, hole(2)));
}
CASE("mremap", "EFAULT", "longer than the mapping") {
  char *p = hole(4);
  kmmap(p, 2 * PG, RW, ANON | MAP_FIXED, -1, 0);
  RESULT("same size", kmremap(p, 4 * PG, 4 * PG, 0, NULL));
  RESULT("grow", kmremap(p, 3 * PG, 4 * PG, MAYMOVE, NULL));
  RESULT("shrink into it", kmremap(p, 4 * PG, PG, 0, NULL));
  MAPS("lines", p, 4);
}
CASE("mremap", "EINVAL", "arguments") {
  char *p = area(4), *to = hole(8);
  RESULT("old address not aligned", kmremap(p + 1, PG, PG, 0, NULL));
  RESULT("new size 0", kmremap(p, PG, 0, 0, NULL));
  RESULT("unknown flag", kmremap(p, PG, PG, 8, NULL));
  RESULT("FIXED alone", kmremap(p, PG, PG, MREMAP_FIXED, to));
  RESULT("DONTUNMAP alone", kmremap(p, PG, PG, MREMAP_DONTUNMAP, NULL));
  RESULT("new address not aligned", kmremap(p, PG, PG, TO_FIXED, to + 1));
  RESULT("overlap", kmremap(p, 2 * PG, 2 * PG, TO_FIXED, p + PG));
  RESULT("overlap of the larger new one", kmremap(p + 2 * PG, PG, 4 * PG, TO_FIXED, p));
  RESULT("same place", kmremap(p, PG, PG, TO_FIXED, p));
  RESULT("new size 2^62", kmremap(p, PG, 1L << 62, MAYMOVE, NULL));
  RESULT("new size 2^64 - 1", kmremap(p, PG, (size_t)-1, MAYMOVE, NULL));
  RESULT("new address 2^62", kmremap(p, PG, PG, TO_FIXED, (void *)(1L << 62)));
  RESULT("new address at the end", kmremap(p, PG, 2 * PG, TO_FIXED, (void *)-PG));
  MAPS("lines", p, 4);
}
CASE("mremap", "EINVAL", "old size 0 of private memory") {
  char *p = area(2);
  RESULT("anonymous", kmremap(p, 0, PG, MAYMOVE, NULL));
  RESULT("a private file", kmremap(kmmap(NULL, PG, RW, MAP_PRIVATE, disk("f", 1), 0), 0, PG, MAYMOVE, NULL));
  RESULT("same size 0", kmremap(p, 0, 0, 0, NULL));
}
CASE("mremap", "MREMAP_MAYMOVE", "old size 0 of shared memory: a second mapping") {
  int fd = disk("f", 4);
  char *p = reserve(4);
  kmmap(p, 4 * PG, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  char *to = hole(4);
  PLACE("a copy of its second page", kmremap(p + PG, 0, 2 * PG, TO_FIXED, to), to);
  MAPS("copy", to, 4);
  MAPS("old", p, 4);
  to[0] = 'X';
  BYTE("seen", p + PG);
  RESULT("may not move", kmremap(p, 0, PG, 0, NULL));
}
CASE("mremap", "MREMAP_DONTUNMAP", "anonymous: the old place is empty memory") {
  char *p = area(3), *to = hole(4);
  letters_in(p, 3);
  PLACE("move", kmremap(p, 3 * PG, 3 * PG, DONTUNMAP | MREMAP_FIXED, to), to);
  MAPS("new place", to, 4);
  MAPS("old place", p, 3);
  BYTE("new", to + PG);
  BYTE("old", p + PG);
}
CASE("mremap", "MREMAP_DONTUNMAP", "without a place: elsewhere") {
  char *p = area(2);
  letters_in(p, 2);
  char *q = kmremap(p, 2 * PG, 2 * PG, DONTUNMAP, NULL);
  YES("elsewhere", q != MAP_FAILED && q != p);
  BYTE("new", q + PG);
  BYTE("old", p + PG);
}
CASE("mremap", "MREMAP_DONTUNMAP", "a hint is followed where it is free") {
  char *p = area(2), *to = hole(4);
  PLACE("hint", kmremap(p, 2 * PG, 2 * PG, DONTUNMAP, to + PG), to);
}
CASE("mremap", "MREMAP_DONTUNMAP", "shared memory and files") {
  int fd = disk("f", 2);
  char *p = reserve(3), *to = hole(4);
  kmmap(p, 2 * PG, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  PLACE("shared file", kmremap(p, 2 * PG, 2 * PG, DONTUNMAP | MREMAP_FIXED, to), to);
  BYTE("new", to);
  BYTE("old", p);
  MAPS("old place", p, 2);
  kmmap(p, 2 * PG, RW, MAP_PRIVATE | MAP_FIXED, fd, 0);
  p[0] = 'X';
  PLACE("private file", kmremap(p, 2 * PG, 2 * PG, DONTUNMAP | MREMAP_FIXED, to), to);
  BYTE("new", to);
  BYTE("old", p);
}
CASE("mremap", "MREMAP_DONTUNMAP", "EINVAL: other size, part of a mapping is fine") {
  char *p = area(4);
  RESULT("grow", kmremap(p, 2 * PG, 3 * PG, DONTUNMAP, NULL));
  RESULT("shrink", kmremap(p, 2 * PG, PG, DONTUNMAP, NULL));
  RESULT("part", kmremap(p + PG, PG, PG, DONTUNMAP, NULL));
  MAPS("lines", p, 4);
}
CASE("mremap", "MREMAP_DONTUNMAP", "locked memory: the lock moves") {
  char *p = area(2), *to = hole(2);
  kmlock(p, 2 * PG);
  PLACE("move", kmremap(p, 2 * PG, 2 * PG, DONTUNMAP | MREMAP_FIXED, to), to);
  FLAGS("old", p);
  FLAGS("new", to);
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
}
CASE("mremap", "EAGAIN", "locked memory that would grow beyond RLIMIT_MEMLOCK") {
  limit(RLIMIT_MEMLOCK, 4 * PG);
  drop_root();
  char *p = hole(8);
  kmmap(p, 3 * PG, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0);
  RESULT("to 5 pages", kmremap(p, 3 * PG, 5 * PG, MAYMOVE, NULL));
  RESULT("to 4 pages", kmremap(p, 3 * PG, 4 * PG, 0, NULL));
  NUM("Rss kB", smaps_number(p, "Rss"));
}
CASE("mremap", "ENOMEM", "RLIMIT_AS") {
  char *p = area(4);
  limit(RLIMIT_AS, (rlim_t)(read_field("/proc/self/status", "VmSize") + 16) * 1024);
  RESULT("grow by 5 pages", kmremap(p, 4 * PG, 9 * PG, MAYMOVE, NULL));
  RESULT("DONTUNMAP of 4 pages", kmremap(p, 4 * PG, 4 * PG, DONTUNMAP, NULL));
  RESULT("DONTUNMAP of 1 more", kmremap(p, PG, PG, DONTUNMAP, NULL));
}
CASE("mremap", "ENOMEM", "RLIMIT_DATA") {
  char *p = area(4);
  limit(RLIMIT_DATA, (rlim_t)(read_field("/proc/self/status", "VmData") + 16) * 1024);
  RESULT("grow by 5 pages", kmremap(p, 4 * PG, 9 * PG, MAYMOVE, NULL));
  RESULT("grow by 4 pages", kmremap(p, 4 * PG, 8 * PG, MAYMOVE, NULL));
}
CASE("mremap", "", "locked memory that grows is resident and counted") {
  char *p = hole(6);
  kmmap(p, 2 * PG, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0);
  PLACE("grow", kmremap(p, 2 * PG, 5 * PG, 0, NULL), p);
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
}
CASE("mremap", "", "a stack moves with its flag") {
  char *p = hole(300), *top = p + 290 * PG, *to = hole(300);
  kmmap(top, 2 * PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  PLACE("move", kmremap(top, 2 * PG, 2 * PG, TO_FIXED, to + 290 * PG), to);
  FLAGS("flags", to + 290 * PG);
}
CASE("mremap", "", "MADV_DONTFORK and MADV_DONTDUMP move with the mapping") {
  char *p = area(2), *to = hole(2);
  kmadvise(p, 2 * PG, MADV_DONTFORK);
  kmadvise(p, 2 * PG, MADV_DONTDUMP);
  PLACE("move", kmremap(p, 2 * PG, 2 * PG, TO_FIXED, to), to);
  FLAGS("flags", to);
}
CASE("mremap", "", "a hole that a file mapping leaves, filled again, merges") {
  int fd = disk("f", 6);
  char *p = reserve(6), *aside = hole(2);
  kmmap(p, 6 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  PLACE("out", kmremap(p + 2 * PG, 2 * PG, 2 * PG, TO_FIXED, aside), aside);
  MAPS("without", p, 6);
  PLACE("back", kmremap(aside, 2 * PG, 2 * PG, TO_FIXED, p + 2 * PG), p);
  MAPS("with", p, 6);
}
