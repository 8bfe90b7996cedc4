/* AF_UNIX socket pairs: stream, datagram, seqpacket; message borders, ends of file, descriptors sent along, credentials. */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static void on_pipe(int sig) { (void)sig; say("SIGPIPE"); }

static void send_fd(int over, int fd, const char *text) {
  struct iovec iov = {(void *)text, strlen(text)};
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {{0}};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  RET("sendmsg with a descriptor", sendmsg(over, &message, 0));
}

static int receive_fd(int over, int flags) {
  char text[32] = {0};
  struct iovec iov = {text, sizeof text - 1};
  union { char bytes[CMSG_SPACE(4 * sizeof(int))]; struct cmsghdr align; } control = {{0}};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  RET("recvmsg", recvmsg(over, &message, flags));
  say("text %s flags %x", text, (unsigned)message.msg_flags & ~MSG_CMSG_CLOEXEC);
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  if (!c) { say("no control message"); return -1; }
  say("level %d type %d length ok %d", c->cmsg_level == SOL_SOCKET, c->cmsg_type, c->cmsg_len == CMSG_LEN(sizeof(int)));
  int fd;
  memcpy(&fd, CMSG_DATA(c), sizeof fd);
  return fd;
}

static void stream(void) {
  int s[2];
  char text[64] = {0};
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  RET("write", write(s[0], "hello ", 6));
  RET("write", write(s[0], "world", 5));
  RET("peek", recv(s[1], text, 5, MSG_PEEK));
  say("peeked %s", text);
  int waiting = 0;
  ERR("FIONREAD", ioctl(s[1], FIONREAD, &waiting));
  NUM("waiting", waiting);
  RET("read joins", read(s[1], text, sizeof text));
  say("got %s", text);
  RET("empty, not waiting", recv(s[1], text, sizeof text, MSG_DONTWAIT));
  RET("both ways", write(s[1], "x", 1));
  RET("read", read(s[0], text, 1));
  ERR("lseek", lseek(s[0], 0, SEEK_SET));
  RET("write", write(s[0], "last", 4));
  ERR("shutdown of writing", shutdown(s[0], SHUT_WR));
  signal(SIGPIPE, on_pipe);
  RET("write after it", write(s[0], "y", 1));
  RET("send without a signal", send(s[0], "y", 1, MSG_NOSIGNAL));
  RET("read the rest", read(s[1], text, sizeof text));
  RET("then the end", read(s[1], text, sizeof text));
  struct pollfd p = {s[1], POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&p, 1, 0);
  say("poll %x", (unsigned)p.revents);
  close(s[0]);
  poll(&p, 1, 0);
  say("poll after close %x", (unsigned)p.revents);
  RET("write to the gone", write(s[1], "z", 1));
  close(s[1]);

  MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
  NUM("flags", (fcntl(s[0], F_GETFL) & O_NONBLOCK) != 0);
  NUM("close on exec", fcntl(s[1], F_GETFD));
  static char big[65536];
  long sent = 0, n;
  while ((n = write(s[0], big, sizeof big)) > 0) sent += n;
  say("full: %s, some %d", err_name(errno), sent >= 65536);
  long got = 0;
  while ((n = read(s[1], big, sizeof big)) > 0) got += n;
  YES("all came", got == sent);
  RET("unread bytes lost at close", write(s[0], "abc", 3));
  close(s[1]);
  RET("read", read(s[0], text, sizeof text));
  close(s[0]);
}

static void datagrams(int type, const char *name) {
  int s[2];
  char text[64] = {0};
  say("-- %s", name);
  MUST(socketpair(AF_UNIX, type, 0, s));
  RET("write", write(s[0], "first", 5));
  RET("write", write(s[0], "second one", 10));
  RET("write of nothing", send(s[0], "", 0, 0));
  RET("read first", read(s[1], text, sizeof text));
  struct iovec iov = {text, 6};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  RET("short recvmsg", recvmsg(s[1], &message, 0));
  say("flags %x", (unsigned)message.msg_flags);
  RET("recv of nothing", recv(s[1], text, sizeof text, MSG_DONTWAIT));
  RET("empty", recv(s[1], text, sizeof text, MSG_DONTWAIT));
  write(s[0], "truncated", 9);
  RET("MSG_TRUNC gives the whole length", recv(s[1], text, 4, MSG_TRUNC));
  struct iovec parts[2] = {{"ab", 2}, {"cde", 3}};
  RET("writev is one message", writev(s[0], parts, 2));
  RET("read", read(s[1], text, sizeof text));
  int kind = 0;
  socklen_t length = sizeof kind;
  ERR("SO_TYPE", getsockopt(s[0], SOL_SOCKET, SO_TYPE, &kind, &length));
  YES("type", kind == type);
  write(s[0], "left", 4);
  close(s[0]);
  RET("read what was left", read(s[1], text, sizeof text));
  RET("then", recv(s[1], text, sizeof text, MSG_DONTWAIT));
  RET("write", send(s[1], "x", 1, MSG_NOSIGNAL));
  close(s[1]);
}

static void rights(void) {
  int s[2], p[2];
  char text[16] = {0};
  say("-- rights");
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  MUST(pipe(p));
  int said[2]; // the child speaks after the parent has said that it sent
  MUST(pipe(said));
  pid_t pid = fork();
  if (pid == 0) {
    close(s[0]);
    MUST(read(said[0], text, 1));
    int fd = receive_fd(s[1], MSG_CMSG_CLOEXEC);
    NUM("child: close on exec", fcntl(fd, F_GETFD));
    RET("child: write", write(fd, "through", 7));
    _exit(0);
  }
  send_fd(s[0], p[1], "pipe");
  MUST(write(said[1], "!", 1));
  close(said[0]);
  close(said[1]);
  close(p[1]);
  say("child: %s", wait_text(pid));
  RET("read", read(p[0], text, sizeof text));
  say("got %s", text);
  RET("then the end", read(p[0], text, sizeof text));
  int file = open("/dev/null", O_RDWR);
  send_fd(s[0], file, "null");
  close(file);
  RET("plain read drops it", read(s[1], text, sizeof text));
  int bad = 999;
  (void)bad;
  struct iovec iov = {"x", 1};
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {{0}};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(c), &bad, sizeof bad);
  RET("a descriptor that is not open", sendmsg(s[0], &message, 0));
  close(s[0]);
  close(s[1]);
}

int main(void) {
  int s[2];
  stream();
  datagrams(SOCK_DGRAM, "datagrams");
  datagrams(SOCK_SEQPACKET, "seqpacket");
  rights();
  ERR("bad domain", socketpair(77, SOCK_STREAM, 0, s));
  ERR("bad type", socketpair(AF_UNIX, 77, 0, s));
  ERR("bad protocol", socketpair(AF_UNIX, SOCK_STREAM, 9, s));
  ERR("bad pointer", socketpair(AF_UNIX, SOCK_STREAM, 0, hide((void *)8)));
  NUM("no descriptor leaked", dup(0));
  return 0;
}
