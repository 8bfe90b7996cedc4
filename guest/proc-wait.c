/* wait4 tells how children ended: exit, signal, stopped, continued; zombies stay until waited for (wait4(2)). */
#include "check.h"
int main(void) {
  int status;
  struct rusage usage;
  RET("no child", waitpid(-1, &status, 0) == -1 ? -1 : 0);
  IN_CHILD("exit 0", (void)0);
  IN_CHILD("exit 300 is 44", _exit(300));
  IN_CHILD("abort", struct rlimit none = {0, 0}; setrlimit(RLIMIT_CORE, &none); abort());
  IN_CHILD("kill", raise(SIGKILL));
  IN_CHILD("term", raise(SIGTERM));
  pid_t pid = fork();
  if (pid == 0) { for (;;) pause(); }
  RET("WNOHANG of a running child", waitpid(pid, &status, WNOHANG));
  kill(pid, SIGSTOP);
  YES("WUNTRACED", waitpid(pid, &status, WUNTRACED) == pid);
  say("%s", status_text(status));
  RET("told once", waitpid(pid, &status, WUNTRACED | WNOHANG));
  kill(pid, SIGCONT);
  YES("WCONTINUED", waitpid(pid, &status, WCONTINUED) == pid);
  say("%s", status_text(status));
  kill(pid, SIGTERM);
  YES("wait4", wait4(pid, &status, 0, &usage) == pid);
  say("%s", status_text(status));
  ERR("gone", waitpid(pid, &status, 0));
  pid = fork();
  if (pid == 0) _exit(7);
  siginfo_t info = {0};
  MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  say("waitid: status %d, exited %d, pid %s", info.si_status, info.si_code == CLD_EXITED, info.si_pid == pid ? "yes" : "NO");
  RET("a zombie can be signalled", kill(pid, 0));
  say("still there: %s", wait_text(pid));
  ERR("after it", kill(pid, 0));
  ERR("unknown option", waitpid(-1, &status, 0x1000));
  pid_t kids[3];
  for (int i = 0; i < 3; i++) if ((kids[i] = fork()) == 0) _exit(i + 1);
  int sum = 0;
  for (int i = 0; i < 3; i++) { MUST(waitpid(-1, &status, 0)); sum += WEXITSTATUS(status); }
  NUM("sum of three statuses", sum);
  (void)kids;
  return 0;
}
