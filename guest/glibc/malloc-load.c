/* malloc, calloc, realloc, aligned_alloc and free from 8 threads; blocks are filled with their owner's pattern, handed from
   thread to thread, and verified before they are freed. */
#include "../check.h"
#include <malloc.h>
#include <pthread.h>
#define THREADS 8
#define SLOTS 64
struct block { unsigned char *bytes; size_t size; unsigned char pattern; };
static struct block shared[SLOTS];
static pthread_mutex_t locks[SLOTS];
static long bad, operations, largest;

static void fill(struct block *b, unsigned seed) {
  b->pattern = (unsigned char)(seed * 37 + 1);
  memset(b->bytes, b->pattern, b->size);
}
static void verify(const struct block *b) {
  for (size_t i = 0; i < b->size; i++)
    if (b->bytes[i] != b->pattern) {
      __atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
      return;
    }
}
static size_t pick_size(unsigned r) {
  switch (r % 8) {
  case 0: return 1 + r % 24;
  case 1: case 2: case 3: return 16 + r % 500;
  case 4: case 5: return 1000 + r % 4000;
  case 6: return 9000 + r % 60000;
  default: return r % 64 == 7 ? 150000 + r % 100000 : 64;
  }
}
static void *work(void *arg) {
  unsigned state = (unsigned)(long)arg * 7919 + 1;
  for (int i = 0; i < 1500; i++) {
    state = state * 1103515245u + 12345u;
    unsigned r = state >> 8;
    struct block *slot = &shared[r % SLOTS];
    pthread_mutex_lock(&locks[r % SLOTS]);
    size_t size = pick_size(r >> 6);
    if (slot->bytes == NULL) {
      if (r % 5 == 0) {
        slot->bytes = calloc(1, size);
        for (size_t k = 0; k < size; k++) if (slot->bytes[k] != 0) __atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
      } else if (r % 5 == 1) {
        size = (size + 255) & ~255UL;
        slot->bytes = aligned_alloc(256, size);
        if ((uintptr_t)slot->bytes % 256 != 0) __atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
      } else slot->bytes = malloc(size);
      slot->size = size;
      fill(slot, r);
    } else if (r % 3 == 0) {
      size_t kept = slot->size < size ? slot->size : size;
      slot->bytes = realloc(slot->bytes, size);
      slot->size = kept;
      verify(slot);
      slot->size = size;
      fill(slot, r);
    } else {
      verify(slot);
      free(slot->bytes);
      slot->bytes = NULL;
    }
    pthread_mutex_unlock(&locks[r % SLOTS]);
    __atomic_add_fetch(&operations, 1, __ATOMIC_SEQ_CST);
    long before = __atomic_load_n(&largest, __ATOMIC_SEQ_CST);
    while ((long)size > before && !__atomic_compare_exchange_n(&largest, &before, (long)size, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
  }
  return NULL;
}
int main(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < SLOTS; i++) pthread_mutex_init(&locks[i], NULL);
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < SLOTS; i++) if (shared[i].bytes) { verify(&shared[i]); free(shared[i].bytes); }
  say("operations %ld, bad %ld, a large one %s", operations, bad, largest > 150000 ? "yes" : "no");
  malloc_trim(0);
  YES("nothing is in use", mallinfo2().uordblks < 300000);
  void *huge = malloc(1UL << 46);
  YES("more than there can be", huge == NULL && errno == ENOMEM);
  char *text = strdup("x");
  for (int i = 0; i < 15; i++) {
    size_t n = strlen(text);
    text = realloc(text, 2 * n + 1);
    memcpy(text + n, text, n);
    text[2 * n] = 0;
  }
  NUM("grown", strlen(text));
  free(text);
  return 0;
}
