/* Cancellation, cleanup handlers, signals to one thread, the process's end with threads left (pthread_cancel(3)). */
#include "check.h"
#include <pthread.h>
static void cleanup(void *arg) { say("cleanup %s", (char *)arg); }
static void *sleeper(void *arg) {
  pthread_cleanup_push(cleanup, arg);
  for (;;) pause();
  pthread_cleanup_pop(0);
  return NULL;
}
static volatile pthread_t handled;
static volatile int got;
static void handler(int sig) { (void)sig; handled = pthread_self(); got = 1; }
static void *waiter(void *arg) { (void)arg; while (!got) sleep_ms(1); return NULL; }
static void *forever(void *arg) { (void)arg; for (;;) sleep_ms(1000); return NULL; }
int main(void) {
  pthread_t t;
  void *r;
  pthread_create(&t, NULL, sleeper, "sleeper");
  sleep_ms(20);
  pthread_cancel(t);
  pthread_join(t, &r);
  YES("cancelled", r == PTHREAD_CANCELED);
  signal(SIGUSR1, handler);
  pthread_create(&t, NULL, waiter, NULL);
  pthread_kill(t, SIGUSR1);
  pthread_join(t, NULL);
  YES("handled by that thread", pthread_equal(handled, t));
  IN_CHILD("exit ends all threads", pthread_create(&t, NULL, forever, NULL); exit(6));
  IN_CHILD("a thread's fault kills all", pthread_create(&t, NULL, (void *(*)(void *))hide((void *)16), NULL); pause());
  IN_CHILD("main leaves, the last thread's end is exit 0", pthread_detach(pthread_self()); pthread_exit(NULL));
  return 0;
}
