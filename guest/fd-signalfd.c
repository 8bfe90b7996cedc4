/* signalfd(2): which signals, what is told of each, reading in other threads and children (fs/signalfd.c, 6.18). */
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

/* The first that both C libraries leave free lies above SIGRTMIN. */
#define RT 37

static int fd;
static pid_t self;

static int make(int old, const sigset_t *set, int flags) { return (int)syscall(SYS_signalfd4, old, set, (size_t)8, flags); }

static void show(const char *what) {
  struct signalfd_siginfo s[4];
  memset(s, 0xee, sizeof s);
  ssize_t n = read(fd, s, sizeof s);
  if (n < 0) {
    say("%s: %s", what, err_name(errno));
    return;
  }
  for (size_t i = 0; i < (size_t)n / sizeof *s; i++)
    say("%s: signal %u, code %d, errno %d, pid %s, uid %u, status %d, int %d, ptr %llx, overrun %u, addr %llx", what, s[i].ssi_signo,
        s[i].ssi_code, s[i].ssi_errno, s[i].ssi_pid == (uint32_t)self ? "own" : s[i].ssi_pid ? "other" : "0", s[i].ssi_uid,
        s[i].ssi_status, s[i].ssi_int, (unsigned long long)s[i].ssi_ptr, s[i].ssi_overrun, (unsigned long long)s[i].ssi_addr);
}
static int polled(void) {
  struct pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, 0) == 1 ? p.revents : 0;
}

static void errors(const sigset_t *set) {
  ERR("flags", make(-1, set, 1));
  ERR("size", syscall(SYS_signalfd4, -1, set, (size_t)16, 0));
  ERR("bad set", make(-1, (void *)8, 0));
  ERR("bad descriptor", make(999, set, 0));
  ERR("no signalfd", make(0, set, 0));
  int plain = make(-1, set, 0);
  NUM("cloexec", fcntl(plain, F_GETFD));
  NUM("flags of it", fcntl(plain, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/fd/%d", plain);
  ssize_t n = readlink(path, text, sizeof text);
  say("name: %.*s", (int)n, text);
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", plain);
  int info = open(path, O_RDONLY);
  n = read(info, text, sizeof text - 1);
  text[n > 0 ? n : 0] = 0;
  char *mask = strstr(text, "sigmask:");
  say("%.*s", mask ? (int)strcspn(mask, "\n") : 0, mask ? mask : "");
  close(info);
  close(plain);
}

static void *waiter(void *arg) {
  (void)arg;
  struct signalfd_siginfo s;
  ssize_t n = read(fd, &s, sizeof s);
  return (void *)(intptr_t)(n == sizeof s ? s.ssi_signo : 0);
}
static void handler(int s) { (void)s; }

int main(void) {
  sigset_t set, all, one;
  self = getpid();
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGUSR2);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, RT);
  sigaddset(&set, SIGKILL);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  errors(&set);
  fd = make(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  NUM("cloexec", fcntl(fd, F_GETFD));
  char small[127];
  ERR("too short", read(fd, small, sizeof small));
  ERR("write", write(fd, small, 8));
  show("nothing");
  NUM("poll", polled());
  MUST(kill(self, SIGUSR2));
  MUST(kill(self, SIGUSR1));
  MUST(kill(self, SIGUSR1));
  NUM("poll", polled());
  ERR("bad buffer", read(fd, hide((void *)8), 128));
  show("kill");
  NUM("poll", polled());
  union sigval value = {.sival_int = 77};
  MUST(sigqueue(self, RT, value));
  value.sival_int = 78;
  MUST(sigqueue(self, RT, value));
  show("queued");
  MUST(raise(SIGUSR1));
  show("raised");
  pid_t child = fork();
  if (child == 0) _exit(5);
  struct pollfd p = {fd, POLLIN, 0};
  NUM("a child ends", poll(&p, 1, 5000));
  show("child");
  waitpid(child, NULL, 0);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  event.sigev_value.sival_int = 9;
  MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
  struct itimerspec soon = {{0, 0}, {0, 1000000}};
  MUST(timer_settime(timer, 0, &soon, NULL));
  NUM("a timer", poll(&p, 1, 5000));
  show("timer");
  timer_delete(timer);
  /* Another set in place of the first. */
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  NUM("changed", make(fd, &one, 0) == fd);
  MUST(raise(SIGUSR1));
  show("not in the set");
  MUST(make(fd, &set, 0));
  show("in it");
  /* Handlers and sigtimedwait take from the same. */
  MUST(raise(SIGUSR1));
  signal(SIGUSR1, handler);
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  sigprocmask(SIG_UNBLOCK, &one, NULL);
  show("the handler had it");
  sigprocmask(SIG_BLOCK, &one, NULL);
  signal(SIGUSR1, SIG_IGN);
  MUST(raise(SIGUSR1));
  show("ignored, but blocked");
  /* A thread reads what is sent to the process; its own come to nobody else. */
  MUST(fcntl(fd, F_SETFL, 0));
  pthread_t t;
  pthread_create(&t, NULL, waiter, NULL);
  sleep_ms(20);
  MUST(kill(self, SIGUSR2));
  void *got;
  pthread_join(t, &got);
  NUM("a thread that waits", (long)(intptr_t)got);
  MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
  /* A child reads its own signals by the same descriptor. */
  MUST(kill(self, SIGUSR2));
  child = fork();
  if (child == 0) {
    self = getpid();
    show("the child has none");
    raise(SIGUSR2);
    show("the child");
    _exit(0);
  }
  say("child: %s", wait_text(child));
  show("the parent");
  int ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN};
  MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
  NUM("epoll", epoll_wait(ep, &e, 1, 0));
  sigfillset(&all);
  NUM("all signals", make(fd, &all, 0) == fd);
  show("child's end");
  MUST(kill(self, SIGUSR2));
  NUM("epoll", epoll_wait(ep, &e, 1, 1000));
  close(fd);
  return 0;
}
