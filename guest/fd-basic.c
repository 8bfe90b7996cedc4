/* dup, dup2, dup3, fcntl: shared offset and flags, close-on-exec, lowest number, limits (dup(2), fcntl(2)). */
#include "check.h"
int main(void) {
  scratch();
  int a = letters("f", 1), b = dup(a), c;
  char x;
  MUST(lseek(a, 100, SEEK_SET));
  RET("offset is shared by dup", lseek(b, 0, SEEK_CUR));
  c = open("f", O_RDONLY);
  RET("but not by open", lseek(c, 0, SEEK_CUR));
  IN_CHILD("child moves it", lseek(a, 7, SEEK_SET));
  RET("shared by fork", lseek(b, 0, SEEK_CUR));
  MUST(fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK));
  YES("status flags are shared", (fcntl(b, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
  MUST(fcntl(a, F_SETFD, FD_CLOEXEC));
  say("descriptor flags are not: %d %d", fcntl(a, F_GETFD), fcntl(b, F_GETFD));
  RET("dup2", dup2(a, 40));
  RET("its flags", fcntl(40, F_GETFD));
  RET("dup2 to itself", dup2(40, 40));
  ERR("dup3 to itself", dup3(40, 40, 0));
  RET("dup3 CLOEXEC", dup3(a, 41, O_CLOEXEC));
  RET("its flags", fcntl(41, F_GETFD));
  RET("F_DUPFD", fcntl(a, F_DUPFD, 50));
  RET("F_DUPFD_CLOEXEC", fcntl(a, F_DUPFD_CLOEXEC, 50));
  ERR("dup of a closed one", dup(99));
  ERR("dup2 to a negative one", dup2(a, -1));
  ERR("close of a closed one", close(99));
  ERR("fcntl of a closed one", fcntl(99, F_GETFD));
  ERR("unknown command", fcntl(a, 9999));
  close(c);
  YES("lowest free number", open("f", O_RDONLY) == c);
  ERR("write of a read-only one", write(c, "x", 1));
  ERR("read of a write-only one", read(open("f", O_WRONLY), &x, 1));
  YES("access mode", (fcntl(c, F_GETFL) & O_ACCMODE) == O_RDONLY);
  struct rlimit limit = {45, 45};
  MUST(setrlimit(RLIMIT_NOFILE, &limit));
  ERR("dup2 above the limit", dup2(a, 45));
  while ((c = dup(a)) >= 0) {}
  say("all used: %s", err_name(errno));
  unlink("f");
  return 0;
}
