/* 5000 pages, one byte of each: first all written, then all read. The TLB has 4096 entries for each. */
#include <stdio.h>
#include <sys/mman.h>

#define PAGES 5000L

__attribute__((noinline)) static void fill(volatile char *memory) {
  for (long page = 0; page < PAGES; page++) memory[page * 4096] = 1;
}

__attribute__((noinline)) static long add(volatile char *memory) {
  long sum = 0;
  for (long page = 0; page < PAGES; page++) sum += memory[page * 4096];
  return sum;
}

int main(void) {
  char *memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  fill(memory);
  printf("%ld\n", add(memory) + add(memory));
  return 0;
}
