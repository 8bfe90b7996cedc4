/* epoll: level, edge and one-shot triggering, what closes and duplicates do, nesting, masks; ppoll and select corners. */
#include "check.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

static void show(const char *what, int ep, int timeout) {
  struct epoll_event events[8];
  int n = epoll_wait(ep, events, 8, timeout);
  char text[256] = "";
  for (int i = 0; i < n; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), " %x:%x", (unsigned)events[i].data.u64, (unsigned)events[i].events);
  if (n < 0) say("%s: %s", what, err_name(errno));
  else say("%s: %d%s", what, n, text);
}
static int control(int ep, int op, int fd, unsigned events, uint64_t data) {
  struct epoll_event e = {.events = events, .data.u64 = data};
  return epoll_ctl(ep, op, fd, &e);
}

static volatile int alarms;
static void on_alarm(int sig) { (void)sig; alarms++; }

static void triggers(void) {
  int ep = epoll_create1(0), p[2];
  char text[16];
  pipe(p);
  ERR("add", control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0xa));
  ERR("add twice", control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0xa));
  show("nothing", ep, 0);
  write(p[1], "ab", 2);
  show("level", ep, 0);
  show("level again", ep, 0);
  ERR("to edge", control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 0xb));
  show("edge", ep, 0);
  show("edge again", ep, 0);
  write(p[1], "c", 1);
  show("edge after a write", ep, 0);
  read(p[0], text, 1);
  show("edge after a part was read", ep, 0);
  ERR("to one shot", control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 0xc));
  show("one shot", ep, 0);
  write(p[1], "d", 1);
  show("one shot again", ep, 0);
  ERR("armed again", control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 0xd));
  show("one shot", ep, 0);
  ERR("delete", control(ep, EPOLL_CTL_DEL, p[0], 0, 0));
  ERR("delete twice", control(ep, EPOLL_CTL_DEL, p[0], 0, 0));
  ERR("modify what is not there", control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 0));
  ERR("add the writer", control(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 0xe));
  show("writable", ep, 0);
  close(p[0]);
  show("reader gone", ep, 0);
  close(p[1]);
  show("writer gone too", ep, 0);

  pipe(p);
  ERR("hang-up is always told", control(ep, EPOLL_CTL_ADD, p[0], 0, 0xf));
  show("before", ep, 0);
  close(p[1]);
  show("after", ep, 0);
  int copy = dup(p[0]);
  close(p[0]);
  show("a duplicate keeps it", ep, 0);
  close(copy);
  show("the last close ends it", ep, 0);
  close(ep);
}

static void errors(void) {
  int ep = epoll_create1(EPOLL_CLOEXEC), other = epoll_create1(0), e = eventfd(0, 0);
  struct epoll_event event = {.events = EPOLLIN};
  NUM("close on exec", fcntl(ep, F_GETFD));
  ERR("create 0", epoll_create(0));
  ERR("bad flag", epoll_create1(1));
  ERR("itself", control(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0));
  ERR("bad descriptor", control(ep, EPOLL_CTL_ADD, 999, EPOLLIN, 0));
  ERR("not an epoll", control(e, EPOLL_CTL_ADD, ep, EPOLLIN, 0));
  int folder = open("/", O_RDONLY), file = open("/proc/self/exe", O_RDONLY);
  ERR("a folder", control(ep, EPOLL_CTL_ADD, folder, EPOLLIN, 0));
  ERR("a file", control(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0));
  ERR("bad operation", epoll_ctl(ep, 9, e, &event));
  ERR("bad pointer", epoll_ctl(ep, EPOLL_CTL_ADD, e, hide((void *)8)));
  RET("no room", epoll_wait(ep, &event, 0, 0));
  ERR("nested", control(ep, EPOLL_CTL_ADD, other, EPOLLIN, 0x11));
  ERR("a loop", control(other, EPOLL_CTL_ADD, ep, EPOLLIN, 0x12));
  ERR("in the inner", control(other, EPOLL_CTL_ADD, e, EPOLLIN, 0x13));
  show("outer, nothing", ep, 0);
  uint64_t one = 1;
  write(e, &one, 8);
  show("outer", ep, 0);
  show("inner", other, 0);
  RET("write", write(ep, "x", 1));
}

static void waiting(void) {
  int ep = epoll_create1(0), p[2];
  pipe(p);
  control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0x21);
  pid_t pid = fork();
  if (pid == 0) {
    sleep_ms(20);
    write(p[1], "x", 1);
    _exit(0);
  }
  show("woken", ep, 5000);
  waitpid(pid, NULL, 0);
  char c;
  read(p[0], &c, 1);
  long start = now_ms();
  show("timeout", ep, 30);
  YES("time passed", now_ms() - start >= 29);

  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  sigset_t blocked, empty;
  sigemptyset(&empty);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  raise(SIGALRM);
  struct epoll_event event;
  RET("epoll_pwait lets the signal in", epoll_pwait(ep, &event, 1, 1000, &empty));
  NUM("handled", alarms);
  raise(SIGALRM);
  struct pollfd f = {p[0], POLLIN, 0};
  struct timespec t = {1, 0};
  RET("ppoll too", ppoll(&f, 1, &t, &empty));
  raise(SIGALRM);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(p[0], &set);
  RET("pselect too", pselect(p[0] + 1, &set, NULL, NULL, &t, &empty));
  NUM("handled", alarms);
  sigset_t now;
  sigprocmask(SIG_SETMASK, NULL, &now);
  NUM("mask is back", sigismember(&now, SIGALRM));
}

static void polls(void) {
  int p[2];
  pipe(p);
  struct pollfd f[3] = {{-1, POLLIN, 7}, {999, POLLIN, 0}, {p[1], POLLOUT | POLLIN, 0}};
  RET("poll", poll(f, 3, 0));
  say("%x %x %x", (unsigned)f[0].revents, (unsigned)f[1].revents, (unsigned)f[2].revents);
  RET("poll of none", poll(NULL, 0, 1));
  ERR("bad pointer", poll(hide((void *)8), 1, 0));
  ERR("too many", poll(hide(f), 1u << 30, 0));
  struct timespec bad = {0, -1};
  ERR("bad time", ppoll(f, 3, &bad, NULL));

  fd_set in, out;
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_SET(p[0], &in);
  FD_SET(p[1], &out);
  struct timeval tv = {0, 0};
  RET("select", select(p[1] + 1, &in, &out, NULL, &tv));
  say("in %d out %d", FD_ISSET(p[0], &in) != 0, FD_ISSET(p[1], &out) != 0);
  FD_ZERO(&in);
  FD_SET(500, &in);
  RET("select far above the table of descriptors", select(501, &in, NULL, NULL, &tv));
  FD_SET(40, &in);
  RET("select of a closed one", select(41, &in, NULL, NULL, &tv));
  RET("select below it", select(40, &in, NULL, NULL, &tv));
  RET("select of a negative count", select(-1, &in, NULL, NULL, &tv));
  tv = (struct timeval){0, 20000};
  long start = now_ms();
  RET("select as a sleep", select(0, NULL, NULL, NULL, &tv));
  YES("slept", now_ms() - start >= 19);
  tv = (struct timeval){-1, 0};
  RET("select of a negative time", select(0, NULL, NULL, NULL, &tv));
  close(p[1]);
  FD_ZERO(&in);
  FD_SET(p[0], &in);
  tv = (struct timeval){0, 0};
  RET("a hang-up is readable", select(p[0] + 1, &in, NULL, NULL, &tv));
}

int main(void) {
  triggers();
  errors();
  waiting();
  polls();
  return 0;
}
