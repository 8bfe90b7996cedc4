/* remap_file_pages(2) as it is emulated since 4.0 (mm/mmap.c). */
#include "smaps.h"
#define remap(p, n, prot, pgoff, flags) syscall(SYS_remap_file_pages, p, (size_t)(n), (unsigned long)(prot), (unsigned long)(pgoff), (unsigned long)(flags))
int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  scratch();
  int fd = letters("f", 6);
  char *w = reserve(40), *a = mmap(w, 6 * PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  ERR("page 1 shows page 4", remap(a + PG, PG, 0, 4, 0));
  say("%c%c%c", a[0], a[PG], a[2 * PG]);
  show_maps("maps", a, 6);
  ERR("two pages", remap(a + 3 * PG, 2 * PG, 0, 0, 0));
  say("%c%c%c", a[3 * PG], a[4 * PG], a[5 * PG]);
  ERR("back", remap(a + PG, PG, 0, 1, 0));
  show_maps("maps", a, 6);
  ERR("with rights", remap(a, PG, PROT_READ, 0, 0));
  ERR("MAP_NONBLOCK", remap(a, PG, 0, 2, MAP_NONBLOCK));
  ERR("unaligned", remap(a + 5, PG, 0, 2, 0));
  ERR("less than a page", remap(a, 100, 0, 2, 0));
  ERR("wraps", remap(a, -PG, 0, 2, 0));
  ERR("offset wraps", remap(a, PG, 0, -1L, 0));
  ERR("offset far", remap(a, PG, 0, 1L << 50, 0));
  ERR("other flags", remap(a, PG, 0, 2, MAP_LOCKED));
  ERR("across two mappings of the file", remap(a, 6 * PG, 0, 0, 0));
  show_maps("maps", a, 6);
  ERR("nothing there", remap(w - (1L << 33), PG, 0, 0, 0));
  ERR("anonymous", remap(w + 20 * PG, PG, 0, 0, 0));
  char *p = mmap(w + 10 * PG, 4 * PG, rw, MAP_PRIVATE | MAP_FIXED, fd, 0);
  ERR("private", remap(p, PG, 0, 1, 0));
  char *s = mmap(w + 16 * PG, 3 * PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  s[0] = 'A';
  s[2 * PG] = 'C';
  ERR("shared memory", remap(s, PG, 0, 2, 0));
  say("%c%c", s[0], s[2 * PG]);
  char *r = mmap(w + 22 * PG, 3 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  ERR("read-only", remap(r, PG, 0, 2, 0));
  say("%c %s", r[0], vm_flags(r));
  char *l = mmap(w + 26 * PG, 3 * PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  MUST(mlock(l, 3 * PG));
  ERR("locked", remap(l, PG, 0, 2, 0));
  say("%c %s VmLck %ld", l[0], vm_flags(l), status_kib("VmLck"));
  ERR("past the end", remap(l + PG, PG, 0, 100, 0));
  READS("there", l + PG);
  unlink("f");
  return 0;
}
