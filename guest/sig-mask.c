/* Blocked signals wait: once each, real-time ones queue in order; sigsuspend swaps the mask (sigprocmask(2), signal(7)). */
#include "check.h"
static volatile int got, order[8], n;
static void count(int sig) { got++; if (n < 8) order[n++] = sig - SIGRTMIN; }
static void info(int sig, siginfo_t *i, void *c) { (void)sig; (void)c; order[n++] = i->si_value.sival_int; }
int main(void) {
  sigset_t set, old, pending;
  signal(SIGUSR1, count);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  for (int i = 0; i < 3; i++) raise(SIGUSR1);
  NUM("while blocked", got);
  sigpending(&pending);
  YES("pending", sigismember(&pending, SIGUSR1));
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  NUM("after unblock", got);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR1);
  sigset_t none;
  sigemptyset(&none);
  ERR("sigsuspend", sigsuspend(&none));
  NUM("taken", got);
  sigprocmask(SIG_BLOCK, NULL, &pending);
  YES("mask is back", sigismember(&pending, SIGUSR1));
  struct sigaction action = {0};
  action.sa_sigaction = info;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGRTMIN + 1, &action, NULL);
  sigaction(SIGRTMIN + 2, &action, NULL);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGRTMIN + 2);
  sigfillset(&action.sa_mask);
  sigaction(SIGRTMIN + 1, &action, NULL);
  sigaction(SIGRTMIN + 2, &action, NULL);
  sigprocmask(SIG_BLOCK, &set, NULL);
  n = 0;
  for (int i = 0; i < 3; i++) {
    union sigval v = {.sival_int = 20 + i}, w = {.sival_int = 10 + i};
    sigqueue(getpid(), SIGRTMIN + 2, v);
    sigqueue(getpid(), SIGRTMIN + 1, w);
  }
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  say("queued: %d %d %d %d %d %d", order[0], order[1], order[2], order[3], order[4], order[5]);
  sigprocmask(SIG_BLOCK, &set, NULL);
  raise(SIGUSR1);
  signal(SIGUSR1, SIG_IGN);
  sigpending(&pending);
  YES("ignoring drops what is pending", !sigismember(&pending, SIGUSR1));
  ERR("bad how", sigprocmask(99, &set, NULL));
  return 0;
}
