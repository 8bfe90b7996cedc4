/* futex by hand: wait with a wrong value, timeout, wake counts, requeue, bitset, shared between processes (futex(2)). */
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
static int word, other, woken;
static long futex(int *at, int op, int value, const void *timeout, int *at2, int value3) {
  return syscall(SYS_futex, at, op, value, timeout, at2, value3);
}
static void *waiter(void *arg) {
  (void)arg;
  futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
  __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
  return NULL;
}
static void until_woken(int n) { while (__atomic_load_n(&woken, __ATOMIC_SEQ_CST) < n) sleep_ms(1); }
int main(void) {
  struct timespec t = {0, 20000000}, bad = {0, 2000000000};
  ERR("wrong value", futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0));
  ERR("timeout", futex(&word, FUTEX_WAIT_PRIVATE, 0, &t, NULL, 0));
  ERR("bad timeout", futex(&word, FUTEX_WAIT_PRIVATE, 0, &bad, NULL, 0));
  ERR("unaligned", futex((int *)((char *)&word + 1), FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
  ERR("bad address", futex((int *)hide((void *)16), FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
  ERR("unknown operation", futex(&word, 99, 0, NULL, NULL, 0));
  ERR("bitset 0", futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0));
  RET("nobody to wake", futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, waiter, NULL);
  sleep_ms(100);
  RET("wake one", futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
  until_woken(1);
  RET("requeue with a wrong value", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10L, &other, 5));
  RET("wake one, requeue two", futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10L, &other, 0));
  until_woken(2);
  RET("none left here", futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
  RET("two there", futex(&other, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  NUM("woken", woken);
  int *shared = (int *)map_anon(1, PROT_READ | PROT_WRITE, MAP_SHARED);
  pid_t pid = fork();
  if (pid == 0) { while (*(volatile int *)shared == 0) futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0); _exit(8); }
  sleep_ms(50);
  __atomic_store_n(shared, 1, __ATOMIC_SEQ_CST);
  RET("shared wake", futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0));
  say("%s", wait_text(pid));
  return 0;
}
