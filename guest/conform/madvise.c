/* madvise(2): every advice. */
#include "conform.h"
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define GUARD_INSTALL 102
#define GUARD_REMOVE 103
static const struct { const char *name; long advice; } ALL[] = {
  {"NORMAL", 0}, {"RANDOM", 1}, {"SEQUENTIAL", 2}, {"WILLNEED", 3}, {"DONTNEED", 4}, {"FREE", 8}, {"REMOVE", 9},
  {"DONTFORK", 10}, {"DOFORK", 11}, {"MERGEABLE", 12}, {"UNMERGEABLE", 13}, {"HUGEPAGE", 14}, {"NOHUGEPAGE", 15},
  {"DONTDUMP", 16}, {"DODUMP", 17}, {"WIPEONFORK", 18}, {"KEEPONFORK", 19}, {"COLD", 20}, {"PAGEOUT", 21},
  {"POPULATE_READ", 22}, {"POPULATE_WRITE", 23}, {"DONTNEED_LOCKED", 24}, {"GUARD_INSTALL", 102}, {"GUARD_REMOVE", 103},
};
#define EACH_ADVICE(p, n) for (size_t i_ = 0; i_ < sizeof ALL / sizeof *ALL; i_++) \
  RESULT(ALL[i_].name, kmadvise(p, n, ALL[i_].advice))

CASE("madvise", "", "each advice on anonymous memory") { EACH_ADVICE(area(2), 2 * PG); }
CASE("madvise", "", "each advice on shared anonymous memory") {
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  EACH_ADVICE(p, 2 * PG);
}
CASE("madvise", "", "each advice on a private file") {
  char *p = kmmap(NULL, 2 * PG, RW, MAP_PRIVATE, shm(2), 0);
  EACH_ADVICE(p, 2 * PG);
}
CASE("madvise", "", "each advice on a shared file") {
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED, shm(2), 0);
  EACH_ADVICE(p, 2 * PG);
}
CASE("madvise", "", "each advice on a shared file opened for reading") {
  close(disk("f", 2));
  char *p = kmmap(NULL, 2 * PG, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
  EACH_ADVICE(p, 2 * PG);
}
CASE("madvise", "", "each advice on locked memory") {
  char *p = area(2);
  kmlock(p, 2 * PG);
  EACH_ADVICE(p, 2 * PG);
}
CASE("madvise", "", "each advice on PROT_NONE memory") {
  char *p = area(2);
  kmprotect(p, 2 * PG, PROT_NONE);
  EACH_ADVICE(p, 2 * PG);
}
CASE("madvise", "ENOMEM", "each advice over a hole") {
  char *p = area(3);
  kmunmap(p + PG, PG);
  EACH_ADVICE(p, 3 * PG);
}
CASE("madvise", "EINVAL", "each advice, address not aligned") { EACH_ADVICE(area(2) + 1, PG); }
CASE("madvise", "", "each advice, length 0") { EACH_ADVICE(hole(2), 0); }
CASE("madvise", "EINVAL", "each advice, end wraps") { EACH_ADVICE((char *)-PG, 2 * PG); }
CASE("madvise", "EINVAL", "each advice, length 2^64 - 1") { EACH_ADVICE(area(1), (size_t)-1); }
CASE("madvise", "EINVAL", "numbers that are no advice") {
  char *p = area(2);
  static const long numbers[] = {5, 6, 7, 26, 27, 99, 104, 1000, -1};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    RESULT("advice", kmadvise(p, PG, numbers[i]));
    RESULT("length 0", kmadvise(p, 0, numbers[i]));
  }
}
CASE("madvise", "MADV_NORMAL", "takes RANDOM and SEQUENTIAL back") {
  char *p = area(4);
  kmadvise(p, 2 * PG, MADV_RANDOM);
  FLAGS("random", p);
  kmadvise(p, 2 * PG, MADV_SEQUENTIAL);
  FLAGS("sequential", p);
  MAPS("lines", p, 4);
  kmadvise(p, 2 * PG, MADV_NORMAL);
  FLAGS("normal", p);
  MAPS("lines", p, 4);
}
CASE("madvise", "MADV_RANDOM", "splits a mapping in its middle") {
  char *p = area(6);
  kmadvise(p + 2 * PG, 2 * PG, MADV_RANDOM);
  MAPS("lines", p, 6);
}
CASE("madvise", "MADV_WILLNEED", "a file, anonymous memory, a closed hole") {
  char *p = kmmap(NULL, 2 * PG, PROT_READ, MAP_SHARED, disk("f", 2), 0);
  RESULT("file", kmadvise(p, 2 * PG, MADV_WILLNEED));
  RESULT("beyond the end", kmadvise(kmmap(NULL, 8 * PG, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0), 8 * PG, MADV_WILLNEED));
  BYTE("content", p + PG);
}
CASE("madvise", "MADV_DONTNEED", "anonymous memory is zero again") {
  char *p = area(4);
  memset(p, 'x', 4 * PG);
  RESULT("two pages", kmadvise(p + PG, 2 * PG, MADV_DONTNEED));
  BYTE("before", p);
  BYTE("inside", p + PG);
  BYTE("behind", p + 3 * PG);
  NUM("Rss kB", smaps_number(p, "Rss"));
  MAPS("lines", p, 4);
}
CASE("madvise", "MADV_DONTNEED", "a private file is the file's again") {
  char *p = kmmap(NULL, PG, RW, MAP_PRIVATE, disk("f", 1), 0);
  p[0] = 'X';
  kmadvise(p, PG, MADV_DONTNEED);
  BYTE("content", p);
}
CASE("madvise", "MADV_DONTNEED", "shared memory keeps its content") {
  char *p = kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  p[0] = 'X';
  RESULT("advice", kmadvise(p, PG, MADV_DONTNEED));
  BYTE("content", p);
}
CASE("madvise", "MADV_DONTNEED", "what comes before a locked mapping is dropped") {
  char *p = area(2);
  memset(p, 'x', 2 * PG);
  kmlock(p + PG, PG);
  RESULT("over both", kmadvise(p, 2 * PG, MADV_DONTNEED));
  BYTE("first", p);
  BYTE("locked", p + PG);
}
CASE("madvise", "MADV_DONTNEED_LOCKED", "locked memory: zero again, still locked") {
  char *p = area(2);
  memset(p, 'x', 2 * PG);
  kmlock(p, 2 * PG);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_DONTNEED_LOCKED));
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
  BYTE("content", p);
}
CASE("madvise", "MADV_FREE", "memory that was written again stays") {
  char *p = area(2);
  memset(p, 'x', 2 * PG);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_FREE));
  p[0] = 'y';
  BYTE("written after it", p);
  YES("old or zero", p[PG] == 'x' || p[PG] == 0);
}
CASE("madvise", "MADV_REMOVE", "the file itself has a hole then") {
  int fd = shm(3);
  char *p = kmmap(NULL, 3 * PG, RW, MAP_SHARED, fd, 0), c = 1;
  RESULT("middle", kmadvise(p + PG, PG, MADV_REMOVE));
  BYTE("before", p);
  BYTE("inside", p + PG);
  BYTE("behind", p + 2 * PG);
  MUST(pread(fd, &c, 1, PG));
  BYTE("file", &c);
  struct stat now;
  MUST(fstat(fd, &now));
  NUM("size", now.st_size);
  NUM("blocks", now.st_blocks);
}
CASE("madvise", "MADV_REMOVE", "shared anonymous memory, seen by a child") {
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  p[0] = p[PG] = 'x';
  IN_CHILD("child", RESULT("advice", kmadvise(p, PG, MADV_REMOVE)));
  BYTE("removed", p);
  BYTE("kept", p + PG);
}
CASE("madvise", "MADV_DONTFORK", "the child does not have it") {
  char *p = area(3);
  p[0] = p[PG] = 'x';
  kmadvise(p + PG, PG, MADV_DONTFORK);
  FLAGS("flags", p + PG);
  IN_CHILD("child", MAPS("in the child", p, 3); READS("before", p); READS("inside", p + PG));
  MAPS("in the parent", p, 3);
}
CASE("madvise", "MADV_DOFORK", "takes it back") {
  char *p = area(3);
  kmadvise(p, 3 * PG, MADV_DONTFORK);
  kmadvise(p, 3 * PG, MADV_DOFORK);
  IN_CHILD("child", READS("inside", p));
}
CASE("madvise", "MADV_WIPEONFORK", "the child has zeros, and its child too") {
  char *p = area(2);
  memset(p, 'x', 2 * PG);
  RESULT("advice", kmadvise(p, PG, MADV_WIPEONFORK));
  FLAGS("flags", p);
  IN_CHILD("child", BYTE("wiped", p); BYTE("not wiped", p + PG); p[0] = 'c'; FLAGS("flags in the child", p);
           IN_CHILD("grandchild", BYTE("wiped", p)));
  BYTE("parent", p);
}
CASE("madvise", "MADV_KEEPONFORK", "takes it back") {
  char *p = area(2);
  memset(p, 'x', 2 * PG);
  kmadvise(p, 2 * PG, MADV_WIPEONFORK);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_KEEPONFORK));
  IN_CHILD("child", BYTE("kept", p));
}
CASE("madvise", "MADV_MERGEABLE", "flags of the mapping") {
  char *p = area(2);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_MERGEABLE));
  FLAGS("flags", p);
}
CASE("madvise", "MADV_UNMERGEABLE", "flags of the mapping") {
  char *p = area(2);
  kmadvise(p, 2 * PG, MADV_MERGEABLE);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_UNMERGEABLE));
  FLAGS("flags", p);
}
CASE("madvise", "MADV_HUGEPAGE", "flags of the mapping") {
  char *p = area(2);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_HUGEPAGE));
  FLAGS("flags", p);
}
CASE("madvise", "MADV_NOHUGEPAGE", "flags of the mapping") {
  char *p = area(4);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_NOHUGEPAGE));
  FLAGS("flags", p);
  RESULT("back", kmadvise(p, 2 * PG, MADV_HUGEPAGE));
  FLAGS("flags", p);
  MAPS("lines", p, 4);
}
CASE("madvise", "MADV_COLLAPSE", "no room for a huge page: EINVAL or nothing to do") {
  RESULT("two pages", kmadvise(area(2), 2 * PG, MADV_COLLAPSE));
  RESULT("hole", kmadvise(hole(2), 2 * PG, MADV_COLLAPSE));
}
CASE("madvise", "MADV_DONTDUMP", "flags of the mapping, and back") {
  char *p = area(4);
  RESULT("advice", kmadvise(p, 2 * PG, MADV_DONTDUMP));
  FLAGS("flags", p);
  MAPS("lines", p, 4);
  RESULT("MADV_DODUMP", kmadvise(p, 2 * PG, MADV_DODUMP));
  FLAGS("flags", p);
  MAPS("lines", p, 4);
}
CASE("madvise", "MADV_DODUMP", "mappings of a driver cannot be dumped") {
  char *p = kmmap(NULL, PG, RW, MAP_PRIVATE, open("/dev/zero", O_RDWR), 0);
  RESULT("/dev/zero", kmadvise(p, PG, MADV_DODUMP));
}
CASE("madvise", "MADV_COLD", "content stays") {
  char *p = area(2);
  p[0] = 'x';
  RESULT("advice", kmadvise(p, 2 * PG, MADV_COLD));
  NUM("Rss kB", smaps_number(p, "Rss"));
  BYTE("content", p);
}
CASE("madvise", "MADV_PAGEOUT", "content stays") {
  char *p = area(2);
  p[0] = 'x';
  RESULT("advice", kmadvise(p, 2 * PG, MADV_PAGEOUT));
  BYTE("content", p);
  char *q = kmmap(NULL, PG, RW, MAP_SHARED, disk("f", 1), 0);
  q[0] = 'y';
  RESULT("a file", kmadvise(q, PG, MADV_PAGEOUT));
  BYTE("content", q);
}
CASE("madvise", "MADV_POPULATE_READ", "resident without a fault later") {
  char *p = area(4);
  RESULT("anonymous", kmadvise(p, 4 * PG, MADV_POPULATE_READ));
  NUM("Rss kB", smaps_number(p, "Rss"));
  p = kmmap(NULL, 2 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  RESULT("shared", kmadvise(p, 2 * PG, MADV_POPULATE_READ));
  NUM("Rss kB", smaps_number(p, "Rss"));
}
CASE("madvise", "MADV_POPULATE_WRITE", "resident and private") {
  char *p = area(4);
  RESULT("anonymous", kmadvise(p, 4 * PG, MADV_POPULATE_WRITE));
  NUM("Rss kB", smaps_number(p, "Rss"));
  char *q = kmmap(NULL, 2 * PG, RW, MAP_PRIVATE, disk("f", 2), 0);
  RESULT("private file", kmadvise(q, 2 * PG, MADV_POPULATE_WRITE));
  NUM("Anonymous kB", smaps_number(q, "Anonymous"));
}
CASE("madvise", "EFAULT", "MADV_POPULATE beyond the end of a file") {
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED, disk("f", 1), 0);
  RESULT("read", kmadvise(p, 2 * PG, MADV_POPULATE_READ));
  RESULT("write", kmadvise(p, 2 * PG, MADV_POPULATE_WRITE));
}
CASE("madvise", "EINVAL", "MADV_POPULATE against the rights") {
  char *p = area(2);
  kmprotect(p, 2 * PG, PROT_READ);
  RESULT("write to read-only", kmadvise(p, PG, MADV_POPULATE_WRITE));
  RESULT("read", kmadvise(p, PG, MADV_POPULATE_READ));
  kmprotect(p, 2 * PG, PROT_NONE);
  RESULT("read of none", kmadvise(p, PG, MADV_POPULATE_READ));
  kmprotect(p, 2 * PG, PROT_WRITE);
  RESULT("write of write-only", kmadvise(p, PG, MADV_POPULATE_WRITE));
}
CASE("madvise", "MADV_GUARD_INSTALL", "an access is SEGV_MAPERR or SEGV_ACCERR; content is gone") {
  char *p = area(4);
  memset(p, 'x', 4 * PG);
  RESULT("install", kmadvise(p + PG, 2 * PG, GUARD_INSTALL));
  MAPS("lines", p, 4);
  FLAGS("flags", p);
  READS("guard", p + PG);
  WRITES("guard", p + 2 * PG);
  BYTE("behind", p + 3 * PG);
  NUM("Rss kB", smaps_number(p, "Rss"));
  MARK(p);
  (void)*(volatile char *)(p + PG);
}
CASE("madvise", "MADV_GUARD_INSTALL", "what it refuses") {
  char *p = area(2);
  kmlock(p, PG);
  RESULT("locked", kmadvise(p, PG, GUARD_INSTALL));
  RESULT("twice", (kmadvise(p + PG, PG, GUARD_INSTALL), kmadvise(p + PG, PG, GUARD_INSTALL)));
}
CASE("madvise", "MADV_GUARD_INSTALL", "a child inherits it; munmap, DONTNEED and mprotect") {
  char *p = area(4);
  kmadvise(p, 4 * PG, GUARD_INSTALL);
  IN_CHILD("child", READS("guard", p));
  kmadvise(p, PG, MADV_DONTNEED);
  READS("after MADV_DONTNEED", p);
  kmprotect(p + PG, PG, PROT_READ);
  kmprotect(p + PG, PG, RW);
  READS("after mprotect", p + PG);
  kmmap(p + 2 * PG, PG, RW, ANON | MAP_FIXED, -1, 0);
  READS("after mmap over it", p + 2 * PG);
  char *q = kmremap(p + 3 * PG, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, hole(1));
  READS("after mremap", q);
}
CASE("madvise", "MADV_GUARD_INSTALL", "the kernel's own access: EFAULT") {
  char *p = area(2);
  int ends[2];
  MUST(pipe(ends));
  MUST(write(ends[1], "abc", 3));
  kmadvise(p, PG, GUARD_INSTALL);
  COUNT("read", read(ends[0], p, 3));
  COUNT("write", write(ends[1], p, 3));
  RESULT("MADV_POPULATE_READ", kmadvise(p, PG, MADV_POPULATE_READ));
  RESULT("mlock", kmlock(p, PG));
}
CASE("madvise", "MADV_GUARD_REMOVE", "memory is zero then; what is no guard stays") {
  char *p = area(3);
  memset(p, 'x', 3 * PG);
  kmadvise(p + PG, PG, GUARD_INSTALL);
  RESULT("remove", kmadvise(p, 3 * PG, GUARD_REMOVE));
  BYTE("no guard", p);
  BYTE("was one", p + PG);
}
