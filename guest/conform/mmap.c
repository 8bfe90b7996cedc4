/* mmap(2): every flag and errno of the man page. */
#include "conform.h"

/* ---- types ---- */
CASE("mmap", "MAP_PRIVATE", "a store does not reach the file") {
  int fd = disk("f", 2);
  char *p = kmmap(NULL, 2 * PG, RW, MAP_PRIVATE, fd, 0), c;
  p[0] = 'X';
  MUST(pread(fd, &c, 1, 0));
  BYTE("memory", p);
  BYTE("file", &c);
  BYTE("second page", p + PG);
}
CASE("mmap", "MAP_PRIVATE", "a page not yet written follows the file") {
  int fd = disk("f", 1);
  char *p = kmmap(NULL, PG, RW, MAP_PRIVATE, fd, 0);
  BYTE("before", p);
  MUST(pwrite(fd, "N", 1, 0));
  BYTE("after a write to the file", p);
  p[1] = 'x';
  MUST(pwrite(fd, "M", 1, 0));
  BYTE("after a store, and a write to the file", p);
}
CASE("mmap", "MAP_SHARED", "a store reaches the file, and the other way round") {
  int fd = disk("f", 1);
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0), c;
  p[5] = 'X';
  MUST(pread(fd, &c, 1, 5));
  BYTE("file", &c);
  MUST(pwrite(fd, "Y", 1, 6));
  BYTE("memory", p + 6);
}
CASE("mmap", "MAP_SHARED", "anonymous: parent and child see the same") {
  char *p = kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  IN_CHILD("child", p[0] = 'c');
  BYTE("parent", p);
}
CASE("mmap", "MAP_SHARED", "anonymous: maps line") {
  char *p = reserve(4);
  kmmap(p, 2 * PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  char *text = strdup(smaps_text(p, "VmFlags"));
  YES("shared", strstr(text, "sh") != NULL);
  MAPS("lines", p, 2);
}
CASE("mmap", "MAP_SHARED", "descriptor open for reading: no later PROT_WRITE") {
  close(disk("f", 1));
  int fd = open("f", O_RDONLY);
  char *p = kmmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
  BYTE("content", p);
  RESULT("mprotect to write", kmprotect(p, PG, RW));
  show_flags("flags", p);
  MARK(p);
  *(volatile char *)p = 1;
}
CASE("mmap", "MAP_SHARED_VALIDATE", "works as MAP_SHARED") {
  int fd = disk("f", 1);
  char *p = kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE, fd, 0), c;
  p[0] = 'V';
  MUST(pread(fd, &c, 1, 0));
  BYTE("file", &c);
}
CASE("mmap", "MAP_SHARED_VALIDATE", "unknown flag: EOPNOTSUPP; MAP_SHARED ignores it") {
  int fd = disk("f", 1), mem = shm(1);
  for (int bit = 0x400000; bit <= 0x20000000; bit <<= 1) {
    if (bit == 0x4000000) bit = 0x20000000; /* the size of huge pages is in between */
    RESULT("validate, disk", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | bit, fd, 0));
    RESULT("validate, memory", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | bit, mem, 0));
    RESULT("shared", kmmap(NULL, PG, RW, MAP_SHARED | bit, fd, 0));
    RESULT("private", kmmap(NULL, PG, RW, MAP_PRIVATE | bit, fd, 0));
  }
}
CASE("mmap", "MAP_SHARED_VALIDATE", "each known flag is taken") {
  int fd = disk("f", 1);
  RESULT("MAP_POPULATE", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_POPULATE, fd, 0));
  RESULT("MAP_NONBLOCK", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_NONBLOCK, fd, 0));
  RESULT("MAP_NORESERVE", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_NORESERVE, fd, 0));
  RESULT("MAP_LOCKED", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_LOCKED, fd, 0));
  RESULT("MAP_STACK", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_STACK, fd, 0));
  RESULT("MAP_DENYWRITE", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_DENYWRITE, fd, 0));
  RESULT("MAP_EXECUTABLE", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_EXECUTABLE, fd, 0));
  RESULT("MAP_UNINITIALIZED", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | 0x4000000, fd, 0));
  RESULT("MAP_GROWSDOWN", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_GROWSDOWN, fd, 0));
}
CASE("mmap", "MAP_SHARED_VALIDATE", "anonymous: EINVAL") {
  RESULT("map", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
}
CASE("mmap", "MAP_SHARED_VALIDATE", "MAP_FIXED_NOREPLACE is not among its flags") {
  int fd = disk("f", 1);
  char *p = hole(2);
  RESULT("in a hole", kmmap(p, PG, RW, MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, fd, 0));
  RESULT("over a mapping", kmmap(area(1), PG, RW, MAP_SHARED_VALIDATE | MAP_FIXED_NOREPLACE, fd, 0));
}
CASE("mmap", "MAP_SYNC", "refused where the file is not on DAX memory") {
  int fd = disk("f", 1), mem = shm(1);
  RESULT("validate, disk", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0));
  RESULT("validate, memory", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE | MAP_SYNC, mem, 0));
  RESULT("shared, memory", kmmap(NULL, PG, RW, MAP_SHARED | MAP_SYNC, mem, 0));
  RESULT("private, memory", kmmap(NULL, PG, RW, MAP_PRIVATE | MAP_SYNC, mem, 0));
  RESULT("anonymous", kmmap(NULL, PG, RW, ANON | MAP_SYNC, -1, 0));
  RESULT("anonymous shared", kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_SYNC, -1, 0));
}
CASE("mmap", "MAP_DROPPABLE", "maps line and flags") {
  char *p = reserve(4);
  PLACE("map", kmmap(p, 2 * PG, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), p);
  FLAGS("flags", p);
  MAPS("lines", p, 4);
  p[0] = 'd';
  BYTE("content", p);
}
CASE("mmap", "MAP_DROPPABLE", "what it refuses") {
  int fd = disk("f", 1);
  RESULT("with a file", kmmap(NULL, PG, RW, MAP_DROPPABLE, fd, 0));
  RESULT("with MAP_LOCKED", kmmap(NULL, PG, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
  RESULT("with MAP_HUGETLB", kmmap(NULL, 2 << 20, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
  RESULT("with MAP_GROWSDOWN", kmmap(NULL, PG, RW, MAP_DROPPABLE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
  RESULT("after mlockall(MCL_FUTURE)", (kmlockall(MCL_FUTURE), kmmap(NULL, PG, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0)));
}
CASE("mmap", "MAP_DROPPABLE", "locking and a child") {
  char *p = kmmap(NULL, PG, RW, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) { say("map: %s", err_name(errno)); return; }
  p[0] = 'd';
  RESULT("mlock", kmlock(p, PG));
  NUM("locked kB", smaps_number(p, "Locked"));
  RESULT("MADV_KEEPONFORK", kmadvise(p, PG, MADV_KEEPONFORK));
  IN_CHILD("child", BYTE("in the child", p));
  BYTE("in the parent", p);
}
CASE("mmap", "EINVAL", "neither shared nor private, and unknown types") {
  int fd = disk("f", 1);
  for (int type = 0; type < 16; type++) {
    char what[32];
    snprintf(what, sizeof what, "anonymous, type %d", type);
    if (type != MAP_DROPPABLE) RESULT(what, kmmap(NULL, PG, RW, type | MAP_ANONYMOUS, -1, 0));
    snprintf(what, sizeof what, "file, type %d", type);
    RESULT(what, kmmap(NULL, PG, RW, type, fd, 0));
  }
}
CASE("mmap", "EINVAL", "length 0") {
  RESULT("anonymous", kmmap(NULL, 0, RW, ANON, -1, 0));
  RESULT("file", kmmap(NULL, 0, RW, MAP_PRIVATE, disk("f", 1), 0));
  RESULT("bad descriptor", kmmap(NULL, 0, RW, MAP_PRIVATE, 99, 0));
}
CASE("mmap", "EINVAL", "offset that is not a multiple of a page") {
  int fd = disk("f", 2);
  RESULT("1", kmmap(NULL, PG, RW, MAP_PRIVATE, fd, 1));
  RESULT("a page and 2048", kmmap(NULL, PG, RW, MAP_PRIVATE, fd, PG + 2048));
  RESULT("anonymous", kmmap(NULL, PG, RW, ANON, -1, 100));
  RESULT("bad descriptor too", kmmap(NULL, PG, RW, MAP_PRIVATE, 99, 1));
}
CASE("mmap", "EINVAL", "fixed address that is not a multiple of a page") {
  char *p = hole(4);
  RESULT("MAP_FIXED", kmmap(p + 1, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("MAP_FIXED_NOREPLACE", kmmap(p + 2048, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  PLACE("a hint is rounded down", kmmap(p + PG + 5, PG, RW, ANON, -1, 0), p);
}
CASE("mmap", "EBADF", "no such descriptor, or one opened with O_PATH") {
  disk("f", 1);
  RESULT("99", kmmap(NULL, PG, RW, MAP_PRIVATE, 99, 0));
  RESULT("-1", kmmap(NULL, PG, RW, MAP_SHARED, -1, 0));
  RESULT("O_PATH", kmmap(NULL, PG, PROT_READ, MAP_SHARED, open("f", O_PATH), 0));
  RESULT("anonymous ignores it", kmmap(NULL, PG, RW, ANON, 99, 0));
}
CASE("mmap", "EACCES", "descriptor not open for reading") {
  close(disk("f", 1));
  int fd = open("f", O_WRONLY);
  RESULT("private read", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd, 0));
  RESULT("shared write", kmmap(NULL, PG, PROT_WRITE, MAP_SHARED, fd, 0));
  RESULT("none", kmmap(NULL, PG, PROT_NONE, MAP_PRIVATE, fd, 0));
}
CASE("mmap", "EACCES", "shared and writable over a read-only descriptor") {
  close(disk("f", 1));
  int fd = open("f", O_RDONLY);
  RESULT("shared write", kmmap(NULL, PG, PROT_WRITE, MAP_SHARED, fd, 0));
  RESULT("shared read-write", kmmap(NULL, PG, RW, MAP_SHARED, fd, 0));
  RESULT("validate read-write", kmmap(NULL, PG, RW, MAP_SHARED_VALIDATE, fd, 0));
  RESULT("private read-write", kmmap(NULL, PG, RW, MAP_PRIVATE, fd, 0));
  RESULT("shared read", kmmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0));
}
CASE("mmap", "ENODEV", "descriptors that cannot be mapped") {
  int ends[2];
  MUST(pipe(ends));
  RESULT("pipe", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, ends[0], 0));
  RESULT("pipe, shared and writable", kmmap(NULL, PG, RW, MAP_SHARED, ends[0], 0));
  RESULT("folder", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, open("/tmp", O_RDONLY), 0));
  RESULT("/dev/null", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, open("/dev/null", O_RDWR), 0));
  RESULT("/proc/self/status", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, open("/proc/self/status", O_RDONLY), 0));
  RESULT("growing down on a file", kmmap(NULL, PG, RW, MAP_PRIVATE | MAP_GROWSDOWN, disk("f", 1), 0));
}
CASE("mmap", "", "/dev/zero") {
  int fd = open("/dev/zero", O_RDWR);
  char *p = reserve(6);
  PLACE("private", kmmap(p, 2 * PG, RW, MAP_PRIVATE | MAP_FIXED, fd, 0), p);
  PLACE("shared", kmmap(p + 3 * PG, 2 * PG, RW, MAP_SHARED | MAP_FIXED, fd, 0), p);
  p[0] = 'x';
  p[3 * PG] = 'y';
  IN_CHILD("child", p[0] = 'c'; p[3 * PG] = 'c');
  BYTE("private", p);
  BYTE("shared", p + 3 * PG);
  BYTE("untouched", p + PG);
}
CASE("mmap", "EPERM", "PROT_EXEC from a file system mounted noexec") {
  int fd = open("/proc/self/cmdline", O_RDONLY);
  RESULT("procfs is noexec", kmmap(NULL, PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
}
CASE("mmap", "ENOMEM", "more than the address space has") {
  RESULT("2^62 bytes", kmmap(NULL, 1L << 62, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));
  RESULT("all but a page of 2^64", kmmap(NULL, (size_t)-PG, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));
  RESULT("2^64 - 1 bytes", kmmap(NULL, (size_t)-1, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));
  RESULT("fixed beyond the end", kmmap((char *)(1L << 62), PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("fixed at the last page", kmmap((char *)-PG, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("fixed, wraps", kmmap((char *)-PG, 2 * PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("a hint beyond the end is ignored", kmmap((char *)(1L << 62), PG, RW, ANON, -1, 0));
}
CASE("mmap", "EOVERFLOW", "offset and length beyond what a file can have") {
  int fd = disk("f", 1), mem = shm(1);
  off_t far = (off_t)(0x7ffffffffffff000);
  RESULT("page 2^51 - 1, disk", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd, far));
  RESULT("page 2^51 - 1, memory", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, mem, far));
  RESULT("negative", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd, -PG));
  RESULT("negative, 2 pages", kmmap(NULL, 2 * PG, PROT_READ, MAP_PRIVATE, fd, -PG));
  RESULT("anonymous, negative", kmmap(NULL, 2 * PG, PROT_READ, ANON, -1, -PG));
  RESULT("shared anonymous, negative", kmmap(NULL, 2 * PG, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, -PG));
}
CASE("mmap", "EAGAIN", "MAP_LOCKED beyond RLIMIT_MEMLOCK") {
  limit(RLIMIT_MEMLOCK, 8 * PG);
  drop_root();
  RESULT("8 pages", kmmap(NULL, 8 * PG, RW, ANON | MAP_LOCKED, -1, 0));
  RESULT("one more", kmmap(NULL, PG, RW, ANON | MAP_LOCKED, -1, 0));
  RESULT("9 pages", kmmap(NULL, 9 * PG, RW, ANON | MAP_LOCKED, -1, 0));
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
}
CASE("mmap", "MAP_LOCKED", "resident at once, and locked") {
  char *p = reserve(8);
  kmmap(p, 6 * PG, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0);
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("Locked kB", smaps_number(p, "Locked"));
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
  FLAGS("flags", p);
}
CASE("mmap", "MAP_LOCKED", "PROT_NONE: locked, not resident") {
  char *p = reserve(8);
  RESULT("map", kmmap(p, 6 * PG, PROT_NONE, ANON | MAP_FIXED | MAP_LOCKED, -1, 0));
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
  RESULT("mprotect populates", kmprotect(p, 6 * PG, RW));
  NUM("Rss kB", smaps_number(p, "Rss"));
}
CASE("mmap", "MAP_LOCKED", "of a file: past the end nothing is resident") {
  int fd = disk("f", 2);
  char *p = reserve(6);
  RESULT("map", kmmap(p, 4 * PG, RW, MAP_SHARED | MAP_FIXED | MAP_LOCKED, fd, 0));
  NUM("Rss kB", smaps_number(p, "Rss"));
  NUM("VmLck kB", read_field("/proc/self/status", "VmLck"));
}
CASE("mmap", "EPERM", "MAP_LOCKED with RLIMIT_MEMLOCK 0") {
  limit(RLIMIT_MEMLOCK, 0);
  RESULT("as root", kmmap(NULL, PG, RW, ANON | MAP_LOCKED, -1, 0));
  drop_root();
  RESULT("as nobody", kmmap(NULL, PG, RW, ANON | MAP_LOCKED, -1, 0));
}
CASE("mmap", "MAP_POPULATE", "resident at once") {
  char *p = reserve(10);
  kmmap(p, 4 * PG, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
  NUM("private Rss kB", smaps_number(p, "Rss"));
  kmmap(p + 5 * PG, 4 * PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
  NUM("shared Rss kB", smaps_number(p + 5 * PG, "Rss"));
}
CASE("mmap", "MAP_POPULATE", "a private file: writable pages are copied at once") {
  int fd = disk("f", 4);
  char *p = reserve(10);
  kmmap(p, 4 * PG, RW, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, fd, 0);
  NUM("writable: Rss kB", smaps_number(p, "Rss"));
  NUM("writable: Anonymous kB", smaps_number(p, "Anonymous"));
  kmmap(p, 4 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, fd, 0);
  NUM("read-only: Rss kB", smaps_number(p, "Rss"));
  NUM("read-only: Anonymous kB", smaps_number(p, "Anonymous"));
}
CASE("mmap", "MAP_POPULATE", "PROT_NONE and past the end of a file are no error") {
  int fd = disk("f", 1);
  RESULT("PROT_NONE", kmmap(NULL, 4 * PG, PROT_NONE, ANON | MAP_POPULATE, -1, 0));
  RESULT("past the end", kmmap(NULL, 4 * PG, RW, MAP_SHARED | MAP_POPULATE, fd, 0));
}
CASE("mmap", "MAP_NONBLOCK", "with MAP_POPULATE nothing is populated") {
  char *p = reserve(6);
  kmmap(p, 4 * PG, RW, ANON | MAP_FIXED | MAP_POPULATE | MAP_NONBLOCK, -1, 0);
  NUM("Rss kB", smaps_number(p, "Rss"));
}
CASE("mmap", "MAP_NORESERVE", "flags of the mapping") {
  char *p = reserve(6);
  kmmap(p, 2 * PG, RW, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0);
  FLAGS("private", p);
  kmmap(p + 3 * PG, 2 * PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
  FLAGS("shared", p + 3 * PG);
  kmmap(p + 3 * PG, 2 * PG, RW, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, disk("f", 2), 0);
  FLAGS("file", p + 3 * PG);
}
CASE("mmap", "MAP_STACK", "flags of the mapping") {
  char *p = reserve(4);
  kmmap(p, 2 * PG, RW, ANON | MAP_FIXED | MAP_STACK, -1, 0);
  FLAGS("flags", p);
}
CASE("mmap", "MAP_DENYWRITE", "ignored: the file can be opened for writing") {
  close(disk("f", 1));
  RESULT("map", kmmap(NULL, PG, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, open("f", O_RDONLY), 0));
  RESULT("open for writing", open("f", O_WRONLY));
}
CASE("mmap", "MAP_EXECUTABLE", "ignored") {
  char *p = reserve(4);
  kmmap(p, 2 * PG, RW, ANON | MAP_FIXED | MAP_EXECUTABLE, -1, 0);
  FLAGS("flags", p);
}
CASE("mmap", "MAP_UNINITIALIZED", "ignored: memory is zeroed") {
  char *p = kmmap(NULL, PG, RW, ANON | 0x4000000, -1, 0);
  BYTE("first byte", p);
}
CASE("mmap", "MAP_GROWSDOWN", "flags, and growth at a store below") {
  char *p = hole(1024);
  char *top = p + 1000 * PG;
  PLACE("map", kmmap(top, PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0), top);
  FLAGS("flags", top);
  top[-1] = 1;
  top[-10 * PG] = 1;
  MAPS("grown", top - 12 * PG, 14);
}
CASE("mmap", "MAP_GROWSDOWN", "shared anonymous: EINVAL") {
  RESULT("shared", kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
  RESULT("shared file", kmmap(NULL, PG, RW, MAP_SHARED | MAP_GROWSDOWN, disk("f", 1), 0));
}
CASE("mmap", "MAP_HUGETLB", "arguments that are refused") {
  int fd = disk("f", 1);
  RESULT("a plain file", kmmap(NULL, 2 << 20, RW, MAP_PRIVATE | MAP_HUGETLB, fd, 0));
  RESULT("no such size", kmmap(NULL, 2 << 20, RW, ANON | MAP_HUGETLB | (20 << 26), -1, 0));
  RESULT("unaligned address", kmmap((char *)0x12345000, 2 << 20, RW, ANON | MAP_HUGETLB | MAP_FIXED, -1, 0));
}
CASE("mmap", "MAP_FIXED", "replaces what was there") {
  char *p = area(4);
  memset(p, 'o', 4 * PG);
  kmmap(p + PG, 2 * PG, PROT_READ, ANON | MAP_FIXED, -1, 0);
  BYTE("before it", p);
  BYTE("in it", p + PG);
  BYTE("behind it", p + 3 * PG);
  MAPS("lines", p, 4);
}
CASE("mmap", "MAP_FIXED", "a failed call leaves what was there") {
  char *p = area(4);
  p[0] = 'o';
  RESULT("bad type", kmmap(p, PG, RW, MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  RESULT("read-only file", kmmap(p, PG, RW, MAP_SHARED | MAP_FIXED, open("/proc/self/exe", O_RDONLY), 0));
  BYTE("content", p);
}
CASE("mmap", "MAP_FIXED", "a file in the middle: three lines with their offsets") {
  int fd = disk("f", 8);
  char *p = reserve(8);
  kmmap(p, 8 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  kmmap(p + 2 * PG, 2 * PG, RW, ANON | MAP_FIXED, -1, 0);
  MAPS("lines", p, 8);
  kmmap(p + 2 * PG, 2 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 2 * PG);
  MAPS("mended", p, 8);
}
CASE("mmap", "MAP_FIXED_NOREPLACE", "over an existing mapping") {
  char *p = area(4);
  RESULT("map there", kmmap(p + PG, PG, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  RESULT("overlapping by a page", kmmap(p - PG, 2 * PG, PROT_READ, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  MAPS("after", p, 4);
}
CASE("mmap", "MAP_FIXED_NOREPLACE", "where nothing is") {
  char *p = hole(4);
  PLACE("map there", kmmap(p, 2 * PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), p);
  PLACE("beside it", kmmap(p + 2 * PG, 2 * PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), p);
  MAPS("after", p, 4);
}
CASE("mmap", "", "a hint that is free, one that is taken") {
  char *p = hole(64);
  PLACE("free", kmmap(p + 8 * PG, 2 * PG, RW, ANON, -1, 0), p);
  char *q = kmmap(p + 9 * PG, 2 * PG, RW, ANON, -1, 0);
  YES("taken: elsewhere, and no overlap", q != p + 9 * PG && (q >= p + 10 * PG || q + 2 * PG <= p + 8 * PG));
}
CASE("mmap", "", "two maps after each other lie below each other and merge") {
  char *a = kmmap(NULL, 64 * PG, RW, ANON, -1, 0), *b = kmmap(NULL, 64 * PG, RW, ANON, -1, 0);
  YES("below", b + 64 * PG == a);
}
CASE("mmap", "", "length is rounded up to pages") {
  char *p = hole(4);
  kmmap(p, PG + 1, RW, ANON | MAP_FIXED, -1, 0);
  MAPS("lines", p, 4);
}
CASE("mmap", "", "closing the descriptor keeps the mapping, deleting the file too") {
  int fd = disk("f", 1);
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0);
  close(fd);
  unlink("f");
  BYTE("content", p);
  p[0] = 'z';
  BYTE("store", p);
}
CASE("mmap", "PROT_NONE", "a store is SEGV_ACCERR") {
  char *p = area(2);
  kmmap(p, PG, PROT_NONE, ANON | MAP_FIXED, -1, 0);
  MARK(p);
  *(volatile char *)p = 1;
}
CASE("mmap", "PROT_NONE", "a load is SEGV_ACCERR") {
  char *p = area(2);
  kmmap(p, PG, PROT_NONE, ANON | MAP_FIXED, -1, 0);
  MARK(p);
  (void)*(volatile char *)(p + 3);
}
CASE("mmap", "PROT_READ", "a store is SEGV_ACCERR") {
  char *p = area(2);
  kmmap(p, PG, PROT_READ, ANON | MAP_FIXED, -1, 0);
  BYTE("load", p);
  MARK(p);
  *(volatile char *)(p + 8) = 1;
}
CASE("mmap", "PROT_WRITE", "implies reading") {
  char *p = area(2);
  kmmap(p, PG, PROT_WRITE, ANON | MAP_FIXED, -1, 0);
  READS("before a store", p);
  WRITES("", p);
  READS("after a store", p);
  MAPS("lines", p, 1);
}
CASE("mmap", "PROT_EXEC", "without it a jump is SEGV_ACCERR") {
  char *p = area(2);
  p[0] = 0;
  MARK(p);
  ((void (*)(void))hide(p))();
}
CASE("mmap", "PROT_SEM", "unknown bits of prot are ignored") {
  char *p = reserve(4);
  PLACE("PROT_SEM", kmmap(p, PG, RW | PROT_SEM, ANON | MAP_FIXED, -1, 0), p);
  PLACE("0x100", kmmap(p + 2 * PG, PG, PROT_READ | 0x100, ANON | MAP_FIXED, -1, 0), p);
  PLACE("PROT_GROWSDOWN", kmmap(p + 3 * PG, PG, PROT_READ | PROT_GROWSDOWN, ANON | MAP_FIXED, -1, 0), p);
  MAPS("lines", p, 4);
}
CASE("mmap", "ENOMEM", "RLIMIT_AS") {
  limit(RLIMIT_AS, (rlim_t)(read_field("/proc/self/status", "VmSize") + 64) * 1024);
  RESULT("12 pages", kmmap(NULL, 12 * PG, RW, ANON, -1, 0));
  RESULT("5 more", kmmap(NULL, 5 * PG, PROT_NONE, ANON, -1, 0));
  RESULT("4 more", kmmap(NULL, 4 * PG, PROT_NONE, ANON, -1, 0));
  RESULT("1 more", kmmap(NULL, PG, PROT_NONE, ANON, -1, 0));
}
CASE("mmap", "ENOMEM", "RLIMIT_DATA: private and writable memory") {
  limit(RLIMIT_DATA, (rlim_t)(read_field("/proc/self/status", "VmData") + 64) * 1024);
  RESULT("17 pages", kmmap(NULL, 17 * PG, RW, ANON, -1, 0));
  RESULT("12 pages", kmmap(NULL, 12 * PG, RW, ANON, -1, 0));
  RESULT("5 more", kmmap(NULL, 5 * PG, RW, ANON, -1, 0));
  RESULT("5 read-only", kmmap(NULL, 5 * PG, PROT_READ, ANON, -1, 0));
  RESULT("5 shared", kmmap(NULL, 5 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  RESULT("5 of a file", kmmap(NULL, 5 * PG, RW, MAP_PRIVATE, disk("f", 1), 0));
  RESULT("4 more", kmmap(NULL, 4 * PG, RW, ANON, -1, 0));
}
