/* madvise's advice that changes a VMA's flags: VmFlags, splits and merges, errors and their order (mm/madvise.c, 6.18). */
#include "smaps.h"
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
static const struct { int advice; const char *name; } flags[] = {
  {MADV_RANDOM, "RANDOM"}, {MADV_SEQUENTIAL, "SEQUENTIAL"}, {MADV_NORMAL, "NORMAL"}, {MADV_DONTFORK, "DONTFORK"},
  {MADV_DOFORK, "DOFORK"}, {MADV_WIPEONFORK, "WIPEONFORK"}, {MADV_KEEPONFORK, "KEEPONFORK"}, {MADV_DONTDUMP, "DONTDUMP"},
  {MADV_DODUMP, "DODUMP"}, {MADV_HUGEPAGE, "HUGEPAGE"}, {MADV_NOHUGEPAGE, "NOHUGEPAGE"}, {MADV_MERGEABLE, "MERGEABLE"},
  {MADV_UNMERGEABLE, "UNMERGEABLE"}};
#define COUNT (int)(sizeof flags / sizeof *flags)

static void each(const char *what, char *at) {
  say("%s: %s", what, vm_flags(at));
  for (int i = 0; i < COUNT; i++) {
    int result = madvise(at, PG, flags[i].advice);
    say("  %s: %s, %s", flags[i].name, result == 0 ? "ok" : err_name(errno), vm_flags(at));
  }
}

static void shapes(int advice, int undo, const char *name) {
  char *a = reserve(6), title[64];
  MUST(mmap(a, 6 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
  snprintf(title, sizeof title, "%s of pages 1 and 2", name);
  ERR(title, madvise(a + PG, 2 * PG, advice));
  show_maps("  splits", a, 6);
  MUST(madvise(a + 3 * PG, 2 * PG, advice));
  show_maps("  and 3 and 4", a, 6);
  MUST(madvise(a + 2 * PG, PG, undo));
  show_maps("  not 2", a, 6);
  MUST(madvise(a, 6 * PG, undo));
  show_maps("  none", a, 6);
  MUST(munmap(a - PG, 8 * PG));
}

int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  scratch();
  int fd = letters("f", 4);
  char *whole = reserve(40), *at = whole;
  char *anon = mmap(at, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  char *shared = mmap(at + 2 * PG, PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  char *file = mmap(at + 4 * PG, PG, rw, MAP_PRIVATE | MAP_FIXED, fd, 0);
  char *sfile = mmap(at + 6 * PG, PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  char *rofile = mmap(at + 8 * PG, PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  char *none = at + 10 * PG;
  char *locked = mmap(at + 12 * PG, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  char *grows = mmap(at + 14 * PG, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
  char *stack = mmap(at + 16 * PG, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_FIXED, -1, 0);
  MUST(mlock(locked, PG));
  each("anonymous", anon);
  each("shared anonymous", shared);
  each("private file", file);
  each("shared file", sfile);
  each("read-only shared file", rofile);
  each("reserved", none);
  each("locked", locked);
  each("growing down", grows);
  each("MAP_STACK", stack);

  shapes(MADV_RANDOM, MADV_NORMAL, "RANDOM");
  shapes(MADV_DONTDUMP, MADV_DODUMP, "DONTDUMP");
  shapes(MADV_MERGEABLE, MADV_UNMERGEABLE, "MERGEABLE");
  shapes(MADV_HUGEPAGE, MADV_NOHUGEPAGE, "HUGEPAGE");
  shapes(MADV_WIPEONFORK, MADV_KEEPONFORK, "WIPEONFORK");

  static const int all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 27, 99,
    100, 101, 102, 103, 104, -1};
  char *hole = reserve(3);
  MUST(mmap(hole, 3 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
  memset(hole, 'h', 3 * PG);
  MUST(munmap(hole + PG, PG));
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    const char *names[7];
    char *places[] = {anon + 1, anon, anon, anon, whole + 3000000000000L, hole, hole + PG};
    unsigned long sizes[] = {PG, 0, -1UL, -PG, PG, 3 * PG, PG};
    char line[256];
    int n = 0;
    for (int k = 0; k < 7; k++) {
      int result = madvise(places[k], sizes[k], all[i]);
      names[k] = result == 0 ? "ok" : err_name(errno);
      n += snprintf(line + n, sizeof line - (size_t)n, " %s", names[k]);
    }
    say("advice %d: unaligned, empty, -1, huge, far, hole, nothing:%s", all[i], line);
  }
  unlink("f");
  return 0;
}
