/* AF_INET on loopback: TCP and UDP between processes, ports, options, non-blocking connects, refusals and resets. */
#include "check.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct sockaddr_in at(const char *host, int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host, &a.sin_addr);
  return a;
}
static int port_of(int fd) {
  struct sockaddr_in a;
  socklen_t n = sizeof a;
  MUST(getsockname(fd, (struct sockaddr *)&a, &n));
  return ntohs(a.sin_port);
}
static void show_host(const char *what, int fd, int peer) {
  struct sockaddr_in a;
  socklen_t n = sizeof a;
  int r = peer ? getpeername(fd, (struct sockaddr *)&a, &n) : getsockname(fd, (struct sockaddr *)&a, &n);
  if (r < 0) say("%s: %s", what, err_name(errno));
  else say("%s: length %d %s port %s", what, (int)n, inet_ntoa(a.sin_addr), a.sin_port ? "yes" : "0");
}
static int events(int fd, int timeout) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  MUST(poll(&p, 1, timeout));
  return p.revents;
}
static int option(int fd, int level, int number) {
  int value = -1;
  socklen_t length = sizeof value;
  if (getsockopt(fd, level, number, &value, &length) < 0) return -errno;
  return value;
}
static void set(const char *what, int fd, int level, int number, int value) {
  ERR(what, setsockopt(fd, level, number, &value, sizeof value));
  NUM(what, option(fd, level, number));
}

static void tcp(void) {
  struct sockaddr_in a = at("127.0.0.1", 0);
  int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  show_host("fresh", server, 0);
  show_host("fresh peer", server, 1);
  NUM("events of a fresh one", events(client, 0));
  ERR("accept before listen", accept(server, 0, 0));
  ERR("shutdown of a fresh one", shutdown(client, SHUT_WR));
  RET("recv on a fresh one", recv(client, &a, 1, MSG_DONTWAIT));
  RET("send on a fresh one", send(client, "x", 1, MSG_NOSIGNAL));
  set("SO_REUSEADDR", server, SOL_SOCKET, SO_REUSEADDR, 5);
  ERR("bind", bind(server, (struct sockaddr *)&a, sizeof a));
  ERR("bind twice", bind(server, (struct sockaddr *)&a, sizeof a));
  int port = port_of(server);
  YES("a port", port > 0);
  a = at("127.0.0.1", port);
  ERR("bind the same port", bind(client, (struct sockaddr *)&a, sizeof a));
  ERR("nobody listens", connect(client, (struct sockaddr *)&a, sizeof a));
  ERR("listen", listen(server, 5));
  NUM("SO_ACCEPTCONN", option(server, SOL_SOCKET, SO_ACCEPTCONN));
  NUM("events of a listener", events(server, 0));
  ERR("connect", connect(client, (struct sockaddr *)&a, sizeof a));
  ERR("connect again", connect(client, (struct sockaddr *)&a, sizeof a));
  NUM("events of a listener with a connection", events(server, 1000));
  struct sockaddr_in from;
  socklen_t n = sizeof from;
  int end = accept(server, (struct sockaddr *)&from, &n);
  YES("accepted, from the client", end >= 0 && n == sizeof from && ntohs(from.sin_port) == port_of(client));
  YES("the port is the server's", port_of(end) == port);
  show_host("end", end, 0);
  show_host("end's peer", end, 1);
  show_host("client", client, 0);
  NUM("events of a connection", events(client, 0));
  set("TCP_NODELAY", client, IPPROTO_TCP, TCP_NODELAY, 7);
  set("SO_KEEPALIVE", client, SOL_SOCKET, SO_KEEPALIVE, 1);
  set("TCP_KEEPIDLE", client, IPPROTO_TCP, TCP_KEEPIDLE, 33);
  NUM("TCP_KEEPINTVL", option(client, IPPROTO_TCP, TCP_KEEPINTVL));
  NUM("SO_TYPE", option(client, SOL_SOCKET, SO_TYPE));
  NUM("SO_DOMAIN", option(client, SOL_SOCKET, SO_DOMAIN));
  NUM("SO_PROTOCOL", option(client, SOL_SOCKET, SO_PROTOCOL));
  RET("send", send(client, "hello", 5, 0));
  char text[64] = {0};
  NUM("events", events(end, 1000));
  RET("peek", recv(end, text, sizeof text, MSG_PEEK));
  n = 77;
  RET("recvfrom", recvfrom(end, text, sizeof text, 0, (struct sockaddr *)&from, &n));
  NUM("no name on a connection", n);
  say("%s", text);
  RET("nothing", recv(end, text, sizeof text, MSG_DONTWAIT));
  ERR("shutdown", shutdown(client, SHUT_WR));
  NUM("events after it", events(end, 1000));
  RET("end", recv(end, text, sizeof text, 0));
  RET("the other way", send(end, "back", 4, 0));
  RET("read", recv(client, text, sizeof text, 0));
  close(end);
  usleep(10000);
  NUM("both ended", events(client, 0));
  RET("end", recv(client, text, sizeof text, 0));
  close(client);
  int more = socket(AF_INET, SOCK_STREAM, 0);
  MUST(connect(more, (struct sockaddr *)&a, sizeof a));
  end = accept(server, 0, 0);
  RET("send", send(more, "unread", 6, 0));
  usleep(10000);
  close(end);
  usleep(10000);
  NUM("reset", events(more, 0));
  RET("reset is told", recv(more, text, sizeof text, 0));
  RET("then the end", recv(more, text, sizeof text, 0));
  close(more);
  more = socket(AF_INET, SOCK_STREAM, 0);
  MUST(connect(more, (struct sockaddr *)&a, sizeof a));
  end = accept(server, 0, 0);
  close(end);
  usleep(10000);
  NUM("closed by the other", events(more, 0));
  RET("a first send leaves", send(more, "x", 1, MSG_NOSIGNAL));
  usleep(10000);
  NUM("reset came", events(more, 0));
  RET("the second fails", send(more, "x", 1, MSG_NOSIGNAL));
  RET("the end", recv(more, text, sizeof text, 0));
  close(more);
  close(server);
}

static void nonblocking(void) {
  struct sockaddr_in a = at("127.0.0.1", 0);
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  MUST(bind(server, (struct sockaddr *)&a, sizeof a));
  a = at("127.0.0.1", port_of(server));
  ERR("refused later", connect(client, (struct sockaddr *)&a, sizeof a));
  NUM("events", events(client, 1000));
  NUM("SO_ERROR", option(client, SOL_SOCKET, SO_ERROR));
  NUM("SO_ERROR again", option(client, SOL_SOCKET, SO_ERROR));
  close(client);
  client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  MUST(listen(server, 5));
  ERR("accept", accept(server, 0, 0));
  ERR("connect", connect(client, (struct sockaddr *)&a, sizeof a));
  NUM("events", events(client, 1000));
  NUM("SO_ERROR", option(client, SOL_SOCKET, SO_ERROR));
  ERR("connect again", connect(client, (struct sockaddr *)&a, sizeof a));
  ERR("and again", connect(client, (struct sockaddr *)&a, sizeof a));
  events(server, 1000);
  int end = accept4(server, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
  YES("accepted", end >= 0);
  NUM("flags", fcntl(end, F_GETFL) & O_NONBLOCK);
  ERR("recv", recv(end, &a, 1, 0));
  close(end); close(client); close(server);
}

static void bulk(void) {
  struct sockaddr_in a = at("0.0.0.0", 0);
  int server = socket(AF_INET, SOCK_STREAM, 0);
  MUST(bind(server, (struct sockaddr *)&a, sizeof a));
  MUST(listen(server, 5));
  a = at("127.0.0.1", port_of(server));
  pid_t child = fork();
  if (child == 0) {
    int c = socket(AF_INET, SOCK_STREAM, 0);
    MUST(connect(c, (struct sockaddr *)&a, sizeof a));
    static char block[100000];
    for (size_t i = 0; i < sizeof block; i++) block[i] = (char)(i * 7 + i / 251);
    for (int i = 0; i < 20; i++) {
      size_t done = 0;
      while (done < sizeof block) done += write(c, block + done, sizeof block - done);
    }
    shutdown(c, SHUT_WR);
    char c1;
    MUST(read(c, &c1, 1));
    _exit(c1);
  }
  int end = accept(server, 0, 0);
  unsigned sum = 0;
  long total = 0, got;
  static char buffer[30000];
  while ((got = read(end, buffer, sizeof buffer)) > 0)
    for (long i = 0; i < got; i++, total++) sum = sum * 31 + (unsigned char)buffer[i];
  say("%ld bytes, sum %u", total, sum);
  MUST(write(end, "\7", 1));
  int status;
  MUST(waitpid(child, &status, 0));
  NUM("child", WEXITSTATUS(status));
  close(end); close(server);
}

static void udp(void) {
  struct sockaddr_in a = at("127.0.0.1", 0), from;
  socklen_t n = sizeof from;
  char text[32] = {0};
  int x = socket(AF_INET, SOCK_DGRAM, 0), y = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
  NUM("events of a fresh one", events(x, 0));
  int w = socket(AF_INET, SOCK_DGRAM, 0);
  RET("send without a peer", send(w, "x", 1, 0));
  show_host("bound by it", w, 0);
  ERR("bind is too late", bind(w, (struct sockaddr *)&a, sizeof a));
  close(w);
  MUST(bind(x, (struct sockaddr *)&a, sizeof a));
  a = at("127.0.0.1", port_of(x));
  ERR("listen", listen(x, 1));
  RET("nothing", recv(y, text, 1, 0));
  RET("sendto", sendto(y, "hello", 5, 0, (struct sockaddr *)&a, sizeof a));
  show_host("bound by it", y, 0);
  NUM("events", events(x, 1000));
  RET("recvfrom", recvfrom(x, text, 3, MSG_TRUNC, (struct sockaddr *)&from, &n));
  say("%s, from %s, its port %d", text, inet_ntoa(from.sin_addr), ntohs(from.sin_port) == port_of(y));
  RET("answer", sendto(x, "answer", 6, 0, (struct sockaddr *)&from, n));
  ERR("connect", connect(y, (struct sockaddr *)&a, sizeof a));
  show_host("now", y, 0);
  show_host("peer", y, 1);
  RET("recv", recv(y, text, sizeof text, 0));
  RET("empty datagram", send(y, "", 0, 0));
  RET("recv it", recv(x, text, sizeof text, 0));
  RET("too long", sendto(y, hide(text), 70000, 0, 0, 0));
  close(x);
  RET("nobody there", send(y, "x", 1, 0));
  usleep(10000);
  RET("refused", send(y, "x", 1, 0));
  RET("and on", send(y, "x", 1, 0));
  usleep(10000);
  RET("refused", recv(y, text, 1, 0));
  close(y);
}

static void errors(void) {
  struct sockaddr_in a = at("192.0.2.1", 5);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  ERR("type", socket(AF_INET, SOCK_SEQPACKET, 0));
  ERR("protocol", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  ERR("pair", socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0}));
  ERR("bind elsewhere", bind(s, (struct sockaddr *)&a, sizeof a));
  ERR("bind short", bind(s, (struct sockaddr *)&a, 8));
  a.sin_family = AF_UNIX;
  ERR("bind family", bind(s, (struct sockaddr *)&a, sizeof a));
  ERR("connect family", connect(s, (struct sockaddr *)&a, sizeof a));
  NUM("option", option(s, IPPROTO_TCP, 999));
  NUM("level", option(s, 77, 1));
  set("TCP_KEEPCNT", s, IPPROTO_TCP, TCP_KEEPCNT, 0);
  set("SO_SNDBUF", s, SOL_SOCKET, SO_SNDBUF, 30000);
  set("SO_RCVBUF", s, SOL_SOCKET, SO_RCVBUF, 1);
  close(s);
}

int main(void) {
  say("-- tcp"); tcp();
  say("-- nonblocking"); nonblocking();
  say("-- bulk"); bulk();
  say("-- udp"); udp();
  say("-- errors"); errors();
  return 0;
}
