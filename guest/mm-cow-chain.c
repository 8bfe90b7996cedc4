/* Copy-on-write over three generations; each process keeps its own copy (fork(2)). */
#include "check.h"
static char page[8 * 4096] __attribute__((aligned(4096)));
int main(void) {
  strcpy(page, "grandparent");
  pid_t a = fork();
  if (a == 0) {
    strcpy(page, "parent");
    pid_t b = fork();
    if (b == 0) { strcpy(page + 4096, "child"); say("child: %s %s", page, page + 4096); _exit(3); }
    say("inner: %s", wait_text(b));
    say("parent: %s '%s'", page, page + 4096);
    _exit(4);
  }
  say("outer: %s", wait_text(a));
  say("grandparent: %s '%s'", page, page + 4096);
  return 0;
}
