/* Signals in a program of many threads: who gets them, masks of each thread, sigwait, interrupted calls, timers, fork. */
#include "../check.h"
#include <pthread.h>
#include <semaphore.h>
static sem_t ready;
static __thread volatile int mine;
static int hits[8], children;
static volatile int quit;
static sem_t taken;
static void count(int sig) { (void)sig; mine++; sem_post(&taken); }
static void child(int sig) {
  (void)sig;
  int saved = errno;
  while (waitpid(-1, NULL, WNOHANG) > 0) __atomic_add_fetch(&children, 1, __ATOMIC_SEQ_CST);
  errno = saved;
}
static void *body(void *arg) {
  sem_post(&ready);
  while (mine < 10) sched_yield();
  hits[(long)arg] = mine;
  return NULL;
}
static void *waiter(void *arg) {
  sigset_t set;
  int sig, sum = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGRTMIN + 2);
  sem_post(&ready);
  for (int i = 0; i < 6; i++) {
    if (sigwait(&set, &sig) != 0) break;
    sum += sig == SIGUSR2 ? 1 : 100;
    sem_post(arg);
  }
  return (void *)(long)sum;
}
static void *sleeper(void *arg) {
  (void)arg;
  struct timespec t = {100, 0};
  sem_post(&ready);
  int r = nanosleep(&t, &t);
  return (void *)(long)(r == -1 && errno == EINTR && t.tv_sec >= 90);
}
static void *reader(void *arg) {
  char c;
  sem_post(&ready);
  long n = read((int)(long)arg, &c, 1);
  return (void *)(n == -1 ? (long)-errno : n * 1000 + c);
}
static void expired(union sigval value) { __atomic_add_fetch(&quit, value.sival_int, __ATOMIC_SEQ_CST); }
static void *alt_stack(void *arg) {
  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
  (void)arg;
  sigaltstack(&stack, NULL);
  sigaltstack(NULL, &old);
  long same = old.ss_sp == stack.ss_sp;
  stack.ss_flags = SS_DISABLE;
  sigaltstack(&stack, NULL);
  free(stack.ss_sp);
  return (void *)same;
}
int main(void) {
  pthread_t threads[8];
  void *result;
  sigset_t set;
  sem_init(&ready, 0, 0);
  sem_init(&taken, 0, 0);
  signal(SIGUSR1, count);
  for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  for (int i = 0; i < 8; i++) sem_wait(&ready);
  for (int n = 0; n < 10; n++)
    for (int i = 0; i < 8; i++) {
      pthread_kill(threads[i], SIGUSR1);
      while (sem_wait(&taken) == -1) {}
    }
  for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 8; i++) if (hits[i] != 10) say("thread %d got %d", i, hits[i]);
  NUM("the main thread got", mine);

  sem_t got;
  sem_init(&got, 0, 0);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGRTMIN + 2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  pthread_create(&threads[0], NULL, waiter, &got);
  sem_wait(&ready);
  for (int i = 0; i < 6; i++) {
    kill(getpid(), i % 2 ? SIGUSR2 : SIGRTMIN + 2);
    while (sem_wait(&got) == -1) {}
  }
  pthread_join(threads[0], &result);
  NUM("sigwait", result);

  pthread_create(&threads[0], NULL, sleeper, NULL);
  sem_wait(&ready);
  sleep_ms(20);
  pthread_kill(threads[0], SIGUSR1);
  pthread_join(threads[0], &result);
  NUM("a sleep is interrupted", result);

  int fds[2];
  MUST(pipe(fds));
  struct sigaction action = {0};
  action.sa_handler = count;
  for (int restart = 0; restart < 2; restart++) {
    action.sa_flags = restart ? SA_RESTART : 0;
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&threads[0], NULL, reader, (void *)(long)fds[0]);
    sem_wait(&ready);
    sleep_ms(20);
    pthread_kill(threads[0], SIGUSR1);
    sleep_ms(20);
    if (restart) MUST(write(fds[1], "A", 1));
    pthread_join(threads[0], &result);
    NUM(restart ? "read with SA_RESTART" : "read", result);
  }

  action.sa_handler = child;
  action.sa_flags = SA_RESTART;
  sigaction(SIGCHLD, &action, NULL);
  for (int i = 0; i < 12; i++) if (fork() == 0) _exit(i);
  while (__atomic_load_n(&children, __ATOMIC_SEQ_CST) < 12) sleep_ms(1);
  NUM("children", children);
  signal(SIGCHLD, SIG_DFL);

  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = expired, .sigev_value.sival_int = 1};
  struct itimerspec every = {{0, 5000000}, {0, 5000000}};
  MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
  MUST(timer_settime(timer, 0, &every, NULL));
  while (__atomic_load_n(&quit, __ATOMIC_SEQ_CST) < 5) sleep_ms(2);
  timer_delete(timer);
  say("timer threads ran");

  for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, alt_stack, NULL);
  long all = 0;
  for (int i = 0; i < 8; i++) {
    pthread_join(threads[i], &result);
    all += (long)result;
  }
  NUM("own alternate stacks", all);
  sigaltstack(NULL, &(stack_t){0});
  pthread_create(&threads[0], NULL, sleeper, NULL);
  sem_wait(&ready);
  IN_CHILD("a fatal signal ends all threads", {
    pthread_create(&threads[1], NULL, sleeper, NULL);
    sem_wait(&ready);
    pthread_kill(threads[1], SIGTERM);
    for (;;) pause();
  });
  IN_CHILD("only the caller is forked", { sleep_ms(5); _exit(pthread_kill(pthread_self(), 0)); });
  return 0;
}
