/* Condition variables, barriers, read-write locks, semaphores, timeouts (pthread_cond_timedwait(3), sem_wait(3)). */
#include "check.h"
#include <pthread.h>
#include <semaphore.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static int turn, log_[12], n, serial;
static void *player(void *arg) {
  int me = (int)(long)arg;
  for (int i = 0; i < 4; i++) {
    pthread_mutex_lock(&m);
    while (turn != me) pthread_cond_wait(&c, &m);
    log_[n++] = me;
    turn = (turn + 1) % 3;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
  }
  if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
  sem_post(&sem);
  return NULL;
}
static void *reader(void *arg) { pthread_rwlock_rdlock(&rw); *(int *)arg = turn; pthread_rwlock_unlock(&rw); return NULL; }
int main(void) {
  pthread_t t[3];
  pthread_barrier_init(&barrier, NULL, 3);
  sem_init(&sem, 0, 0);
  for (long i = 0; i < 3; i++) pthread_create(&t[i], NULL, player, (void *)i);
  for (int i = 0; i < 3; i++) sem_wait(&sem);
  for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
  char text[16] = {0};
  for (int i = 0; i < 12; i++) text[i] = (char)('0' + log_[i]);
  say("turns %s, serial %d", text, serial);
  ERR("sem_trywait", sem_trywait(&sem));
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 20000000;
  if (until.tv_nsec >= 1000000000) { until.tv_nsec -= 1000000000; until.tv_sec++; }
  ERR("sem_timedwait", sem_timedwait(&sem, &until));
  pthread_mutex_lock(&m);
  say("cond_timedwait: %s", err_name(pthread_cond_timedwait(&c, &m, &until)));
  pthread_mutex_unlock(&m);
  int seen = -1;
  pthread_rwlock_wrlock(&rw);
  pthread_create(&t[0], NULL, reader, &seen);
  sleep_ms(20);
  YES("reader waits for the writer", __atomic_load_n(&seen, __ATOMIC_SEQ_CST) == -1);
  turn = 9;
  pthread_rwlock_unlock(&rw);
  pthread_join(t[0], NULL);
  NUM("reader saw", seen);
  return 0;
}
