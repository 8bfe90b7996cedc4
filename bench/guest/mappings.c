/* System calls that change mappings. An operation is named above each. */
#include "bench.h"
#include <sys/mman.h>
#include <sys/syscall.h>

static char *map_at(void *hint, long pages, int prot, int more) {
  char *at = mmap(hint, (size_t)(pages * PAGE), prot, MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  return at;
}

/* mmap and munmap of four pages, where so many VMAs are, each with a hole of one page behind it: the search passes all of them. */
static void mmap_churn(long n, long live) {
  static long made = 0;
  static char *zone;
  if (made == 0) {
    zone = map_at(NULL, 2 * live, PROT_NONE, MAP_NORESERVE);
    for (long i = 0; i < live; i++) munmap(zone + (2 * i + 1) * PAGE, (size_t)PAGE);
    made = live;
  }
  measure_begin();
  for (long i = 0; i < n; i++) {
    char *at = map_at(NULL, 4, PROT_READ | PROT_WRITE, 0);
    munmap(at, (size_t)(4 * PAGE));
    /* and one of the many goes and comes: the index changes in its middle */
    long which = (long)(next_random() % (unsigned)live);
    munmap(zone + 2 * which * PAGE, (size_t)PAGE);
    map_at(zone + 2 * which * PAGE, 1, PROT_NONE, MAP_FIXED | MAP_NORESERVE);
  }
  measure_end();
}
static void mmap_churn_10(long n) { mmap_churn(n, 10); }
static void mmap_churn_1000(long n) { mmap_churn(n, 1000); }
static void mmap_churn_30000(long n) { mmap_churn(n, 30000); }

/* mprotect of one page in a mapping of 64, which splits it in three, and back, which merges it. */
static void mprotect_split(long n) {
  char *at = map_at(NULL, 64, PROT_READ | PROT_WRITE, 0);
  for (long i = 0; i < 64; i++) at[i * PAGE] = 1;
  measure_begin();
  for (long i = 0; i < n; i++) {
    char *page = at + (1 + i % 62) * PAGE;
    mprotect(page, (size_t)PAGE, PROT_READ);
    mprotect(page, (size_t)PAGE, PROT_READ | PROT_WRITE);
  }
  measure_end();
  munmap(at, (size_t)(64 * PAGE));
}

/* mremap by one page more, in place, up to 256 pages; then a fresh one. */
static void mremap_grow(long n) {
  char *zone = map_at(NULL, 257, PROT_NONE, 0);
  munmap(zone, (size_t)(257 * PAGE));
  measure_begin();
  for (long left = n; left > 0; left -= 255) {
    char *at = map_at(zone, 1, PROT_READ | PROT_WRITE, MAP_FIXED);
    at[0] = 1;
    long to = left < 255 ? left + 1 : 256;
    for (long pages = 1; pages < to; pages++) {
      if (mremap(at, (size_t)(pages * PAGE), (size_t)((pages + 1) * PAGE), 0) != at) fail("mremap");
    }
    munmap(at, (size_t)(to * PAGE));
  }
  measure_end();
}

/* mremap of 64 touched pages to another address. */
static void mremap_move(long n) {
  char *zone = map_at(NULL, 256, PROT_NONE, 0);
  char *at = map_at(zone, 64, PROT_READ | PROT_WRITE, MAP_FIXED);
  for (long i = 0; i < 64; i++) at[i * PAGE] = 1;
  measure_begin();
  for (long i = 0; i < n; i++) {
    char *to = at == zone ? zone + 128 * PAGE : zone;
    if (mremap(at, (size_t)(64 * PAGE), (size_t)(64 * PAGE), MREMAP_MAYMOVE | MREMAP_FIXED, to) != to) fail("mremap");
    at = to;
  }
  measure_end();
  munmap(zone, (size_t)(256 * PAGE));
}

/* brk by one page and a store to it, a thousand of them up, then all down. The call itself: musl has no brk of its own. */
static void brk_grow(long n) {
  char *base = (char *)syscall(SYS_brk, 0L);
  measure_begin();
  for (long left = n; left > 0; left -= 1000) {
    long pages = left < 1000 ? left : 1000;
    for (long i = 0; i < pages; i++) {
      char *end = base + (i + 1) * PAGE;
      if ((char *)syscall(SYS_brk, end) != end) fail("brk");
      end[-1] = 1;
    }
    if ((char *)syscall(SYS_brk, base) != base) fail("brk");
  }
  measure_end();
}

/* 128 GiB that nobody may touch (half of what Sv39 has for programs), made and taken away. */
static void reserve_128g(long n) {
  measure_begin();
  for (long i = 0; i < n; i++) {
    char *at = mmap(NULL, 1UL << 37, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) fail("mmap");
    munmap(at, 1UL << 37);
  }
  measure_end();
}

static const struct benchmark all[] = {
    {"mmap_churn_10", mmap_churn_10},   {"mmap_churn_1000", mmap_churn_1000}, {"mmap_churn_30000", mmap_churn_30000},
    {"mprotect_split", mprotect_split}, {"mremap_grow", mremap_grow},         {"mremap_move", mremap_move},
    {"brk_grow", brk_grow},             {"reserve_128g", reserve_128g},
};
BENCH_MAIN(all)
