/* Faults at known depths: below recursion, in a callback of the C library, in a signal handler on a stack of its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile char *pages;
static volatile int next;

__attribute__((noinline)) void touch_page(void) { pages[4096 * next++] = 1; }

__attribute__((noinline)) int recurse(int depth) {
  volatile char frame[100];
  frame[0] = (char)depth;
  if (depth == 0) touch_page();
  else recurse(depth - 1);
  return frame[0];
}

__attribute__((noinline)) int compare(const void *a, const void *b) {
  static int calls;
  if (calls++ == 0) touch_page();
  return *(const int *)a - *(const int *)b;
}

__attribute__((noinline)) void on_signal(int signo) {
  (void)signo;
  touch_page();
}

__attribute__((noinline)) void on_stack(int size) {
  volatile char *frame = __builtin_alloca((size_t)size);
  frame[0] = 1;
  touch_page();
  frame[size - 1] = 1;
}

int main(int argc, char **argv) {
  (void)argv;
  pages = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  recurse(5);
  int numbers[] = {3, 1, 2};
  qsort(numbers, 3, sizeof numbers[0], compare);
  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&stack, NULL);
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  raise(SIGUSR1);
  on_stack(5000 * argc);
  int ends[2];
  if (pipe(ends) != 0 || write(ends[1], "x", 1) != 1 || read(ends[0], (void *)(pages + 4096 * next), 1) != 1) return 1;
  puts("done");
  return 0;
}
