/* A handler interrupts a blocked read: EINTR, or it starts again with SA_RESTART; pause never does (signal(7)). */
#include "check.h"
#include <poll.h>
#include <sys/time.h>
static volatile int got;
static int p[2];
static void on_alarm(int sig) { (void)sig; got++; }
static void arm(long ms) { struct itimerval t = {{0, 0}, {ms / 1000, ms % 1000 * 1000}}; setitimer(ITIMER_REAL, &t, NULL); }
static void feed(int sig) { (void)sig; got++; if (write(p[1], "y", 1) != 1) _exit(9); }
static void handler(void (*f)(int), int flags) {
  struct sigaction action = {0};
  action.sa_handler = f;
  action.sa_flags = flags;
  sigaction(SIGALRM, &action, NULL);
}
int main(void) {
  char c;
  MUST(pipe(p));
  handler(on_alarm, 0);
  arm(20);
  RET("read without SA_RESTART", read(p[0], &c, 1));
  handler(feed, SA_RESTART);
  arm(20);
  RET("read with SA_RESTART", read(p[0], &c, 1));
  handler(on_alarm, SA_RESTART);
  arm(20);
  RET("pause", pause());
  arm(20);
  RET("poll", poll(NULL, 0, 5000));
  arm(20);
  struct timespec t = {5, 0}, rest = {0, 0};
  RET("nanosleep", nanosleep(&t, &rest));
  YES("rest is told", rest.tv_sec == 4);
  pid_t pid = fork();
  if (pid == 0) { sleep_ms(100); _exit(3); }
  arm(20);
  int status;
  YES("wait4 with SA_RESTART", waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
  handler(on_alarm, 0);
  pid = fork();
  if (pid == 0) { sleep_ms(200); _exit(3); }
  arm(20);
  RET("wait4 without", waitpid(pid, &status, 0));
  say("%s", wait_text(pid));
  NUM("handlers ran", got);
  struct itimerval it = {{0, 5000}, {0, 5000}};
  got = 0;
  setitimer(ITIMER_REAL, &it, NULL);
  while (got < 4) pause();
  YES("periodic timer", got >= 4);
  struct itimerval off = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &off, &it);
  NUM("its interval", it.it_interval.tv_usec);
  NUM("alarm before", alarm(100));
  YES("alarm rest", alarm(0) >= 99);
  return 0;
}
