/* flock and fcntl locks between processes: conflicts, waits, splits, what close, fork and exit do, deadlock, OFD locks. */
#include "check.h"
#include <sys/file.h>

static int lock(int fd, int command, int type, long start, long length) {
  struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  return fcntl(fd, command, &l);
}
static void ask(const char *what, int fd, int type, long start, long length) {
  struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
  if (fcntl(fd, F_GETLK, &l) == -1) say("%s: %s", what, err_name(errno));
  else if (l.l_type == F_UNLCK) say("%s: free", what);
  else say("%s: %s [%ld,+%ld) of %s", what, l.l_type == F_WRLCK ? "write" : "read", (long)l.l_start, (long)l.l_len,
           l.l_pid == getppid() ? "the parent" : "another");
}
static void on_alarm(int sig) { (void)sig; }

int main(void) {
  scratch();
  int fd = open("f", O_RDWR | O_CREAT, 0644), p[2], q[2];
  char c;
  MUST(pipe(p));
  MUST(pipe(q));

  ERR("write lock", lock(fd, F_SETLK, F_WRLCK, 10, 20));
  ERR("own locks never conflict", lock(fd, F_SETLK, F_RDLCK, 15, 5));
  IN_CHILD("child", {
    ask("at 0", fd, F_WRLCK, 0, 5);
    ask("over 5..12", fd, F_RDLCK, 5, 7);
    ask("read at 16", fd, F_RDLCK, 16, 2);
    ask("write at 16", fd, F_WRLCK, 16, 2);
    ask("the rest", fd, F_WRLCK, 20, 0);
    ERR("conflict", lock(fd, F_SETLK, F_WRLCK, 0, 0));
    ERR("beside it", lock(fd, F_SETLK, F_WRLCK, 0, 10));
    ERR("shared read", lock(fd, F_SETLK, F_RDLCK, 15, 5));
  });
  ERR("unlock the middle", lock(fd, F_SETLK, F_UNLCK, 12, 10));
  IN_CHILD("child", {
    ask("from 0", fd, F_WRLCK, 0, 0);
    ask("from 12", fd, F_WRLCK, 12, 0);
    ask("middle", fd, F_WRLCK, 12, 10);
  });
  int again = open("f", O_RDONLY);
  close(again);
  IN_CHILD("closing any descriptor of the file dropped all", { ask("all", fd, F_WRLCK, 0, 0); });

  lock(fd, F_SETLK, F_WRLCK, 0, 1);
  pid_t pid = fork();
  if (pid == 0) {
    write(p[1], "x", 1);
    ERR("child: waits and gets it", lock(fd, F_SETLKW, F_WRLCK, 0, 1));
    _exit(0);
  }
  read(p[0], &c, 1);
  sleep_ms(20);
  say("parent unlocks");
  lock(fd, F_SETLK, F_UNLCK, 0, 1);
  say("child: %s", wait_text(pid));
  ERR("exit released it", lock(fd, F_SETLK, F_WRLCK, 0, 1));

  pid = fork();
  if (pid == 0) {
    lock(fd, F_SETLK, F_WRLCK, 100, 1);
    write(p[1], "x", 1);
    read(q[0], &c, 1);
    ERR("child: waits for the parent's", lock(fd, F_SETLKW, F_WRLCK, 0, 1));
    _exit(0);
  }
  read(p[0], &c, 1);
  write(q[1], "x", 1);
  sleep_ms(30);
  ERR("deadlock", lock(fd, F_SETLKW, F_WRLCK, 100, 1));
  lock(fd, F_SETLK, F_UNLCK, 0, 1);
  say("child: %s", wait_text(pid));

  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  lock(fd, F_SETLK, F_WRLCK, 0, 1);
  IN_CHILD("child", {
    ualarm(20000, 0);
    ERR("interrupted wait", lock(fd, F_SETLKW, F_WRLCK, 0, 1));
  });
  int reader = open("f", O_RDONLY);
  ERR("write lock of a reader", lock(reader, F_SETLK, F_WRLCK, 0, 1));
  ERR("bad type", lock(fd, F_SETLK, 9, 0, 1));
  ERR("before the start", lock(fd, F_SETLK, F_RDLCK, -1, 1));
  ERR("negative length", lock(fd, F_SETLK, F_RDLCK, 10, -5));
  IN_CHILD("child", { ask("negative length covers 5..9", fd, F_WRLCK, 3, 20); });
  ERR("pipe", lock(p[0], F_SETLK, F_RDLCK, 0, 1));
  close(reader);

  say("-- open file description locks");
  int one = open("f", O_RDWR), two = open("f", O_RDWR);
  ERR("first", lock(one, F_OFD_SETLK, F_WRLCK, 0, 10));
  ERR("second description", lock(two, F_OFD_SETLK, F_WRLCK, 5, 1));
  IN_CHILD("child shares the description", { ERR("same", lock(one, F_OFD_SETLK, F_WRLCK, 0, 10)); });
  int copy = dup(one);
  close(one);
  ERR("a duplicate holds it", lock(two, F_OFD_SETLK, F_WRLCK, 5, 1));
  close(copy);
  ERR("the last close frees it", lock(two, F_OFD_SETLK, F_WRLCK, 5, 1));
  close(two);

  say("-- flock");
  one = open("f", O_RDONLY), two = open("f", O_RDONLY);
  ERR("exclusive", flock(one, LOCK_EX));
  ERR("second", flock(two, LOCK_EX | LOCK_NB));
  ERR("shared second", flock(two, LOCK_SH | LOCK_NB));
  ERR("to shared", flock(one, LOCK_SH));
  ERR("shared second", flock(two, LOCK_SH | LOCK_NB));
  ERR("upgrade fails", flock(one, LOCK_EX | LOCK_NB));
  ERR("and lost what it had", flock(two, LOCK_EX | LOCK_NB));
  IN_CHILD("child", {
    ERR("inherited", flock(two, LOCK_EX | LOCK_NB));
    int three = open("f", O_RDONLY);
    ERR("own description", flock(three, LOCK_SH | LOCK_NB));
  });
  pid = fork();
  if (pid == 0) {
    int three = open("f", O_RDONLY);
    write(p[1], "x", 1);
    ERR("child: waits and gets it", flock(three, LOCK_EX));
    _exit(0);
  }
  read(p[0], &c, 1);
  sleep_ms(20);
  say("parent unlocks");
  int unlocked = flock(two, LOCK_UN);
  say("child: %s", wait_text(pid));
  ERR("unlock", unlocked);
  ERR("bad operation", flock(two, 77));
  ERR("bad descriptor", flock(999, LOCK_EX));
  unlink("f");
  return 0;
}
