/* mseal(2), remap_file_pages(2), memfd_create(2) and its seals. */
#include "conform.h"
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
#define SEAL_SEAL 1
#define SEAL_SHRINK 2
#define SEAL_GROW 4
#define SEAL_WRITE 8
#define SEAL_FUTURE_WRITE 16
#define SEAL_EXEC 32
static long kmseal(void *p, size_t n, unsigned long flags) { return syscall(SYS_mseal, p, n, flags); }
static int memfd(unsigned flags) { return (int)syscall(SYS_memfd_create, "m", flags); }

CASE("mseal", "EPERM", "each call that would change the mapping") {
  char *p = area(4);
  p[0] = 's';
  RESULT("seal", kmseal(p, 4 * PG, 0));
  RESULT("seal again", kmseal(p, 4 * PG, 0));
  RESULT("munmap", kmunmap(p, PG));
  RESULT("munmap over it", kmunmap(p - PG, 2 * PG));
  RESULT("mprotect", kmprotect(p, PG, PROT_READ));
  RESULT("mmap over it", kmmap(p, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("mremap, move", kmremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, hole(1)));
  RESULT("mremap, shrink", kmremap(p, 4 * PG, PG, 0, NULL));
  RESULT("mremap, grow", kmremap(p, 4 * PG, 5 * PG, MREMAP_MAYMOVE, NULL));
  RESULT("mremap onto it", kmremap(area(1), PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, p));
  RESULT("mlock", kmlock(p, PG));
  RESULT("MADV_DONTFORK", kmadvise(p, PG, MADV_DONTFORK));
  WRITES("sealed", p);
  MAPS("lines", p, 4);
}
CASE("mseal", "EPERM", "madvise that drops what cannot be written") {
  char *p = area(2);
  p[0] = 's';
  kmprotect(p, PG, PROT_READ);
  kmseal(p, 2 * PG, 0);
  RESULT("MADV_DONTNEED, read-only", kmadvise(p, PG, MADV_DONTNEED));
  RESULT("MADV_DONTNEED, writable", kmadvise(p + PG, PG, MADV_DONTNEED));
  RESULT("MADV_WIPEONFORK, read-only", kmadvise(p, PG, MADV_WIPEONFORK));
  RESULT("MADV_GUARD_INSTALL, read-only", kmadvise(p, PG, 102));
  RESULT("MADV_COLD, read-only", kmadvise(p, PG, 20));
  BYTE("content", p);
}
CASE("mseal", "EINVAL", "flags and address") {
  char *p = area(2);
  RESULT("flags", kmseal(p, PG, 1));
  RESULT("not aligned", kmseal(p + 1, PG, 0));
  RESULT("wraps", kmseal((void *)-PG, 2 * PG, 0));
  RESULT("length 2^64 - 1", kmseal(p, (size_t)-1, 0));
  RESULT("length 0", kmseal(p, 0, 0));
}
CASE("mseal", "ENOMEM", "a hole: nothing is sealed") {
  char *p = area(4);
  kmunmap(p + PG, PG);
  RESULT("over it", kmseal(p, 4 * PG, 0));
  RESULT("nothing there", kmseal(p + PG, PG, 0));
  RESULT("still free", kmprotect(p, PG, PROT_READ));
}
CASE("mseal", "", "a part: three lines; a child has it too") {
  char *p = area(4);
  kmseal(p + PG, PG, 0);
  MAPS("lines", p, 4);
  FLAGS("flags", p + PG);
  IN_CHILD("child", RESULT("munmap in the child", kmunmap(p + PG, PG)));
}
CASE("remap_file_pages", "", "emulated: a mapping of its own") {
  int fd = disk("f", 4);
  char *p = reserve(4);
  kmmap(p, 4 * PG, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  RESULT("first page shows the third", syscall(SYS_remap_file_pages, p, PG, 0, 2L, 0));
  BYTE("first", p);
  BYTE("second", p + PG);
  MAPS("lines", p, 4);
}
CASE("remap_file_pages", "EINVAL", "what it refuses") {
  char *p = area(2), *s = kmmap(NULL, 2 * PG, RW, MAP_SHARED, disk("f", 2), 0);
  RESULT("private", syscall(SYS_remap_file_pages, p, PG, 0, 1L, 0));
  RESULT("prot", syscall(SYS_remap_file_pages, s, PG, (long)PROT_READ, 1L, 0));
  RESULT("length 0", syscall(SYS_remap_file_pages, s, 0L, 0, 1L, 0));
  RESULT("hole", syscall(SYS_remap_file_pages, hole(1), PG, 0, 1L, 0));
  RESULT("beyond the mapping", syscall(SYS_remap_file_pages, s + PG, 4 * PG, 0, 0L, 0));
}
CASE("memfd_create", "EINVAL", "flags and name") {
  char name[300];
  memset(name, 'n', sizeof name - 1);
  name[299] = 0;
  RESULT("unknown flag", memfd(0x100));
  RESULT("MFD_EXEC and MFD_NOEXEC_SEAL", memfd(0x18));
  RESULT("a name of 299 bytes", syscall(SYS_memfd_create, name, 0));
  RESULT("a name of 249 bytes", syscall(SYS_memfd_create, name + 50, 0));
  RESULT("a name of 250 bytes", syscall(SYS_memfd_create, name + 49, 0));
  RESULT("bad name", syscall(SYS_memfd_create, hole(1), 0));
}
CASE("memfd_create", "", "maps line, size, close on exec") {
  int fd = memfd(1);
  MUST(ftruncate(fd, 2 * PG));
  char *p = reserve(2);
  kmmap(p, 2 * PG, RW, MAP_SHARED | MAP_FIXED, fd, 0);
  MAPS("lines", p, 2);
  NUM("close on exec", fcntl(fd, F_GETFD));
  COUNT("seals", fcntl(fd, F_GET_SEALS));
  RESULT("add one", fcntl(fd, F_ADD_SEALS, SEAL_WRITE));
}
CASE("memfd_create", "F_SEAL_WRITE", "with a shared writable mapping: EBUSY; then nothing can be written") {
  int fd = memfd(2);
  MUST(ftruncate(fd, PG));
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0);
  RESULT("mapped", fcntl(fd, F_ADD_SEALS, SEAL_WRITE));
  kmunmap(p, PG);
  char *q = kmmap(NULL, PG, RW, MAP_PRIVATE, fd, 0);
  RESULT("mapped privately", fcntl(fd, F_ADD_SEALS, SEAL_WRITE));
  RESULT("write", write(fd, "x", 1));
  RESULT("shared writable", kmmap(NULL, PG, RW, MAP_SHARED, fd, 0));
  char *r = kmmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
  RESULT("shared read-only", r);
  RESULT("then writable", kmprotect(r, PG, RW));
  WRITES("private", q);
  RESULT("punch a hole", fallocate(fd, 3, 0, PG));
  COUNT("seals", fcntl(fd, F_GET_SEALS));
}
CASE("memfd_create", "F_SEAL_FUTURE_WRITE", "what is mapped stays writable") {
  int fd = memfd(2);
  MUST(ftruncate(fd, PG));
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0);
  RESULT("seal", fcntl(fd, F_ADD_SEALS, SEAL_FUTURE_WRITE));
  WRITES("mapped before", p);
  RESULT("write", write(fd, "x", 1));
  RESULT("shared writable", kmmap(NULL, PG, RW, MAP_SHARED, fd, 0));
  char *r = kmmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
  RESULT("then writable", kmprotect(r, PG, RW));
}
CASE("memfd_create", "F_SEAL_SHRINK", "and F_SEAL_GROW") {
  int fd = memfd(2);
  MUST(ftruncate(fd, 2 * PG));
  RESULT("shrink", fcntl(fd, F_ADD_SEALS, SEAL_SHRINK));
  RESULT("to a page", ftruncate(fd, PG));
  RESULT("to three pages", ftruncate(fd, 3 * PG));
  RESULT("grow", fcntl(fd, F_ADD_SEALS, SEAL_GROW));
  RESULT("to four pages", ftruncate(fd, 4 * PG));
  COUNT("write over the end", pwrite(fd, "abcd", 4, 3 * PG - 2));
  COUNT("write beyond the end", pwrite(fd, "abcd", 4, 3 * PG));
  RESULT("fallocate", fallocate(fd, 0, 0, 4 * PG));
}
CASE("memfd_create", "F_SEAL_SEAL", "no more seals") {
  int fd = memfd(2);
  RESULT("seal", fcntl(fd, F_ADD_SEALS, SEAL_SEAL));
  RESULT("another", fcntl(fd, F_ADD_SEALS, SEAL_WRITE));
  RESULT("unknown", fcntl(memfd(2), F_ADD_SEALS, 0x100));
  RESULT("read-only descriptor", fcntl(open("/proc/self/exe", O_RDONLY), F_ADD_SEALS, SEAL_WRITE));
}
CASE("memfd_create", "F_SEAL_EXEC", "MFD_NOEXEC_SEAL") {
  int fd = memfd(8);
  struct stat now;
  COUNT("seals", fcntl(fd, F_GET_SEALS));
  MUST(fstat(fd, &now));
  say("mode %o", now.st_mode & 0777);
  RESULT("chmod to executable", fchmod(fd, 0755));
  RESULT("map executable", kmmap(NULL, PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
  RESULT("chmod of other bits", fchmod(fd, 0600));
}
CASE("memfd_create", "F_SEAL_EXEC", "an executable file: all other seals come along") {
  int fd = memfd(2);
  RESULT("seal", fcntl(fd, F_ADD_SEALS, SEAL_EXEC));
  COUNT("seals", fcntl(fd, F_GET_SEALS));
  RESULT("chmod to not executable", fchmod(fd, 0600));
  int mapped = memfd(2);
  MUST(ftruncate(mapped, PG));
  char *p = kmmap(NULL, PG, RW, MAP_SHARED, mapped, 0);
  RESULT("seal what is mapped for writing", fcntl(mapped, F_ADD_SEALS, SEAL_EXEC));
  COUNT("seals", fcntl(mapped, F_GET_SEALS));
  WRITES("there", p);
}
