/* Memory of many times the RAM: anonymous, forked, shared and of a file, written and read in several rounds; the sums are right. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define PG 4096

static uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352d;
  x ^= x >> 15;
  return x * 0x846ca68b;
}
static void fill(uint32_t *at, long pages, uint32_t seed) {
  for (long i = 0; i < pages; i++)
    for (int j = 0; j < PG / 4; j += 128) at[i * (PG / 4) + j] = mix(seed + (uint32_t)(i * 64 + j));
}
static long wrong(const uint32_t *at, long pages, uint32_t seed) {
  long count = 0;
  for (long i = 0; i < pages; i++)
    for (int j = 0; j < PG / 4; j += 128) count += at[i * (PG / 4) + j] != mix(seed + (uint32_t)(i * 64 + j));
  return count;
}
static void *map(long pages, int flags, int fd) {
  void *at = mmap(NULL, (size_t)pages * PG, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (at == MAP_FAILED) exit(9);
  return at;
}

int main(int argc, char **argv) {
  long pages = argc > 1 ? atol(argv[1]) * 256 : 4096;
  uint32_t *a = map(pages, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  uint32_t *s = map(pages / 8, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  for (uint32_t round = 1; round <= 2; round++) {
    fill(a, pages, round);
    printf("round %u: %ld wrong\n", round, wrong(a, pages, round));
  }
  fill(s, pages / 8, 77);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    long bad = wrong(a, pages, 2);
    fill(a, pages / 2, 3);
    fill(s, pages / 16, 78);
    bad += wrong(a, pages / 2, 3) + wrong(a + pages / 2 * (PG / 4), pages / 2, 2 + (uint32_t)(pages / 2 * 64));
    printf("child: %ld wrong\n", bad);
    fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("child ended: %d\n", status);
  printf("parent: %ld wrong\n", wrong(a, pages, 2));
  printf("shared: %ld wrong\n", wrong(s, pages / 16, 78) + wrong(s + pages / 16 * (PG / 4), pages / 16, 77 + (uint32_t)(pages / 16 * 64)));
  return 0;
}
