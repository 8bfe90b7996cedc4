/* siglongjmp leaves a handler and restores the mask; nested handlers return in order; sigaltstack (sigsetjmp(3)). */
#include "check.h"
static sigjmp_buf env;
static volatile int step;
static void jump(int sig) { (void)sig; siglongjmp(env, ++step); }
static void inner(int sig) { (void)sig; say("inner"); }
static void outer(int sig) { (void)sig; say("outer begins"); raise(SIGUSR2); say("outer ends"); }
static char alt[65536];
static void on_alt(int sig) {
  (void)sig;
  stack_t now;
  char here;
  sigaltstack(NULL, &now);
  YES("runs there", &here > alt && &here < alt + sizeof alt);
  YES("SS_ONSTACK", now.ss_flags == SS_ONSTACK);
  ERR("cannot be changed now", sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL));
}
int main(void) {
  sigset_t set;
  signal(SIGUSR1, jump);
  for (volatile int i = 0; i < 3; i++) {
    int r = sigsetjmp(env, 1);
    if (r == 0) raise(SIGUSR1);
    sigprocmask(SIG_BLOCK, NULL, &set);
    say("jump %d, blocked %d", r, sigismember(&set, SIGUSR1));
  }
  if (sigsetjmp(env, 0) == 0) raise(SIGUSR1);
  sigprocmask(SIG_BLOCK, NULL, &set);
  say("without saved mask: blocked %d", sigismember(&set, SIGUSR1));
  signal(SIGUSR1, outer);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  signal(SIGUSR2, inner);
  raise(SIGUSR1);
  struct sigaction action = {0};
  action.sa_handler = on_alt;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &action, NULL);
  stack_t stack = {.ss_sp = alt, .ss_size = sizeof alt};
  ERR("sigaltstack", sigaltstack(&stack, NULL));
  raise(SIGUSR1);
  stack.ss_size = 100;
  ERR("too small", sigaltstack(&stack, NULL));
  stack.ss_size = sizeof alt; /* musl itself refuses a small size before the kernel sees the flags */
  stack.ss_flags = 77;
  ERR("bad flags", sigaltstack(&stack, NULL));
  stack.ss_flags = SS_DISABLE;
  ERR("disable", sigaltstack(&stack, NULL));
  return 0;
}
