/* kill to a process, a group, and the checks before it; SIGPIPE; stop and continue (kill(2)). */
#include "check.h"
static volatile int got;
static void count(int sig) { (void)sig; got++; }
int main(void) {
  signal(SIGUSR1, count);
  ERR("signal 0 to self", kill(getpid(), 0));
  ERR("nobody", kill(999999, 0));
  ERR("negative signal", kill(getpid(), -1));
  setpgid(0, 0);
  int p[2], ready[2];
  char c;
  MUST(pipe(p)); MUST(pipe(ready));
  pid_t kids[3];
  for (int i = 0; i < 3; i++) {
    if ((kids[i] = fork()) == 0) {
      sigset_t none, one;
      sigemptyset(&none); sigemptyset(&one); sigaddset(&one, SIGUSR1);
      sigprocmask(SIG_BLOCK, &one, NULL);
      if (write(ready[1], "r", 1) != 1) _exit(99);
      sigsuspend(&none);
      _exit(10 + i);
    }
  }
  for (int i = 0; i < 3; i++) MUST(read(ready[0], &c, 1));
  kill(0, SIGUSR1);
  for (int i = 0; i < 3; i++) say("kid %d: %s", i, wait_text(kids[i]));
  NUM("self too", got);
  close(p[0]);
  IN_CHILD("write to a pipe nobody reads", if (write(p[1], "x", 1) == 1) _exit(1));
  signal(SIGPIPE, SIG_IGN);
  ERR("the same with SIGPIPE ignored", write(p[1], "x", 1));
  pid_t pid = fork();
  if (pid == 0) { raise(SIGSTOP); _exit(4); }
  int status;
  MUST(waitpid(pid, &status, WUNTRACED));
  say("%s", status_text(status));
  kill(pid, SIGTERM);
  RET("a stopped process does not die of SIGTERM yet", (sleep_ms(20), waitpid(pid, &status, WNOHANG)));
  kill(pid, SIGCONT);
  say("after SIGCONT: %s", wait_text(pid));
  ERR("tgkill self", syscall(SYS_tgkill, getpid(), getpid(), 0));
  ERR("tgkill of another group", syscall(SYS_tgkill, getppid(), getpid(), 0));
  return 0;
}
