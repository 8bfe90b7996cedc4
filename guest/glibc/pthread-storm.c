/* Storms of 64 threads, round after round, and every synchronisation object of glibc's pthreads with exact totals. */
#include "../check.h"
#include <pthread.h>
#include <semaphore.h>
#define THREADS 64
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t items, slots;
static long counter, spun, once_runs, destroyed, serial, pairs[2], torn;
static __thread long own = 7;
static __thread char big[20000];
static long queue[8], head, tail, eaten;

static void *add(void *arg) {
  long n = (long)arg;
  own += n;
  memset(big, (int)n, sizeof big);
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&mutex);
    counter += n;
    pthread_mutex_unlock(&mutex);
  }
  for (size_t i = 0; i < sizeof big; i++) if (big[i] != (char)n) return NULL;
  return (void *)(own * 2);
}
static void storm(void *(*body)(void *), long *sum) {
  pthread_t threads[THREADS];
  *sum = 0;
  for (long i = 0; i < THREADS; i++) if (pthread_create(&threads[i], NULL, body, (void *)i) != 0) say("create failed");
  for (long i = 0; i < THREADS; i++) {
    void *result;
    if (pthread_join(threads[i], &result) != 0) say("join failed");
    *sum += (long)result;
  }
}
static void *rounds(void *arg) {
  (void)arg;
  for (int i = 0; i < 10; i++) {
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) serial++;
    pthread_barrier_wait(&barrier);
  }
  return NULL;
}
static void *readwrite(void *arg) {
  for (int i = 0; i < 40; i++) {
    if ((i + (long)arg) % 4 == 0) {
      pthread_rwlock_wrlock(&rwlock);
      pairs[0]++;
      if (i % 8 == 0) sched_yield();
      pairs[1]++;
    } else {
      pthread_rwlock_rdlock(&rwlock);
      if (pairs[0] != pairs[1]) torn++;
    }
    pthread_rwlock_unlock(&rwlock);
    pthread_spin_lock(&spin);
    spun++;
    pthread_spin_unlock(&spin);
  }
  return NULL;
}
static void *produce_eat(void *arg) {
  long n = (long)arg, sum = 0;
  for (int i = 0; i < 20; i++) {
    if (n % 2 == 0) {
      sem_wait(&slots);
      pthread_mutex_lock(&mutex);
      queue[head++ % 8] = n + i;
      pthread_mutex_unlock(&mutex);
      sem_post(&items);
    } else {
      sem_wait(&items);
      pthread_mutex_lock(&mutex);
      sum += queue[tail++ % 8];
      eaten++;
      pthread_mutex_unlock(&mutex);
      sem_post(&slots);
    }
  }
  return (void *)sum;
}
static long turn;
static void *in_turn(void *arg) {
  long n = (long)arg;
  pthread_mutex_lock(&mutex);
  while (turn != n) pthread_cond_wait(&cond, &mutex);
  turn++;
  pthread_cond_broadcast(&cond);
  pthread_mutex_unlock(&mutex);
  return NULL;
}
static void make_once(void) { once_runs++; }
static void destroy(void *value) { __atomic_add_fetch(&destroyed, (long)value, __ATOMIC_SEQ_CST); }
static void *keyed(void *arg) {
  pthread_once(&once, make_once);
  pthread_setspecific(key, (void *)((long)arg + 1));
  sched_yield();
  return pthread_getspecific(key);
}
static volatile long cleaned;
static void clean(void *arg) { __atomic_add_fetch(&cleaned, (long)arg, __ATOMIC_SEQ_CST); }
static void *to_cancel(void *arg) {
  pthread_cleanup_push(clean, (void *)1);
  pthread_cleanup_push(clean, (void *)100);
  if ((long)arg % 2 == 0) for (;;) pause();
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  for (;;) __asm__ volatile("");
  pthread_cleanup_pop(1);
  pthread_cleanup_pop(1);
  return NULL;
}
static void *detached(void *arg) {
  __atomic_add_fetch((long *)arg, 1, __ATOMIC_SEQ_CST);
  return NULL;
}
static void *slow(void *arg) {
  sleep_ms((long)arg);
  return arg;
}
static void *holds(void *arg) {
  pthread_mutex_lock(arg);
  return NULL;
}
int main(void) {
  long sum;
  for (int round = 0; round < 6; round++) {
    counter = 0;
    storm(add, &sum);
    say("round %d: counter %ld, results %ld, own %ld", round, counter, sum, own);
  }
  pthread_barrier_init(&barrier, NULL, THREADS);
  storm(rounds, &sum);
  NUM("serial threads", serial);
  pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
  storm(readwrite, &sum);
  say("written %ld %ld, torn %ld, spun %ld", pairs[0], pairs[1], torn, spun);
  sem_init(&items, 0, 0);
  sem_init(&slots, 0, 8);
  storm(produce_eat, &sum);
  say("eaten %ld, sum %ld", eaten, sum);
  storm(in_turn, &sum);
  NUM("turns", turn);
  pthread_key_create(&key, destroy);
  storm(keyed, &sum);
  say("keys %ld, destroyed %ld, once %ld", sum, destroyed, once_runs);

  pthread_t threads[8];
  for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, to_cancel, (void *)i);
  sleep_ms(30);
  for (int i = 0; i < 8; i++) pthread_cancel(threads[i]);
  int canceled = 0;
  for (int i = 0; i < 8; i++) {
    void *result;
    pthread_join(threads[i], &result);
    canceled += result == PTHREAD_CANCELED;
  }
  say("canceled %d, cleaned %ld", canceled, cleaned);

  long done = 0;
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attr, 64 * 1024);
  for (int i = 0; i < 200; i++) {
    pthread_t thread;
    int error = pthread_create(&thread, &attr, detached, &done);
    if (error != 0) say("detached %d: %s", i, err_name(error));
  }
  while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < 200) sleep_ms(1);
  NUM("detached threads", done);

  struct timespec until;
  void *result;
  pthread_create(&threads[0], NULL, slow, (void *)200L);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 20000000;
  if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
  say("timed join: %s", err_name(pthread_timedjoin_np(threads[0], &result, &until)));
  say("try join: %s", err_name(pthread_tryjoin_np(threads[0], &result)));
  NUM("join", pthread_join(threads[0], &result));
  NUM("result", result);

  pthread_mutex_lock(&mutex);
  say("timed lock: %s", err_name(pthread_mutex_timedlock(&mutex, &until)));
  say("timed wait: %s", err_name(pthread_cond_timedwait(&cond, &mutex, &until)));
  pthread_mutex_unlock(&mutex);
  pthread_mutexattr_t kind;
  pthread_mutex_t special;
  pthread_mutexattr_init(&kind);
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&special, &kind);
  pthread_mutex_lock(&special);
  say("error check: %s", err_name(pthread_mutex_lock(&special)));
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&special, &kind);
  pthread_mutex_lock(&special);
  NUM("recursive", pthread_mutex_lock(&special));
  pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_NORMAL);
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&special, &kind);
  pthread_create(&threads[0], NULL, holds, &special);
  pthread_join(threads[0], NULL);
  say("robust: %s", err_name(pthread_mutex_lock(&special)));
  NUM("consistent", pthread_mutex_consistent(&special));
  NUM("unlock", pthread_mutex_unlock(&special));
  pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_STALLED);
  pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&special, &kind);
  NUM("inheriting lock", pthread_mutex_lock(&special));
  NUM("inheriting unlock", pthread_mutex_unlock(&special));
  return 0;
}
