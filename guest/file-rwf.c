/* preadv2(2) and pwritev2(2): position -1, and each flag, on a file, in memory, on a pipe (fs/read_write.c, 6.18). */
#include "check.h"
#include <sys/uio.h>

#define HIPRI 1
#define DSYNC 2
#define SYNC 4
#define NOWAIT 8
#define APPEND 0x10
#define NOAPPEND 0x20
#define ATOMIC 0x40

static char buffer[16];
static long put(int fd, const char *text, off_t at, int flags) {
  struct iovec v = {(void *)text, strlen(text)};
  return syscall(SYS_pwritev2, fd, &v, 1, at, 0, flags);
}
static long get(int fd, size_t n, off_t at, int flags) {
  struct iovec v = {buffer, n};
  memset(buffer, 0, sizeof buffer);
  return syscall(SYS_preadv2, fd, &v, 1, at, 0, flags);
}
static void content(int fd) {
  char all[64] = "";
  ssize_t n = pread(fd, all, sizeof all - 1, 0);
  for (ssize_t i = 0; i < n; i++) if (all[i] == 0) all[i] = '.';
  say("  \"%.*s\", at %ld", (int)n, all, (long)lseek(fd, 0, SEEK_CUR));
}

static void of(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(fd);
  say("%s", strrchr(path, '/') ? "in memory" : "a file");
  RET("write at 2", put(fd, "abc", 2, 0));
  RET("write at the position", put(fd, "x", -1, 0));
  content(fd);
  RET("sync", put(fd, "y", 1, SYNC));
  RET("dsync", put(fd, "z", -1, DSYNC));
  RET("high priority", put(fd, "h", 0, HIPRI));
  content(fd);
  RET("append", put(fd, "END", 0, APPEND));
  content(fd);
  RET("append at the position", put(fd, "!", -1, APPEND));
  content(fd);
  RET("both", put(fd, "!", 0, APPEND | NOAPPEND));
  RET("not append", put(fd, "n", 3, NOAPPEND));
  content(fd);
  RET("atomic", put(fd, "a", 0, ATOMIC));
  RET("unknown", put(fd, "u", 0, 0x10000));
  RET("negative", put(fd, "u", -2, 0));
  RET("read", get(fd, 4, 1, 0));
  RET("read at the position", get(fd, 4, -1, HIPRI));
  RET("append is nothing to a read", get(fd, 4, 1, APPEND));
  RET("read atomic", get(fd, 4, 1, ATOMIC));
  RET("read unknown", get(fd, 4, 1, 0x10000));
  RET("read both", get(fd, 4, 1, APPEND | NOAPPEND));
  content(fd);
  MUST(fcntl(fd, F_SETFL, O_APPEND));
  RET("to the end", put(fd, "1", 0, 0));
  RET("not to the end", put(fd, "2", 0, NOAPPEND));
  RET("to the end, at the position", put(fd, "3", -1, 0));
  content(fd);
  RET("not to the end, at the position", put(fd, "4", -1, NOAPPEND));
  content(fd);
  close(fd);
  unlink(path);
}

int main(void) {
  scratch();
  of("rwf");
  of("/dev/shm/file-rwf.tmp");
  int p[2];
  MUST(pipe(p));
  RET("pipe, nothing there", get(p[0], 4, -1, NOWAIT));
  RET("pipe", put(p[1], "pipe", -1, NOWAIT));
  RET("pipe, append", put(p[1], "pipe", -1, APPEND));
  RET("pipe at a place", put(p[1], "pipe", 0, 0));
  RET("pipe", get(p[0], 8, -1, NOWAIT));
  say("%s", buffer);
  return 0;
}
