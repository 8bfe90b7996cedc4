/* sigwaitinfo and sigtimedwait take blocked signals without a handler (sigtimedwait(2)). */
#include "check.h"
int main(void) {
  sigset_t set;
  siginfo_t info;
  struct timespec zero = {0, 0}, some = {0, 30000000};
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  ERR("nothing there", sigtimedwait(&set, &info, &zero));
  long before = now_ms();
  ERR("timeout", sigtimedwait(&set, &info, &some));
  YES("waited", now_ms() - before >= 29);
  raise(SIGUSR1);
  YES("sigwaitinfo", sigwaitinfo(&set, &info) == SIGUSR1);
  pid_t pid = fork();
  if (pid == 0) { sleep_ms(20); _exit(42); }
  YES("SIGCHLD", sigwaitinfo(&set, &info) == SIGCHLD);
  say("status %d, exited %d, from child %d", info.si_status, info.si_code == CLD_EXITED, info.si_pid == pid);
  say("%s", wait_text(pid));
  pid = fork();
  if (pid == 0) pause();
  kill(pid, SIGKILL);
  YES("SIGCHLD", sigwaitinfo(&set, &info) == SIGCHLD);
  say("status %d, killed %d", info.si_status, info.si_code == CLD_KILLED);
  say("%s", wait_text(pid));
  signal(SIGCHLD, SIG_IGN);
  pid = fork();
  if (pid == 0) _exit(1);
  ERR("with SIGCHLD ignored children leave no zombie", waitpid(pid, NULL, 0));
  return 0;
}
