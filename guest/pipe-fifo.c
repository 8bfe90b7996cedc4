/* Named pipes: open that waits for the other end, non-blocking opens, ends of file, reopening, O_RDWR, unlinked ones. */
#include "check.h"
#include <poll.h>
#include <sys/statfs.h>

int main(void) {
  scratch();
  signal(SIGPIPE, SIG_IGN);
  char text[32] = {0};
  ERR("mkfifo", mkfifo("p", 0640));
  ERR("twice", mkfifo("p", 0640));
  struct stat s;
  stat("p", &s);
  say("fifo %d mode %o size %ld", S_ISFIFO(s.st_mode), s.st_mode & 07777, (long)s.st_size);
  ERR("writer without a reader, not waiting", open("p", O_WRONLY | O_NONBLOCK));
  int reader = open("p", O_RDONLY | O_NONBLOCK);
  YES("reader without a writer, not waiting", reader >= 0);
  RET("read: nobody writes", read(reader, text, 8));
  struct pollfd f = {reader, POLLIN, 0};
  poll(&f, 1, 0);
  say("poll %x", (unsigned)f.revents);
  int writer = open("p", O_WRONLY | O_NONBLOCK);
  YES("now a writer can open", writer >= 0);
  RET("read: nothing yet", read(reader, text, 8));
  RET("write", write(writer, "hello", 5));
  RET("read", read(reader, text, 8));
  say("%s", text);
  close(writer);
  f.revents = 0;
  poll(&f, 1, 0);
  say("poll after the writer went %x", (unsigned)f.revents);
  RET("end", read(reader, text, 8));
  writer = open("p", O_WRONLY);
  f.revents = 0;
  poll(&f, 1, 0);
  say("poll with a new writer %x", (unsigned)f.revents);
  close(reader);
  RET("write without a reader", write(writer, "x", 1));
  close(writer);

  pid_t pid = fork();
  if (pid == 0) {
    sleep_ms(20);
    say("child opens");
    writer = open("p", O_WRONLY);
    sleep_ms(10);
    write(writer, "from the child", 14);
    _exit(0);
  }
  reader = open("p", O_RDONLY);
  say("parent's open came back");
  memset(text, 0, sizeof text);
  RET("read waits", read(reader, text, 31));
  say("%s", text);
  RET("then the end", read(reader, text, 31));
  say("child: %s", wait_text(pid));
  close(reader);

  int both = open("p", O_RDWR);
  RET("both ways", write(both, "loop", 4));
  RET("read", read(both, text, 8));
  f = (struct pollfd){both, POLLIN | POLLOUT, 0};
  poll(&f, 1, 0);
  say("poll %x", (unsigned)f.revents);
  write(both, "kept", 4);
  reader = open("p", O_RDONLY);
  RET("shared bytes", read(reader, text, 8));
  ERR("unlink", unlink("p"));
  RET("still works", write(both, "z", 1));
  RET("read", read(reader, text, 8));
  ERR("lseek", lseek(both, 0, SEEK_SET));
  ERR("ftruncate", ftruncate(both, 0));
  ERR("pread", pread(both, text, 1, 0));
  RET("size", fcntl(both, F_GETPIPE_SZ));
  RET("larger", fcntl(both, F_SETPIPE_SZ, 100000));
  RET("size", fcntl(both, F_GETPIPE_SZ));
  static char fill[131072];
  fcntl(both, F_SETFL, O_RDWR | O_NONBLOCK);
  RET("filled", write(both, fill, sizeof fill));
  ERR("full", write(both, fill, 1));
  ERR("smaller than its bytes", fcntl(both, F_SETPIPE_SZ, 4096));
  close(both);
  close(reader);

  ERR("mknod of a fifo", mknod("q", S_IFIFO | 0600, 0));
  ERR("mknod of a file", mknod("r", S_IFREG | 0600, 0));
  ERR("mknod of a socket", mknod("t", S_IFSOCK | 0600, 0));
  ERR("open of a socket", open("t", O_RDONLY));
  ERR("mknod of a folder", mknod("u", S_IFDIR | 0600, 0));
  for (const char *names[] = {"q", "r", "t", NULL}, **n = names; *n; n++) unlink(*n);
  return 0;
}
