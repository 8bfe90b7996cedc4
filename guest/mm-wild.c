/* Wild pointers: si_addr of a fault at an address that no process can have is the address itself, to the last bit. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>

static sigjmp_buf back;
static volatile int code;
static void *volatile where;

static void on_fault(int signo, siginfo_t *info, void *context) {
  (void)context;
  code = info->si_code;
  where = info->si_addr;
  siglongjmp(back, signo);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  const unsigned long addresses[] = {8, 0xffffffc000000123UL, 0xffffffff80001235UL, 0xffffffffffffe007UL, -8UL, -1UL};
  for (unsigned i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    int signo = sigsetjmp(back, 1);
    if (signo == 0) {
      volatile char byte = *(volatile char *)addresses[i];
      printf("read %lx: %d\n", addresses[i], byte);
    } else
      printf("read %lx: signal %d code %d, si_addr %s\n", addresses[i], signo, code,
             where == (void *)addresses[i] ? "exact" : "off");
  }
  int signo = sigsetjmp(back, 1);
  if (signo == 0)
    *(volatile char *)0xffffffff80001235UL = 1;
  else
    printf("write: signal %d code %d, si_addr %s\n", signo, code, where == (void *)0xffffffff80001235UL ? "exact" : "off");
  signo = sigsetjmp(back, 1);
  if (signo == 0)
    ((void (*)(void))0xfffffffffffff004UL)();
  else
    printf("jump: signal %d code %d, si_addr %s\n", signo, code, where == (void *)0xfffffffffffff004UL ? "exact" : "off");
  return 0;
}
