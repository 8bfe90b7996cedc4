/* process_mrelease(2): for a process that was killed, and none else (mm/oom_kill.c, 6.18). */
#include "check.h"

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static long release(int fd, unsigned flags) { return syscall(SYS_process_mrelease, fd, flags); }

int main(void) {
  int go[2];
  MUST(pipe(go));
  volatile char *p = map_anon(512, PROT_READ | PROT_WRITE, MAP_PRIVATE), *shared = map_anon(4, PROT_READ | PROT_WRITE, MAP_SHARED);
  pid_t child = fork();
  if (child == 0) {
    char c;
    memset((char *)p, 1, 512 * PG);
    shared[PG] = 7;
    MUST(write(go[1], "r", 1));
    sleep_ms(60000);
    _exit((int)read(go[0], &c, 1));
  }
  char c;
  MUST(read(go[0], &c, 1));
  int fd = (int)syscall(SYS_pidfd_open, child, 0);
  MUST(fd);
  ERR("it lives", release(fd, 0));
  ERR("flags", release(fd, 1));
  ERR("no pidfd", release(0, 0));
  ERR("no descriptor", release(-1, 0));
  int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
  ERR("ourselves", release(self, 0));
  MUST(kill(child, SIGKILL));
  long result = release(fd, 0);
  YES("released, or gone already", result == 0 || errno == ESRCH);
  say("child: %s", wait_text(child));
  ERR("it is gone", release(fd, 0));
  NUM("shared memory stays", shared[PG]);
  return 0;
}
