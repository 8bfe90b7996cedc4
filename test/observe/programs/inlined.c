/* Functions inlined in functions, and a deep stack: what source lines and call stacks are tested with. */
#include <stdio.h>
#include <stdlib.h>

static inline __attribute__((always_inline)) int touch(char *p, size_t n) {
  int sum = 0;
  for (size_t i = 0; i < n; i += 4096) {
    p[i] = (char)i;
    sum += p[i];
  }
  return sum;
}

static inline __attribute__((always_inline)) int twice(char *p, size_t n) {
  return touch(p, n) + touch(p + 1, n);
}

__attribute__((noinline)) int work(int depth) {
  char *p = malloc(1 << 20);
  int sum = twice(p, (size_t)1 << (10 + depth));
  if (depth > 0) sum += work(depth - 1);
  free(p);
  return sum;
}

int main(void) {
  printf("%d\n", work(8));
  return 0;
}
