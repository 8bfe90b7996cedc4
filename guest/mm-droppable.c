/* MAP_DROPPABLE (6.11 and later): memory that may go at any time, and does not survive fork. */
#include "smaps.h"
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif
static void *drop(void *at, long pages, int more) {
  return mmap(at, (size_t)(pages * PG), PROT_READ | PROT_WRITE, MAP_DROPPABLE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0) | more, -1, 0);
}
int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  char *w = reserve(40), *a = drop(w, 4, 0);
  YES("mapped", a == w);
  say("flags %s", vm_flags(a));
  memset(a, 'd', 2 * PG);
  say("content %c%c", a[0], a[PG]);
  say("Rss %ld Anonymous %ld LazyFree %ld Private_Dirty %ld", smaps_kib(a, "Rss"), smaps_kib(a, "Anonymous"),
    smaps_kib(a, "LazyFree"), smaps_kib(a, "Private_Dirty"));
  IN_CHILD("child", { say("content %d %d", a[0], a[PG]); say("flags %s", vm_flags(a)); });
  say("content %c", a[0]);
  ERR("MAP_LOCKED", (long)drop(w + 10 * PG, 1, MAP_LOCKED));
  ERR("MAP_GROWSDOWN", (long)drop(w + 10 * PG, 1, MAP_GROWSDOWN));
  ERR("MAP_NORESERVE", (long)drop(w + 10 * PG, 1, MAP_NORESERVE));
  ERR("MAP_POPULATE", (long)drop(w + 12 * PG, 2, MAP_POPULATE));
  NUM("Rss", smaps_kib(w + 12 * PG, "Rss"));
  int fd = memfd_create("m", 0);
  MUST(ftruncate(fd, PG));
  ERR("of a file", (long)mmap(NULL, PG, rw, MAP_DROPPABLE, fd, 0));
  ERR("KEEPONFORK", madvise(a, PG, MADV_KEEPONFORK));
  ERR("WIPEONFORK", madvise(a, PG, MADV_WIPEONFORK));
  ERR("DODUMP", madvise(a, PG, MADV_DODUMP));
  ERR("DONTDUMP", madvise(a, PG, MADV_DONTDUMP));
  ERR("MERGEABLE", madvise(a, PG, MADV_MERGEABLE));
  ERR("FREE", madvise(a + PG, PG, MADV_FREE));
  ERR("COLD", madvise(a, PG, MADV_COLD));
  ERR("PAGEOUT", madvise(a, 4 * PG, MADV_PAGEOUT));
  ERR("mlock", mlock(a, PG));
  say("flags %s", vm_flags(a));
  NUM("VmLck", status_kib("VmLck"));
  ERR("mprotect", mprotect(a, PG, PROT_READ));
  show_maps("split", a, 4);
  say("flags %s", vm_flags(a));
  ERR("mprotect back", mprotect(a, PG, rw));
  show_maps("whole", a, 4);
  YES("beside it", drop(a + 4 * PG, 2, 0) == a + 4 * PG);
  ERR("ordinary memory beside it", (long)mmap(a + 6 * PG, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  show_maps("merged", a, 7);
  char *b = mremap(a, 2 * PG, 4 * PG, MREMAP_MAYMOVE);
  YES("mremap", b != MAP_FAILED);
  say("flags %s", vm_flags(b));
  memset(b, 'e', 4 * PG);
  ERR("mlockall", mlockall(MCL_CURRENT));
  say("flags %s", vm_flags(b));
  munlockall();
  ERR("mlockall", mlockall(MCL_FUTURE));
  char *c = drop(NULL, 1, 0);
  YES("future", c != MAP_FAILED);
  say("flags %s", vm_flags(c));
  return 0;
}
