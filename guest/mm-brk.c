/* brk moves the end of the data segment, page by page in the page table, byte by byte in its answer (brk(2)). */
#include "check.h"
static char *brk_to(char *to) { return (char *)syscall(SYS_brk, to); }
int main(void) {
  char *start = brk_to(NULL);
  char *base = (char *)(((uintptr_t)start + PG - 1) & ~(uintptr_t)(PG - 1));
  YES("grow by 10 pages", brk_to(base + 10 * PG) == base + 10 * PG);
  NUM("zero", base[9 * PG]);
  base[9 * PG] = 1;
  YES("grow by bytes", brk_to(base + 10 * PG + 5) == base + 10 * PG + 5);
  WRITES("page of the last byte", base + 10 * PG + 4000);
  YES("shrink", brk_to(base + 2 * PG) == base + 2 * PG);
  READS("given back", base + 9 * PG);
  YES("grow again", brk_to(base + 10 * PG) == base + 10 * PG);
  NUM("zero again", base[9 * PG]);
  show_maps("heap", base, 12);
  YES("below the start changes nothing", brk_to((char *)PG) == base + 10 * PG);
  struct rlimit limit = {20 * PG, RLIM_INFINITY};
  ERR("limit data", setrlimit(RLIMIT_DATA, &limit));
  YES("above the limit changes nothing", brk_to(base + 4000 * PG) == base + 10 * PG);
  brk_to(start);
  return 0;
}
