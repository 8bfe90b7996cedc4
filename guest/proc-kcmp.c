/* kcmp(2) of what an epoll watches: KCMP_EPOLL_TFD (kernel/kcmp.c, fs/eventpoll.c, 6.18). */
#include "check.h"
#include <sys/epoll.h>

struct slot { uint32_t efd, tfd, toff; };

static long compare(int fd, int efd, int tfd, unsigned toff) {
  struct slot s = {(uint32_t)efd, (uint32_t)tfd, toff};
  long r = syscall(SYS_kcmp, getpid(), getpid(), 7, (long)fd, &s);
  return r > 0 ? 1 : r; /* another; which is the greater is the kernel's affair */
}

int main(void) {
  int p[2], ep = epoll_create1(0), other;
  struct epoll_event e = {.events = EPOLLIN};
  MUST(pipe(p));
  MUST(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
  RET("the same", compare(p[0], ep, p[0], 0));
  RET("another file", compare(p[1], ep, p[0], 0));
  RET("a copy of it", compare(dup(p[0]), ep, p[0], 0));
  RET("not watched", compare(p[1], ep, p[1], 0));
  RET("none behind it", compare(p[0], ep, p[0], 1));
  RET("no epoll", compare(p[0], p[1], p[0], 0));
  RET("no such epoll", compare(p[0], 99, p[0], 0));
  RET("no such file", compare(99, ep, p[0], 0));
  ERR("bad pointer", syscall(SYS_kcmp, getpid(), getpid(), 7, (long)p[0], 8L));
  /* The number is used again while the first file lives on in a copy. */
  MUST(other = dup(p[0]));
  MUST(close(p[0]));
  RET("still watched by its number", compare(other, ep, p[0], 0));
  int q[2];
  MUST(pipe(q));
  MUST(dup2(q[0], p[0]));
  MUST(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
  long first = compare(other, ep, p[0], 0), second = compare(other, ep, p[0], 1);
  NUM("one of the two", first * second == 0 && first + second == 1);
  return 0;
}
