/* mprotect splits a map in three and merges it again; the content stays (mprotect(2); mprotect_fixup, vma_modify). */
#include "check.h"
int main(void) {
  char *r = reserve(12);
  MUST(mprotect(r, 12 * PG, PROT_READ | PROT_WRITE));
  memset(r, 'x', 12 * PG);
  ERR("read-only middle", mprotect(r + 4 * PG, 4 * PG, PROT_READ));
  show_maps("three", r, 12);
  WRITES("middle", r + 5 * PG);
  READS("middle", r + 5 * PG);
  WRITES("beside", r + 3 * PG);
  ERR("none", mprotect(r + 6 * PG, PG, PROT_NONE));
  show_maps("five", r, 12);
  READS("none", r + 6 * PG);
  ERR("front again", mprotect(r, 5 * PG, PROT_READ | PROT_WRITE));
  show_maps("boundary moved", r, 12);
  ERR("all again", mprotect(r, 12 * PG, PROT_READ | PROT_WRITE));
  show_maps("one", r, 12);
  say("content %c%c", r[5 * PG], r[6 * PG]);
  ERR("unaligned", syscall(SYS_mprotect, r + 1, PG, PROT_READ)); // musl's function rounds
  ERR("length 0", mprotect(r, 0, PROT_READ));
  MUST(munmap(r + 6 * PG, PG));
  ERR("over a hole", mprotect(r + 4 * PG, 4 * PG, PROT_READ));
  show_maps("changed up to the hole", r, 12);
  ERR("bad prot", mprotect(r, PG, 0x40000000));
  ERR("GROWSDOWN of a map that does not grow", mprotect(r, PG, PROT_READ | PROT_GROWSDOWN));
  int fd = open("/proc/self/exe", O_RDONLY);
  char *f = mmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
  ERR("write to a shared map of a file opened read-only", mprotect(f, PG, PROT_READ | PROT_WRITE));
  return 0;
}
