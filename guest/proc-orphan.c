/* A child whose parent dies gets another parent; pids of the family are as they should be (getppid(2)). */
#include "check.h"
#include <sys/prctl.h>
int main(void) {
  int p[2], go[2];
  char c;
  pid_t me = getpid();
  MUST(pipe(p));
  MUST(pipe(go));
  MUST(prctl(PR_SET_CHILD_SUBREAPER, 1));
  pid_t a = fork();
  if (a == 0) {
    YES("child's parent", getppid() == me);
    pid_t mine = getpid();
    if (fork() == 0) {
      while (getppid() == mine) sleep_ms(1);
      if (read(go[0], &c, 1) != 1) _exit(2);
      YES("orphan's new parent is the subreaper", getppid() == me);
      if (write(p[1], "x", 1) != 1) _exit(1);
      _exit(5);
    }
    _exit(0);
  }
  say("child: %s", wait_text(a));
  if (write(go[1], "g", 1) != 1) return 1;
  MUST(read(p[0], &c, 1));
  say("adopted: %s", wait_text(-1));
  YES("pid is stable", getpid() == me && syscall(SYS_gettid) == me);
  return 0;
}
