/* What ram.test.ts measures: several rounds over two and a half thousand pages, from the front to the back. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  enum { PAGES = 2500, PAGE = 4096 };
  volatile char *memory = malloc(PAGES * PAGE);
  long sum = 0;
  for (int round = 0; round < 4; round++)
    for (int page = 0; page < PAGES; page++) sum += memory[page * PAGE] += 1;
  printf("%ld\n", sum);
  return 0;
}
