/* Three phases over one megabyte: all of it once, a small part many times, and a part that moves. Shapes that a reader can see. */
#include <stdlib.h>

enum { PAGE = 4096, PAGES = 256 };
static volatile char *table;

__attribute__((noinline)) static void sweep(void) {
  for (int i = 0; i < PAGES; i++)
    for (int at = 0; at < PAGE; at += 64) table[i * PAGE + at] = 1;
}

__attribute__((noinline)) static void stay(int pages) {
  for (int round = 0; round < 4000; round++)
    for (int i = 0; i < pages; i++) table[i * PAGE + round] += 1;
}

__attribute__((noinline)) static void wander(int pages) {
  for (int from = 0; from + pages <= PAGES; from += 4)
    for (int round = 0; round < 40; round++)
      for (int i = from; i < from + pages; i++) table[i * PAGE + round] += 1;
}

int main(void) {
  table = aligned_alloc(PAGE, PAGES * PAGE);
  sweep();
  stay(16);
  wander(32);
  return table[0] == 0;
}
