/* futex_waitv: sleeping on several words at once. */
#include "check.h"
#include <pthread.h>
#include <linux/futex.h>
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

struct waiter { uint64_t value, address; uint32_t flags, reserved; };
static uint32_t words[4];
static struct waiter list[130];
enum { U32 = 2, PRIVATE = 128 };

static long waitv(struct waiter *at, unsigned count, unsigned flags, struct timespec *until, int clock) {
  return syscall(SYS_futex_waitv, at, count, flags, until, clock);
}

static void fill(void) {
  memset(list, 0, sizeof list);
  for (int i = 0; i < 130; i++) list[i] = (struct waiter){0, (uintptr_t)&words[i % 4], U32 | PRIVATE, 0};
}

static void *waker(void *index) {
  uint32_t *word = &words[(long)index];
  while (syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0) == 0) usleep(1000);
  return NULL;
}

int main(void) {
  struct timespec past = {0, 1};
  fill();
  RET("none", waitv(list, 0, 0, NULL, CLOCK_MONOTONIC));
  RET("too many", waitv(list, 129, 0, NULL, CLOCK_MONOTONIC));
  RET("flags", waitv(list, 4, 1, NULL, CLOCK_MONOTONIC));
  RET("null", waitv(NULL, 4, 0, NULL, CLOCK_MONOTONIC));
  RET("a clock that is none of the two", waitv(list, 4, 0, &past, CLOCK_BOOTTIME));
  list[1].flags = PRIVATE;
  RET("a size that is not 32 bits", waitv(list, 4, 0, NULL, CLOCK_MONOTONIC));
  fill();
  list[1].reserved = 1;
  RET("reserved", waitv(list, 4, 0, NULL, CLOCK_MONOTONIC));
  fill();
  list[1].address++;
  RET("unaligned", waitv(list, 4, 0, NULL, CLOCK_MONOTONIC));
  fill();
  list[1].value = 1ull << 32;
  RET("a value of 33 bits", waitv(list, 4, 0, NULL, CLOCK_MONOTONIC));
  fill();
  list[2].value = 7;
  RET("another value", waitv(list, 4, 0, NULL, CLOCK_MONOTONIC));
  fill();
  RET("time that is over", waitv(list, 4, 0, &past, CLOCK_MONOTONIC));
  list[3].address = 4096;
  list[3].flags = U32;
  RET("nothing mapped", waitv(list, 4, 0, NULL, CLOCK_MONOTONIC));
  for (long i = 0; i < 4; i++) {
    pthread_t thread;
    fill();
    pthread_create(&thread, NULL, waker, (void *)i);
    RET("woken", waitv(list, 4, 0, NULL, CLOCK_MONOTONIC));
    pthread_join(thread, NULL);
  }
  return 0;
}
