/* Process groups and sessions (setsid(2), setpgid(2), tcsetpgrp(3)). */
#include "check.h"
int main(void) {
  pid_t child = fork();
  if (child == 0) {
    YES("new session", setsid() == getpid());
    YES("leader of all", getsid(0) == getpid() && getpgid(0) == getpid() && getpgrp() == getpid());
    ERR("a leader cannot again", setsid());
    ERR("a session leader cannot change group", setpgid(0, 0));
    ERR("tcgetpgrp of a pipe or file", tcgetpgrp(open("/dev/null", O_RDONLY)));
    ERR("tcsetpgrp of a pipe or file", tcsetpgrp(open("/dev/null", O_RDONLY), getpgrp()));
    ERR("no controlling terminal", open("/dev/tty", O_RDWR));
    int p[2];
    char c;
    MUST(pipe(p));
    pid_t k = fork();
    if (k == 0) { close(p[1]); if (read(p[0], &c, 1) < 0) _exit(1); _exit(0); }
    ERR("setpgid of a child", setpgid(k, k));
    YES("group of the child", getpgid(k) == k && getsid(k) == getpid());
    ERR("join a group that is not there", setpgid(k, 999999));
    ERR("negative group", setpgid(k, -1));
    ERR("kill an absent group", kill(-999999, 0));
    kill(-k, SIGTERM);
    say("killed by its group: %s", wait_text(k));
    _exit(0);
  }
  say("%s", wait_text(child));
  ERR("setpgid of a process that is not there", setpgid(999999, 0));
  ERR("getsid of it", getsid(999999));
  YES("own pgid", getpgid(0) == getpgrp());
  return 0;
}
