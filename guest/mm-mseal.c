/* mseal(2): what a sealed mapping refuses (mm/mseal.c, 6.18). */
#include "smaps.h"
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#define mseal(p, n, f) syscall(SYS_mseal, p, (size_t)(n), (unsigned long)(f))
static char *put(char *at, long pages, int prot) {
  return mmap(at, (size_t)(pages * PG), prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  char *w = reserve(120), *a = put(w, 6, rw);
  memset(a, 'a', 6 * PG);
  ERR("a flag", mseal(a, PG, 1));
  ERR("unaligned", mseal(a + 1, PG, 0));
  ERR("empty", mseal(a, 0, 0));
  ERR("wraps", mseal(a, -PG, 0));
  ERR("-1", mseal(a, -1, 0));
  ERR("nothing there", mseal(w - (1L << 33), PG, 0));
  ERR("seal 1 and 2", mseal(a + PG, 2 * PG - 5, 0));
  say("flags %s", vm_flags(a));
  say("flags %s", vm_flags(a + PG));
  show_maps("split", a, 6);
  ERR("again", mseal(a + PG, 2 * PG, 0));
  ERR("seal 3", mseal(a + 3 * PG, PG, 0));
  show_maps("merged", a, 6);
  char *s = a + PG;
  ERR("munmap", munmap(s, PG));
  ERR("munmap across it", munmap(a, 2 * PG));
  NUM("still there", a[0]);
  ERR("mmap over it", (long)mmap(s, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  ERR("MAP_FIXED_NOREPLACE", (long)mmap(s, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | 0x100000, -1, 0));
  ERR("mprotect", mprotect(s, PG, PROT_READ));
  ERR("mprotect to the same", mprotect(s, PG, rw));
  ERR("mprotect from before it", mprotect(a, 2 * PG, PROT_READ));
  show_maps("the part before it", a, 6);
  MUST(mprotect(a, PG, rw));
  ERR("mremap", (long)mremap(s, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, w + 40 * PG));
  ERR("grow", (long)mremap(s, 3 * PG, 4 * PG, MREMAP_MAYMOVE));
  ERR("shrink", (long)mremap(s, 3 * PG, PG, 0));
  ERR("the same size", (long)mremap(s, PG, PG, 0));
  ERR("DONTUNMAP", (long)mremap(s, PG, PG, MREMAP_MAYMOVE | 4));
  char *d = put(w + 40 * PG, 1, rw);
  ERR("mremap onto it", (long)mremap(d, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, s));
  static const struct { int advice; const char *name; } all[] = {{0, "NORMAL"}, {1, "RANDOM"}, {3, "WILLNEED"}, {4, "DONTNEED"},
    {8, "FREE"}, {9, "REMOVE"}, {10, "DONTFORK"}, {11, "DOFORK"}, {12, "MERGEABLE"}, {13, "UNMERGEABLE"}, {14, "HUGEPAGE"},
    {15, "NOHUGEPAGE"}, {16, "DONTDUMP"}, {17, "DODUMP"}, {18, "WIPEONFORK"}, {19, "KEEPONFORK"}, {20, "COLD"}, {21, "PAGEOUT"},
    {22, "POPULATE_READ"}, {23, "POPULATE_WRITE"}, {24, "DONTNEED_LOCKED"}, {102, "GUARD_INSTALL"}, {103, "GUARD_REMOVE"}};
  int fd = memfd_create("m", 0);
  MUST(ftruncate(fd, 8 * PG));
  char *ro = put(w + 20 * PG, 1, rw);
  *ro = 'r';
  MUST(mprotect(ro, PG, PROT_READ));
  char *shared = mmap(w + 22 * PG, PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  char *roshared = mmap(w + 24 * PG, PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  char *priv = mmap(w + 26 * PG, PG, rw, MAP_PRIVATE | MAP_FIXED, fd, 0);
  char *ropriv = mmap(w + 28 * PG, PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  char *none = put(w + 30 * PG, 1, PROT_NONE);
  char *fresh = put(w + 32 * PG, 1, PROT_READ);
  char *written = mmap(w + 34 * PG, PG, rw, MAP_PRIVATE | MAP_FIXED, fd, 0);
  *written = 'x';
  MUST(mprotect(written, PG, PROT_READ));
  char *places[] = {s, ro, shared, roshared, priv, ropriv, none, fresh, written};
  for (int i = 1; i < 9; i++) MUST(mseal(places[i], PG, 0));
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    char line[256];
    int n = 0;
    for (int k = 0; k < 9; k++) {
      int result = madvise(places[k], PG, all[i].advice);
      n += snprintf(line + n, sizeof line - (size_t)n, " %s", result == 0 ? "ok" : err_name(errno));
    }
    say("%s of rw, read-only, shared, shared read-only, file, file read-only, none, untouched, written file:%s", all[i].name, line);
  }
  say("flags %s", vm_flags(s));
  ERR("mlock", mlock(s, PG));
  ERR("munlock", munlock(s, PG));
  ERR("msync", msync(shared, PG, MS_SYNC));
  s[0] = 'w';
  NUM("written", s[0]);
  IN_CHILD("child", { say("flags %s", vm_flags(s)); ERR("munmap there", munmap(s, PG)); });
  ERR("over a hole", (munmap(a + 5 * PG, PG), mseal(a + 4 * PG, 3 * PG, 0)));
  say("flags %s", vm_flags(a + 4 * PG));
  ERR("remap_file_pages", syscall(SYS_remap_file_pages, shared, PG, 0, 1, 0));
  char *b = put(w + 60 * PG, 4, rw);
  MUST(mseal(b + PG, PG, 0));
  MUST(mseal(b + 3 * PG, PG, 0));
  show_maps("every other", b, 4);
  MUST(mseal(b, 4 * PG, 0));
  show_maps("all", b, 4);
  char *g = mmap(w + 70 * PG, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
  MUST(mseal(g, PG, 0));
  ERR("mseal of a part of a growing one", mseal(g, PG, 0));
  /* The C library's own sbrk may refuse. */
  unsigned long end = ((unsigned long)syscall(SYS_brk, 0) + PG - 1) & -PG;
  YES("longer heap", (unsigned long)syscall(SYS_brk, end + 4 * PG) == end + 4 * PG);
  ERR("seal its end", mseal(end, 4 * PG, 0));
  YES("brk goes not below that", (unsigned long)syscall(SYS_brk, end + PG) == end + 4 * PG);
  return 0;
}
