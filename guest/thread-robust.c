/* A robust mutex whose owner died tells the next one; also across processes (pthread_mutexattr_setrobust(3), futex(2)). */
#include "check.h"
#include <pthread.h>
static void *die(void *arg) { pthread_mutex_lock(arg); return NULL; }
int main(void) {
  pthread_mutex_t *m = (pthread_mutex_t *)map_anon(1, PROT_READ | PROT_WRITE, MAP_SHARED);
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(m, &attr);
  pthread_t t;
  pthread_create(&t, NULL, die, m);
  pthread_join(t, NULL);
  say("after a thread died: %s", err_name(pthread_mutex_lock(m)));
  say("made consistent: %d", pthread_mutex_consistent(m));
  pthread_mutex_unlock(m);
  IN_CHILD("child dies with the lock", pthread_mutex_lock(m));
  say("after a process died: %s", err_name(pthread_mutex_lock(m)));
  pthread_mutex_unlock(m);
  say("not made consistent: %s", err_name(pthread_mutex_lock(m)));
  return 0;
}
