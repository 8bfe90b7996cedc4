/* Loads and stores of memory that is there: memcpy (an operation is a MiB) and a chase through pointers (an operation is a load). */
#include "bench.h"
#include <sys/mman.h>

#define BLOCK (128L << 10)

static char from[BLOCK], to[BLOCK];

static void copy(long n) {
  memset(from, 3, sizeof from);
  measure_begin();
  for (long i = 0; i < n * ((1L << 20) / BLOCK); i++) {
    memcpy(to, from, BLOCK);
    from[i % BLOCK] = (char)i;
    __asm__ volatile("" : : "r"(to), "r"(from) : "memory");
  }
  measure_end();
}

/* One cycle through all lines of 64 bytes, in a random order (Sattolo). */
static void chase(long n, long mib) {
  static char *area;
  static void **at;
  long lines = mib * ((1L << 20) / 64);
  if (area == NULL) {
    area = mmap(NULL, (size_t)(mib << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) fail("mmap");
    for (long i = 0; i < lines; i++) *(long *)(area + i * 64) = i;
    for (long i = lines - 1; i > 0; i--) {
      long j = (long)(((unsigned long)next_random() * (unsigned long)i) >> 32);
      long swap = *(long *)(area + i * 64);
      *(long *)(area + i * 64) = *(long *)(area + j * 64);
      *(long *)(area + j * 64) = swap;
    }
    for (long i = 0; i < lines; i++) {
      long *line = (long *)(area + i * 64);
      *(void **)line = area + *line * 64;
    }
    at = (void **)area;
  }
  measure_begin();
  for (long i = 0; i < n; i++) at = *(void ***)at;
  measure_end();
  if (at == NULL) exit(4);
}
static void chase_1m(long n) { chase(n, 1); }
static void chase_16m(long n) { chase(n, 16); }
static void chase_256m(long n) { chase(n, 256); }

static const struct benchmark all[] = {
    {"memcpy", copy}, {"chase_1m", chase_1m}, {"chase_16m", chase_16m}, {"chase_256m", chase_256m}};
BENCH_MAIN(all)
