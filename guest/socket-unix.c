/* AF_UNIX sockets with names: bind, listen, accept, connect, backlog, abstract names, datagrams, credentials, errors. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static socklen_t name(struct sockaddr_un *a, const char *text) {
  memset(a, 0, sizeof *a);
  a->sun_family = AF_UNIX;
  size_t n = strlen(text);
  memcpy(a->sun_path, text, n);
  if (text[0] == '@') { a->sun_path[0] = 0; return offsetof(struct sockaddr_un, sun_path) + n; }
  return sizeof *a;
}
static void show(const char *what, int result, const struct sockaddr_un *a, socklen_t length) {
  if (result < 0) { say("%s: %s", what, err_name(errno)); return; }
  if (length <= 2) say("%s: length %d, no name", what, (int)length);
  else say("%s: length %d, %s%s", what, (int)length, a->sun_path[0] ? "" : "@", a->sun_path[0] ? a->sun_path : a->sun_path + 1);
}
static void my_name(const char *what, int fd) {
  struct sockaddr_un a = {0};
  socklen_t length = sizeof a;
  int r = getsockname(fd, (struct sockaddr *)&a, &length);
  show(what, r, &a, length);
}
static void peer_name(const char *what, int fd) {
  struct sockaddr_un a = {0};
  socklen_t length = sizeof a;
  int r = getpeername(fd, (struct sockaddr *)&a, &length);
  show(what, r, &a, length);
}
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  MUST(poll(&p, 1, 0));
  return p.revents;
}
static int option(int fd, int level, int number) {
  int value = -1;
  socklen_t length = sizeof value;
  if (getsockopt(fd, level, number, &value, &length) < 0) return -errno;
  return value;
}

static void stream(const char *path) {
  struct sockaddr_un a;
  socklen_t n = name(&a, path);
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
  my_name("fresh", server);
  peer_name("fresh peer", server);
  NUM("events of a fresh one", events(server));
  ERR("listen without a name", listen(server, 1));
  ERR("accept before listen", accept(server, 0, 0));
  int other = socket(AF_UNIX, SOCK_STREAM, 0);
  ERR("shutdown of a fresh one", shutdown(other, SHUT_RDWR));
  NUM("events of it", events(other));
  close(other);
  RET("send on a fresh one", send(client, "x", 1, MSG_NOSIGNAL));
  RET("recv on a fresh one", recv(client, &n, 1, MSG_DONTWAIT));
  ERR("connect to nobody", connect(client, (struct sockaddr *)&a, n));
  ERR("bind", bind(server, (struct sockaddr *)&a, n));
  ERR("bind twice", bind(server, (struct sockaddr *)&a, n));
  my_name("bound", server);
  ERR("connect before listen", connect(client, (struct sockaddr *)&a, n));
  if (a.sun_path[0]) {
    struct stat st;
    MUST(stat(a.sun_path, &st));
    YES("a socket in the tree", S_ISSOCK(st.st_mode));
    ERR("open of it", open(a.sun_path, O_RDWR));
  }
  NUM("SO_ACCEPTCONN", option(server, SOL_SOCKET, SO_ACCEPTCONN));
  ERR("listen", listen(server, 1));
  NUM("SO_ACCEPTCONN", option(server, SOL_SOCKET, SO_ACCEPTCONN));
  NUM("events of a listener", events(server));
  int second = socket(AF_UNIX, SOCK_STREAM, 0), third = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), dgram = socket(AF_UNIX, SOCK_DGRAM, 0);
  ERR("connect", connect(client, (struct sockaddr *)&a, n));
  ERR("connect again", connect(client, (struct sockaddr *)&a, n));
  ERR("connect of another type", connect(dgram, (struct sockaddr *)&a, n));
  ERR("second", connect(second, (struct sockaddr *)&a, n));
  ERR("third: the backlog is full", connect(third, (struct sockaddr *)&a, n));
  NUM("events of a listener with connections", events(server));
  RET("client writes before accept", write(client, "early", 5));
  struct sockaddr_un from = {0};
  socklen_t length = sizeof from;
  int end = accept(server, (struct sockaddr *)&from, &length);
  show("accept", end, &from, length);
  ERR("third again", connect(third, (struct sockaddr *)&a, n));
  my_name("end's name", end);
  peer_name("end's peer", end);
  peer_name("client's peer", client);
  struct ucred cred;
  length = sizeof cred;
  ERR("SO_PEERCRED", getsockopt(client, SOL_SOCKET, SO_PEERCRED, &cred, &length));
  YES("me", cred.pid == getpid() && cred.uid == geteuid() && cred.gid == getegid() && length == sizeof cred);
  char text[32] = {0};
  RET("read", read(end, text, sizeof text));
  say("%s", text);
  NUM("events of a connection", events(end));
  RET("send with a name", sendto(end, "x", 1, 0, (struct sockaddr *)&a, n));
  ERR("shutdown of writing", shutdown(client, SHUT_WR));
  NUM("events after it", events(end));
  RET("end of file", read(end, text, sizeof text));
  RET("the other way", write(end, "back", 4));
  close(client);
  NUM("events after close", events(end));
  RET("reset, for bytes were unread", read(end, text, sizeof text));
  RET("then the end", read(end, text, sizeof text));
  RET("send to the closed", send(end, "x", 1, MSG_NOSIGNAL));
  close(server);
  NUM("cut off in the backlog", events(second));
  RET("read there", read(second, text, 1));
  RET("read again", read(second, text, 1));
  NUM("SO_TYPE", option(second, SOL_SOCKET, SO_TYPE));
  NUM("SO_DOMAIN", option(second, SOL_SOCKET, SO_DOMAIN));
  close(second); close(third); close(end); close(dgram);
  client = socket(AF_UNIX, SOCK_STREAM, 0);
  ERR("connect to a name that is left", connect(client, (struct sockaddr *)&a, n));
  server = socket(AF_UNIX, SOCK_STREAM, 0);
  ERR("bind to it", bind(server, (struct sockaddr *)&a, n));
  if (a.sun_path[0]) unlink(a.sun_path);
  close(client); close(server);
}

static void datagrams(void) {
  struct sockaddr_un a, b, from;
  socklen_t an = name(&a, "@dgram-a"), bn = name(&b, "@dgram-b"), length;
  char text[32] = {0};
  int x = socket(AF_UNIX, SOCK_DGRAM, 0), y = socket(AF_UNIX, SOCK_DGRAM, 0), z = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  ERR("bind", bind(x, (struct sockaddr *)&a, an));
  ERR("bind the same", bind(y, (struct sockaddr *)&a, an));
  ERR("bind", bind(y, (struct sockaddr *)&b, bn));
  ERR("listen", listen(x, 1));
  ERR("accept", accept(x, 0, 0));
  RET("send without a peer", send(x, "x", 1, 0));
  RET("sendto", sendto(y, "hello", 5, 0, (struct sockaddr *)&a, an));
  RET("sendto without a name", sendto(z, "anon", 4, 0, (struct sockaddr *)&a, an));
  length = sizeof from; memset(&from, 0, sizeof from);
  RET("recvfrom", recvfrom(x, text, 3, 0, (struct sockaddr *)&from, &length));
  show("from", 0, &from, length);
  length = sizeof from; memset(&from, 0, sizeof from);
  RET("recvfrom", recvfrom(x, text, sizeof text, MSG_TRUNC, (struct sockaddr *)&from, &length));
  NUM("name length", length);
  ERR("connect", connect(z, (struct sockaddr *)&a, an));
  int sent = 0;
  while (send(z, "m", 1, 0) == 1) sent++;
  say("%d fit, then %s", sent, err_name(errno));
  NUM("events of the sender", events(z) & ~POLLOUT);
  RET("read one", recv(x, text, sizeof text, 0));
  RET("one more fits", send(z, "m", 1, 0));
  ERR("connect back", connect(x, (struct sockaddr *)&b, bn));
  RET("sender that is not the peer", send(z, "m", 1, 0));
  ERR("connect to one that is connected elsewhere", connect(z, (struct sockaddr *)&a, an));
  close(x);
  RET("to the closed", send(z, "m", 1, 0));
  RET("again", send(z, "m", 1, 0));
  struct sockaddr un = {.sa_family = AF_UNSPEC};
  ERR("disconnect", connect(z, &un, sizeof un));
  un.sa_family = AF_UNIX;
  ERR("autobind", bind(z, &un, sizeof un.sa_family));
  length = sizeof from;
  MUST(getsockname(z, (struct sockaddr *)&from, &length));
  NUM("autobind length", length);
  close(y); close(z);
}

static void waiting(void) {
  struct sockaddr_un a;
  socklen_t n = name(&a, "@waits");
  int server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  MUST(bind(server, (struct sockaddr *)&a, n));
  MUST(listen(server, 0));
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 4; i++) {
      int c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
      MUST(connect(c, (struct sockaddr *)&a, n));
      char text[16];
      int l = snprintf(text, sizeof text, "packet %d", i);
      MUST(send(c, text, l, 0));
      MUST(send(c, "second", 6, 0));
      close(c);
    }
    _exit(0);
  }
  for (int i = 0; i < 4; i++) {
    int end = accept4(server, 0, 0, SOCK_CLOEXEC);
    char text[32] = {0};
    RET("recv", recv(end, text, sizeof text, 0));
    say("%s", text);
    RET("second", recv(end, text, sizeof text, 0));
    RET("end", recv(end, text, sizeof text, 0));
    close(end);
  }
  int status;
  MUST(waitpid(child, &status, 0));
  NUM("child", status);
  struct timeval tv = {0, 20000};
  ERR("SO_RCVTIMEO", setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
  ERR("accept gives up", accept(server, 0, 0));
  int s[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  MUST(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
  char c;
  RET("recv gives up", recv(s[0], &c, 1, 0));
  RET("read too", read(s[0], &c, 1));
  close(s[0]); close(s[1]); close(server);
}

static void errors(void) {
  struct sockaddr_un a;
  socklen_t n = name(&a, "/nowhere/at/all");
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  ERR("family", socket(12345, SOCK_STREAM, 0));
  ERR("type", socket(AF_UNIX, 7, 0));
  ERR("protocol", socket(AF_UNIX, SOCK_STREAM, 99));
  ERR("flags", socket(AF_UNIX, SOCK_STREAM | 0x10000, 0));
  ERR("bind in a folder that is not there", bind(s, (struct sockaddr *)&a, n));
  ERR("connect there", connect(s, (struct sockaddr *)&a, n));
  ERR("bind short", bind(s, (struct sockaddr *)&a, 1));
  ERR("bind long", bind(s, (struct sockaddr *)&a, 200));
  ERR("bind bad address", bind(s, (void *)8, n));
  a.sun_family = AF_INET;
  ERR("bind wrong family", bind(s, (struct sockaddr *)&a, n));
  int plain = open("/dev/null", O_RDWR);
  ERR("not a socket", bind(plain, (struct sockaddr *)&a, n));
  close(plain);
  ERR("no descriptor", listen(999, 1));
  ERR("accept4 flags", accept4(s, 0, 0, 1));
  NUM("option", option(s, SOL_SOCKET, 9999));
  NUM("level", option(s, 77, 1));
  name(&a, "/dev/null");
  ERR("connect to a file", connect(s, (struct sockaddr *)&a, n));
  close(s);
}

int main(void) {
  char path[64];
  snprintf(path, sizeof path, "/tmp/fl-socket");
  unlink(path);
  say("-- path"); stream(path);
  say("-- abstract"); stream("@fl-socket");
  say("-- datagrams"); datagrams();
  say("-- waiting"); waiting();
  say("-- errors"); errors();
  return 0;
}
