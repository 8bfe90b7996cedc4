/* malloc, realloc and free from several threads; every block keeps its content. */
#include "check.h"
#include <pthread.h>
static void *storm(void *arg) {
  unsigned long seed = (unsigned long)arg * 7919, sum = 0;
  unsigned char *blocks[64] = {0};
  size_t sizes[64] = {0};
  for (int i = 0; i < 6000; i++) {
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    int k = (int)(seed >> 58);
    size_t size = (seed >> 40 & 1023) + 1 + ((seed >> 33 & 127) == 0 ? 200000 : 0);
    if (blocks[k]) {
      if (blocks[k][0] != (unsigned char)k || blocks[k][sizes[k] - 1] != (unsigned char)k) return (void *)-1L;
      if (seed & 1 << 20) { blocks[k] = realloc(blocks[k], size); if (blocks[k][0] != (unsigned char)k) return (void *)-1L; }
      else { free(blocks[k]); blocks[k] = malloc(size); }
    } else blocks[k] = malloc(size);
    blocks[k][0] = blocks[k][size - 1] = (unsigned char)k;
    sizes[k] = size;
    sum += size;
  }
  for (int k = 0; k < 64; k++) free(blocks[k]);
  return (void *)sum;
}
int main(void) {
  pthread_t t[4];
  for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, storm, (void *)(i + 1));
  for (int i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); say("thread %d: %ld", i, (long)r); }
  return 0;
}
