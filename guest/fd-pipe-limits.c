/* fs.pipe-user-pages-soft and -hard, fs.pipe-max-size; names that are too long; kcmp. */
#include "check.h"
#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

static long number(const char *path) {
  char text[32];
  int fd = open(path, O_RDONLY);
  long n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  close(fd);
  if (n < 0) return -1;
  text[n] = 0;
  return atol(text);
}

static void unprivileged(void) {
  MUST(syscall(SYS_setresuid, 23456, 23456, 23456));
  long soft = number("/proc/sys/fs/pipe-user-pages-soft");
  long small = 0, first = 0, count = 0;
  static int fds[2100][2];
  struct rlimit files = {4096, 4096};
  setrlimit(RLIMIT_NOFILE, &files);
  for (int i = 0; i < 1030; i++) {
    if (pipe(fds[i]) != 0) break;
    long size = fcntl(fds[i][0], F_GETPIPE_SZ);
    if (size != 65536 && first == 0) first = count, small = size;
    count++;
  }
  NUM("pipes of 16 pages within the soft limit", soft / 16 - first);
  NUM("then so many bytes", small);
  RET("growing it beyond", fcntl(fds[count - 1][0], F_SETPIPE_SZ, 65536));
  RET("shrinking one", fcntl(fds[0][0], F_SETPIPE_SZ, 4096));
  RET("beyond the maximum", fcntl(fds[0][0], F_SETPIPE_SZ, 2 << 20));
}

int main(void) {
  NUM("pipe-user-pages-soft", number("/proc/sys/fs/pipe-user-pages-soft"));
  NUM("pipe-user-pages-hard", number("/proc/sys/fs/pipe-user-pages-hard"));
  NUM("pipe-max-size", number("/proc/sys/fs/pipe-max-size"));
  pid_t pid = fork();
  if (pid == 0) {
    unprivileged();
    _exit(0);
  }
  int status;
  MUST(waitpid(pid, &status, 0));
  NUM("child", status);
  int ends[2];
  MUST(pipe(ends));

  static char name[400] = "/tmp/";
  memset(name + 5, 'a', 256);
  ERR("unlink of 256 bytes", unlink(name));
  ERR("rmdir", rmdir(name));
  ERR("rename from", rename(name, "/tmp/faultline-x"));
  ERR("open", open(name, O_RDONLY));
  name[5 + 255] = 0;
  ERR("unlink of 255 bytes", unlink(name));

#define KCMP(type, a, b) syscall(SYS_kcmp, getpid(), getpid(), type, a, b)
  int copy = dup(ends[0]);
  RET("kcmp of a descriptor and its copy", KCMP(0, ends[0], copy));
  YES("kcmp of two ends", KCMP(0, ends[0], ends[1]) > 0);
  YES("is antisymmetric", KCMP(0, ends[0], ends[1]) + KCMP(0, ends[1], ends[0]) == 3);
  RET("kcmp of a closed one", KCMP(0, ends[0], 999));
  RET("kcmp of memory", KCMP(1, 0, 0));
  RET("kcmp of files", KCMP(2, 0, 0));
  RET("kcmp of folders", KCMP(3, 0, 0));
  RET("kcmp of handlers", KCMP(4, 0, 0));
  RET("kcmp of what", KCMP(99, 0, 0));
  RET("kcmp of nobody", syscall(SYS_kcmp, getpid(), 4194303, 1, 0, 0));
  pid = fork();
  if (pid == 0) {
    RET("child: same file", syscall(SYS_kcmp, getpid(), getppid(), 0, ends[0], ends[0]));
    YES("child: other memory", syscall(SYS_kcmp, getpid(), getppid(), 1, 0, 0) > 0);
    _exit(0);
  }
  MUST(waitpid(pid, &status, 0));
  return 0;
}
