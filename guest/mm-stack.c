/* The stack grows by deep recursion to its limit; beyond, SIGSEGV on the alternate stack (setrlimit(2), expand_stack). */
#include "check.h"
#include <sys/resource.h>
static volatile long depth;
static char *volatile lowest;
__attribute__((noinline)) static long deep(long n) {
  volatile char frame[1024];
  lowest = (char *)frame;
  frame[0] = (char)n;
  depth++;
  return n == 0 ? frame[0] : deep(n - 1) + frame[0] - (char)n;
}
static char alt[65536];
static void handler(int sig, siginfo_t *info, void *context) {
  (void)context;
  char here;
  YES("on the alternate stack", &here >= alt && &here < alt + sizeof alt);
  say("%s", code_text(sig, info->si_code));
  long far = lowest - (char *)info->si_addr;
  YES("address just below the last frame", far > -4096 && far < 8192);
  siglongjmp(probe_env, 1);
}
int main(void) {
  char *top = (char *)&top;
  NUM("4 MB deep", deep(3500));
  YES("stack is as deep", top - lowest > 3500 * 1024);
  stack_t stack = {.ss_sp = alt, .ss_size = sizeof alt};
  MUST(sigaltstack(&stack, NULL));
  struct sigaction action = {0};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  MUST(sigaction(SIGSEGV, &action, NULL));
  struct rlimit limit;
  MUST(getrlimit(RLIMIT_STACK, &limit));
  limit.rlim_cur = 8 << 20;
  MUST(setrlimit(RLIMIT_STACK, &limit));
  depth = 0;
  if (sigsetjmp(probe_env, 1) == 0) deep(1L << 30);
  YES("overflow between 7 and 8 MiB", top - lowest > 7 << 20 && top - lowest < 8 << 20);
  sigaltstack(NULL, &stack);
  NUM("off the alternate stack again", stack.ss_flags);
  limit.rlim_cur = 16 << 20;
  ERR("raise the limit", setrlimit(RLIMIT_STACK, &limit));
  if (sigsetjmp(probe_env, 1) == 0) deep(10000);
  YES("deeper than before", top - lowest > 9 << 20);
  pid_t pid = fork();
  if (pid == 0) { signal(SIGSEGV, SIG_DFL); deep(1L << 30); _exit(0); }
  say("overflow without a handler: %s", wait_text(pid));
  return 0;
}
