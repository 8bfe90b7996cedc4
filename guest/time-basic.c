/* Clocks go forward, sleeps last at least as asked, in order (clock_gettime(2), nanosleep(2)). */
#include "check.h"
#include <sys/time.h>
#include <sys/times.h>
int main(void) {
  struct timespec a, b, bad = {0, 1000000000}, neg = {-1, 0};
  clock_gettime(CLOCK_MONOTONIC, &a);
  int back = 0;
  for (int i = 0; i < 1000; i++) {
    clock_gettime(CLOCK_MONOTONIC, &b);
    back += b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec);
    a = b;
  }
  NUM("monotonic goes back", back);
  long before = now_ms();
  sleep_ms(50);
  YES("slept 50 ms", now_ms() - before >= 50);
  for (int i = 3; i >= 1; i--) if (fork() == 0) { sleep_ms(i * 150); say("after %d units", i); _exit(0); }
  for (int i = 0; i < 3; i++) wait_text(-1);
  ERR("bad nanoseconds", nanosleep(&bad, NULL));
  ERR("negative", nanosleep(&neg, NULL));
  ERR("unknown clock", clock_gettime(99, &a));
  clock_gettime(CLOCK_MONOTONIC, &a);
  a = (struct timespec){0, 1}; /* a machine may have booted less than a second ago */
  NUM("absolute time in the past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &a, NULL));
  struct timeval tv;
  gettimeofday(&tv, NULL);
  YES("a date after 2020", tv.tv_sec > 1577836800);
  MUST(clock_getres(CLOCK_MONOTONIC, &a));
  YES("resolution", a.tv_sec == 0 && a.tv_nsec > 0);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
  volatile double x = 1;
  for (int i = 0; i < 2000000; i++) x = x * 1.0000001;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
  YES("CPU time passes", b.tv_sec > a.tv_sec || b.tv_nsec > a.tv_nsec);
  struct tms t;
  YES("times", times(&t) != -1);
  return 0;
}
