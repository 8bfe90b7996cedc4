/* setjmp and longjmp across deep frames and out of handlers; makecontext and swapcontext; each keeps floating point registers. */
#include "../check.h"
#include <ucontext.h>
static jmp_buf env;
static sigjmp_buf signal_env;
static double total;
static int bottom, turn;
__attribute__((noinline)) static int deep(int n, double x) {
  volatile char pad[200];
  pad[0] = (char)n;
  if (n == *(int *)hide(&bottom)) longjmp(env, 42);
  if (n < -1000) return 0; // never: without it the compiler warns of endless recursion
  return deep(n - 1, x * 1.5) + pad[0];
}
static void on_segv(int sig) { siglongjmp(signal_env, sig); }
static ucontext_t main_context, workers[3];
static char stacks[3][64 * 1024];
static int order[30], ordered;
static void worker(int id, int rounds) {
  double local = id * 1.25;
  for (int i = 0; i < rounds; i++) {
    order[ordered++] = id * 10 + i;
    local = local * 1.5 + i;
    swapcontext(&workers[id], id == 2 ? &main_context : &workers[id + 1]);
  }
  total += local;
}
int main(void) {
  double keep = 2.75;
  int value = setjmp(env);
  if (value == 0) deep(500, keep);
  say("deep: %d %g", value, keep);
  volatile int again = 0;
  value = setjmp(env);
  if (again++ < 3) longjmp(env, again);
  say("again: %d, longjmp 0 gives %d", value, again);
  if ((value = setjmp(env)) == 0) longjmp(env, 0);
  NUM("zero becomes", value);
  signal(SIGSEGV, on_segv);
  for (turn = 0; turn < 50; turn++) {
    if (sigsetjmp(signal_env, 1) == 0) {
      *(volatile char *)hide((void *)(long)(16 + turn)) = 1;
      say("not reached");
    }
  }
  say("50 faults");
  for (volatile int n = 0; n < 3; n++) {
    int i = n;
    getcontext(&workers[i]);
    workers[i].uc_stack.ss_sp = stacks[i];
    workers[i].uc_stack.ss_size = sizeof stacks[i];
    workers[i].uc_link = i == 2 ? &main_context : &workers[i + 1];
    makecontext(&workers[i], (void (*)(void))worker, 2, i, 4);
  }
  for (int round = 0; round < 5; round++) swapcontext(&main_context, &workers[0]);
  char text[200];
  int n = 0;
  for (int i = 0; i < ordered; i++) n += snprintf(text + n, sizeof text - (size_t)n, " %02d", order[i]);
  say("order%s, total %g", text, total);
  return 0;
}
