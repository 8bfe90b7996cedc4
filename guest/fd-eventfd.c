/* eventfd and timerfd: counters, semaphores, blocking, what poll says; timers with intervals, absolute times, settings. */
#include "check.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

static short events_of(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  return p.revents;
}

static void counters(void) {
  uint64_t value = 0;
  int fd = eventfd(3, EFD_NONBLOCK);
  NUM("poll with 3", events_of(fd));
  RET("read", read(fd, &value, 8));
  NUM("was", value);
  RET("read of 0", read(fd, &value, 8));
  NUM("poll with 0", events_of(fd));
  RET("short read", read(fd, &value, 7));
  value = UINT64_MAX;
  RET("write of all ones", write(fd, &value, 8));
  value = UINT64_MAX - 1;
  RET("write of the largest", write(fd, &value, 8));
  NUM("poll when full", events_of(fd));
  value = 1;
  RET("write when full", write(fd, &value, 8));
  RET("short write", write(fd, &value, 4));
  char long_text[16] = {1};
  RET("long read", read(fd, long_text, 16));
  value = 0;
  RET("write of 0", write(fd, &value, 8));
  ERR("lseek", lseek(fd, 0, SEEK_SET));
  ERR("pread", pread(fd, &value, 8, 0));
  close(fd);
  fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
  RET("semaphore read", read(fd, &value, 8));
  NUM("got", value);
  RET("semaphore read", read(fd, &value, 8));
  RET("semaphore read", read(fd, &value, 8));
  close(fd);
  ERR("unknown flag", eventfd(0, 1 << 20));
  fd = eventfd(0, EFD_CLOEXEC);
  NUM("close on exec", fcntl(fd, F_GETFD));
  pid_t pid = fork();
  if (pid == 0) {
    sleep_ms(20);
    value = 7;
    write(fd, &value, 8);
    _exit(0);
  }
  RET("blocking read", read(fd, &value, 8));
  NUM("got", value);
  say("writer: %s", wait_text(pid));
  close(fd);
}

static void timers(void) {
  uint64_t count = 0;
  struct itimerspec set = {{0, 0}, {0, 10000000}}, now;
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  RET("read of a timer that is off", read(fd, &count, 8));
  ERR("gettime", timerfd_gettime(fd, &now));
  NUM("off", now.it_value.tv_sec + now.it_value.tv_nsec);
  ERR("settime", timerfd_settime(fd, 0, &set, NULL));
  RET("read before it fires", read(fd, &count, 8));
  struct pollfd p = {fd, POLLIN, 0};
  RET("poll", poll(&p, 1, 1000));
  RET("read", read(fd, &count, 8));
  NUM("fired", count);
  RET("read again", read(fd, &count, 8));
  set = (struct itimerspec){{0, 5000000}, {0, 5000000}};
  ERR("interval", timerfd_settime(fd, 0, &set, NULL));
  sleep_ms(28);
  RET("read", read(fd, &count, 8));
  YES("several expirations", count >= 4 && count <= 8);
  struct itimerspec old;
  set = (struct itimerspec){{0, 0}, {0, 0}};
  ERR("disarm", timerfd_settime(fd, 0, &set, &old));
  NUM("old interval", old.it_interval.tv_nsec);
  YES("old rest", old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 5000000);
  RET("read when off", read(fd, &count, 8));
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_nsec -= t.tv_nsec > 0;
  set = (struct itimerspec){{0, 0}, t};
  ERR("absolute, in the past", timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL));
  p.revents = 0;
  RET("poll", poll(&p, 1, 1000));
  RET("read", read(fd, &count, 8));
  set.it_value = (struct timespec){0, 1000000000};
  ERR("ns of a second", timerfd_settime(fd, 0, &set, NULL));
  set.it_value = (struct timespec){-1, 0};
  ERR("negative", timerfd_settime(fd, 0, &set, NULL));
  RET("write", write(fd, &count, 8));
  RET("short read", read(fd, &count, 4));
  ERR("bad flag", timerfd_settime(fd, 64, &set, NULL));
  ERR("bad clock", timerfd_create(77, 0));
  ERR("bad create flag", timerfd_create(CLOCK_REALTIME, 1));
  int other = eventfd(0, 0);
  ERR("of another file", timerfd_gettime(other, &now));
  close(fd);
  fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
  clock_gettime(CLOCK_REALTIME, &t);
  t.tv_nsec += 10000000;
  if (t.tv_nsec >= 1000000000) { t.tv_nsec -= 1000000000; t.tv_sec++; }
  set = (struct itimerspec){{0, 0}, t};
  ERR("absolute, real time", timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL));
  RET("blocking read", read(fd, &count, 8));
  NUM("fired", count);
}

int main(void) {
  counters();
  timers();
  return 0;
}
