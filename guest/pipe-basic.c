/* Pipes: blocking both ways, end of file, O_NONBLOCK, capacity, atomic writes of up to PIPE_BUF (pipe(7)). */
#include "check.h"
#include <limits.h>
#include <sys/ioctl.h>
static char big[100000];
int main(void) {
  int p[2], n = 0;
  char c, buffer[4096];
  MUST(pipe(p));
  pid_t pid = fork();
  if (pid == 0) { close(p[0]); sleep_ms(30); if (write(p[1], "late", 4) != 4) _exit(1); _exit(0); }
  close(p[1]);
  RET("blocking read", read(p[0], buffer, 100));
  say("%s", wait_text(pid));
  RET("end of file", read(p[0], buffer, 100));
  close(p[0]);
  MUST(pipe2(p, O_NONBLOCK | O_CLOEXEC));
  RET("empty", read(p[0], &c, 1));
  long total = 0, got;
  while ((got = write(p[1], big, 4096)) > 0) total += got;
  NUM("capacity", total);
  ERR("full", write(p[1], "x", 1));
  RET("F_GETPIPE_SZ", fcntl(p[0], F_GETPIPE_SZ));
  MUST(ioctl(p[0], FIONREAD, &n));
  NUM("FIONREAD", n);
  MUST(read(p[0], buffer, 4096));
  RET("partial write of 100000", write(p[1], big, sizeof big));
  RET("flags", fcntl(p[0], F_GETFD));
  YES("nonblocking", fcntl(p[0], F_GETFL) & O_NONBLOCK);
  ERR("read of the write end", read(p[1], &c, 1));
  ERR("write of the read end", write(p[0], &c, 1));
  ERR("lseek", lseek(p[0], 0, SEEK_SET));
  ERR("pread", pread(p[0], &c, 1, 0));
  ERR("bad flags", pipe2(p, 0x1));
  MUST(pipe(p));
  for (int k = 0; k < 2; k++) if (fork() == 0) {
    memset(buffer, 'a' + k, 1000);
    for (int i = 0; i < 100; i++) if (write(p[1], buffer, 1000) != 1000) _exit(1);
    _exit(0);
  }
  close(p[1]);
  int mixed = 0;
  for (total = 0; (got = read(p[0], buffer, 1000)) > 0; total += got) {
    while (got < 1000) { long more = read(p[0], buffer + got, (size_t)(1000 - got)); if (more <= 0) break; got += more; }
    for (int i = 1; i < got; i++) mixed += buffer[i] != buffer[0];
  }
  NUM("bytes of two writers", total);
  NUM("mixed", mixed);
  say("%s %s", wait_text(-1), wait_text(-1));
  MUST(pipe(p));
  pid = fork();
  if (pid == 0) { close(p[1]); sleep_ms(30); for (total = 0; (got = read(p[0], buffer, 4096)) > 0;) total += got; _exit(total == 100000 ? 5 : 6); }
  close(p[0]);
  RET("a long write blocks until read", write(p[1], big, sizeof big));
  close(p[1]);
  say("%s", wait_text(pid));
  return 0;
}
