/* Page faults: the first touch of anonymous memory, copy on write, SIGSEGV that the program handles, swap. An operation is a page. */
#include "bench.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ROUND_PAGES 2048L

static long least(long a, long b) { return a < b ? a : b; }

static volatile char *map_pages(long pages) {
  char *at = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  madvise(at, (size_t)(pages * PAGE), MADV_NOHUGEPAGE);
  return at;
}

static void unmap_pages(volatile char *at, long pages) { munmap((void *)at, (size_t)(pages * PAGE)); }

static void fault_touch(long n) {
  for (long left = n; left > 0; left -= ROUND_PAGES) {
    long pages = least(left, ROUND_PAGES);
    volatile char *at = map_pages(ROUND_PAGES);
    measure_begin();
    for (long i = 0; i < pages; i++) at[i * PAGE] = 1;
    measure_end();
    unmap_pages(at, ROUND_PAGES);
  }
}

static void fault_read_zero(long n) {
  int sum = 0;
  for (long left = n; left > 0; left -= ROUND_PAGES) {
    long pages = least(left, ROUND_PAGES);
    volatile char *at = map_pages(ROUND_PAGES);
    measure_begin();
    for (long i = 0; i < pages; i++) sum += at[i * PAGE];
    measure_end();
    unmap_pages(at, ROUND_PAGES);
  }
  if (sum != 0) exit(4);
}

/* Mapping, touching and unmapping together: what a program pays for memory that it uses once. */
static void touch_and_unmap(long n) {
  measure_begin();
  for (long left = n; left > 0; left -= ROUND_PAGES) {
    long pages = least(left, ROUND_PAGES);
    volatile char *at = map_pages(ROUND_PAGES);
    for (long i = 0; i < pages; i++) at[i * PAGE] = 1;
    unmap_pages(at, ROUND_PAGES);
  }
  measure_end();
}

static void cow_storm(long n) {
  volatile char *at = map_pages(ROUND_PAGES);
  for (long i = 0; i < ROUND_PAGES; i++) at[i * PAGE] = 1;
  for (long left = n; left > 0; left -= ROUND_PAGES) {
    long pages = least(left, ROUND_PAGES);
    pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) {
      measure_begin();
      for (long i = 0; i < pages; i++) at[i * PAGE] = 2;
      measure_end();
      _exit(0);
    }
    waitpid(pid, NULL, 0);
  }
  unmap_pages(at, ROUND_PAGES);
}

static char *guarded;

static void on_segv(int signo) {
  (void)signo;
  mprotect(guarded, (size_t)PAGE, PROT_READ | PROT_WRITE);
}

/* A SIGSEGV whose handler allows the access with mprotect; one mprotect more takes it away again. */
static void segv_handler(long n) {
  guarded = (char *)map_pages(1);
  guarded[0] = 1;
  struct sigaction action = {.sa_handler = on_segv};
  sigaction(SIGSEGV, &action, NULL);
  measure_begin();
  for (long i = 0; i < n; i++) {
    mprotect(guarded, (size_t)PAGE, PROT_NONE);
    *(volatile char *)guarded = 2;
  }
  measure_end();
  munmap(guarded, (size_t)PAGE);
}

/* A page goes out by MADV_PAGEOUT and comes back by a load. */
static void swap_out_in(long n) {
  FILE *swaps = fopen("/proc/swaps", "r");
  char line[200];
  int areas = -1;
  while (swaps != NULL && fgets(line, sizeof line, swaps) != NULL) areas++;
  if (areas <= 0) skip("no swap");
  fclose(swaps);
  int sum = 0;
  for (long left = n; left > 0; left -= ROUND_PAGES) {
    long pages = least(left, ROUND_PAGES);
    volatile char *at = map_pages(pages);
    for (long i = 0; i < pages; i++) at[i * PAGE] = (char)(i | 1);
    measure_begin();
    madvise((void *)at, (size_t)(pages * PAGE), MADV_PAGEOUT);
    for (long i = 0; i < pages; i++) sum += at[i * PAGE];
    measure_end();
    unmap_pages(at, pages);
  }
  if (sum == 12345) puts("");
}

static const struct benchmark all[] = {
    {"fault_touch", fault_touch},   {"fault_read_zero", fault_read_zero}, {"touch_and_unmap", touch_and_unmap},
    {"cow_storm", cow_storm},       {"segv_handler", segv_handler},       {"swap_out_in", swap_out_in},
};
BENCH_MAIN(all)
