/* sigaction's flags: SIGINFO, NODEFER, RESETHAND, the mask, and what cannot be caught (sigaction(2)). */
#include "check.h"
static volatile int depth, deepest, count, value;
static void nested(int sig) {
  depth++;
  if (depth > deepest) deepest = depth;
  if (count++ < 3) raise(sig);
  depth--;
}
static void with_info(int sig, siginfo_t *info, void *context) {
  say("signal %d, code %s, own pid %d, context %d", sig, info->si_code == SI_USER ? "SI_USER" : info->si_code == SI_QUEUE ?
    "SI_QUEUE" : info->si_code == SI_TKILL ? "SI_TKILL" : "?", info->si_pid == getpid(), context != NULL);
  value = info->si_value.sival_int;
}
int main(void) {
  struct sigaction action = {0}, old;
  action.sa_handler = nested;
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  say("deferred: %d deep, %d times", deepest, count);
  action.sa_flags = SA_NODEFER;
  sigaction(SIGUSR1, &action, NULL);
  count = deepest = 0;
  raise(SIGUSR1);
  say("NODEFER: %d deep, %d times", deepest, count);
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGUSR2, &action, NULL);
  count = 9;
  raise(SIGUSR2);
  sigaction(SIGUSR2, NULL, &old);
  YES("RESETHAND", old.sa_handler == SIG_DFL);
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = with_info;
  sigaction(SIGUSR1, &action, NULL);
  kill(getpid(), SIGUSR1);
  raise(SIGUSR1);
  union sigval v = {.sival_int = 1234};
  sigqueue(getpid(), SIGUSR1, v);
  NUM("queued value", value);
  ERR("SIGKILL", sigaction(SIGKILL, &action, NULL));
  ERR("SIGSTOP", sigaction(SIGSTOP, &action, NULL));
  ERR("signal 65", sigaction(65, &action, NULL));
  ERR("kill with signal 65", kill(getpid(), 65));
  IN_CHILD("default of SIGCHLD, SIGURG, SIGWINCH, SIGCONT is nothing", raise(SIGCHLD); raise(SIGURG); raise(SIGWINCH); raise(SIGCONT));
  IN_CHILD("default of SIGUSR2", raise(SIGUSR2));
  IN_CHILD("default of SIGALRM", alarm(1); pause());
  IN_CHILD("ignored", signal(SIGTERM, SIG_IGN); raise(SIGTERM); _exit(3));
  return 0;
}
