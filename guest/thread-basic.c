/* Threads: results, TLS, once, detach, exit, mutexes under contention (pthreads(7)). */
#include "check.h"
#include <pthread.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static __thread int local = 5;
static long counter, inits, destroyed;
static void init(void) { inits++; }
static void destroy(void *p) { __atomic_add_fetch(&destroyed, (long)p, __ATOMIC_SEQ_CST); }
static void *work(void *arg) {
  pthread_once(&once, init);
  pthread_setspecific(key, arg);
  local += (int)(long)arg;
  for (int i = 0; i < 5000; i++) { pthread_mutex_lock(&lock); counter++; pthread_mutex_unlock(&lock); }
  if ((long)arg & 1) pthread_exit((void *)(long)(local * 10));
  return (void *)(long)(local * 10);
}
static void *detached(void *arg) { __atomic_store_n((int *)arg, 1, __ATOMIC_SEQ_CST); return NULL; }
int main(void) {
  pthread_t t[6];
  pthread_key_create(&key, destroy);
  for (long i = 0; i < 6; i++) if (pthread_create(&t[i], NULL, work, (void *)(i + 1))) return 1;
  for (int i = 0; i < 6; i++) { void *r; pthread_join(t[i], &r); say("thread %d: %ld", i, (long)r); }
  say("counter %ld, once %ld, destructors %ld, own local %d", counter, inits, destroyed, local);
  int flag = 0;
  pthread_create(&t[0], NULL, detached, &flag);
  pthread_detach(t[0]);
  while (!__atomic_load_n(&flag, __ATOMIC_SEQ_CST)) sched_yield();
  say("detached ran");
  pthread_mutex_t check;
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&check, &attr);
  pthread_mutex_lock(&check);
  say("lock twice: %s", err_name(pthread_mutex_lock(&check)));
  NUM("trylock of a free mutex", pthread_mutex_trylock(&lock));
  pthread_mutex_unlock(&check);
  say("unlock twice: %s", err_name(pthread_mutex_unlock(&check)));
  return 0;
}
