/* Huge pages, or room for them: memory that is touched in part, whole, read alone, split, and a heap that grows past two megabytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };
static const long HUGE_PAGE = 2L << 20;

static char *room(long huge_pages) {
  char *all = mmap(NULL, (huge_pages + 2) * HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *at = (char *)(((unsigned long)all + HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE);
  mprotect(at, huge_pages * HUGE_PAGE, PROT_READ | PROT_WRITE);
  return at;
}

__attribute__((noinline)) static void store(char *at, int pages) {
  for (int i = 0; i < pages; i++) at[(long)i * PAGE] = 1;
}

__attribute__((noinline)) static long load(volatile char *at, int pages) {
  long sum = 0;
  for (int i = 0; i < pages; i++) sum += at[(long)i * PAGE];
  return sum;
}

int main(int argc, char **argv) {
  (void)argv;
  char *memory = room(6);
  if (argc > 1) madvise(memory, 6 * HUGE_PAGE, 14 /* MADV_HUGEPAGE */);
  store(memory, 512);                              /* whole */
  store(memory + HUGE_PAGE, 10);                   /* ten pages */
  long sum = load(memory + 2 * HUGE_PAGE, 100);    /* read, then stored to */
  store(memory + 2 * HUGE_PAGE, 100);
  sum += load(memory + 3 * HUGE_PAGE, 50);         /* read alone */
  store(memory + 4 * HUGE_PAGE, 20);               /* split by a hole */
  munmap(memory + 4 * HUGE_PAGE + 100 * PAGE, PAGE);
  for (int round = 0; round < 3; round++) sum += load(memory, 512);
  char *heap = sbrk(0);
  for (long grown = 0; grown < 3 * HUGE_PAGE; grown += 64 * PAGE) {
    if (sbrk(64 * PAGE) == (void *)-1) return 1;
    store(heap + grown, 64);
  }
  printf("%ld\n", sum);
  return 0;
}
