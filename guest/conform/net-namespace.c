/* Network namespaces: unshare, clone, setns; names, ports and /proc/sys/net of their own. */
#include "conform.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int same(const char *one, const char *other) {
  char a[64] = "", b[64] = "";
  return readlink(one, a, 63) > 0 && readlink(other, b, 63) > 0 && strcmp(a, b) == 0 && strncmp(a, "net:[", 5) == 0;
}
static struct sockaddr_in inet(unsigned host, int port) {
  struct sockaddr_in address = {0};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host);
  address.sin_port = htons((unsigned short)port);
  return address;
}
static int call(int (*what)(int, const struct sockaddr *, socklen_t), int fd, unsigned host, int port) {
  struct sockaddr_in address = inet(host, port);
  return what(fd, (struct sockaddr *)&address, sizeof address);
}
static int unix_call(int (*what)(int, const struct sockaddr *, socklen_t), int fd, const char *name) {
  struct sockaddr_un address = {0};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path + (name[0] == '@'), name + (name[0] == '@'), strlen(name) - (name[0] == '@'));
  return what(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name)));
}
static long tag(const char *which) {
  char path[80];
  snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/tag", which);
  FILE *f = fopen(path, "r");
  long value = -1;
  if (!f || fscanf(f, "%ld", &value) != 1) value = -1;
  if (f) fclose(f);
  return value;
}
static void set_tag(const char *which, const char *text) {
  char path[80];
  snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/tag", which);
  int fd = open(path, O_WRONLY);
  ERR(which, write(fd, text, strlen(text)));
  close(fd);
}

CASE("unshare", "CLONE_NEWNET", "an interface that is down, ports of one's own") {
  RET("unshare", unshare(CLONE_NEWNET));
  int one = socket(AF_INET, SOCK_STREAM, 0), other = socket(AF_INET, SOCK_STREAM, 0);
  RET("bind to lo", call(bind, one, INADDR_LOOPBACK, 4711));
  RET("bind to any", call(bind, one, INADDR_ANY, 4711));
  RET("listen", listen(one, 5));
  RET("the same port", call(bind, other, INADDR_ANY, 4711));
  RET("connect to lo", call(connect, other, INADDR_LOOPBACK, 4711));
  int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  RET("datagrams to lo", call(connect, datagrams, INADDR_LOOPBACK, 4711));
  MUST(unshare(CLONE_NEWNET));
  int third = socket(AF_INET, SOCK_STREAM, 0);
  RET("the port in another", call(bind, third, INADDR_ANY, 4711));
  int fourth = socket(AF_INET, SOCK_STREAM, 0);
  RET("taken there too", call(bind, fourth, INADDR_ANY, 4711));
  RET("a socket stays where it was made", call(bind, other, INADDR_ANY, 4711));
}

CASE("unshare", "CLONE_NEWNET", "abstract names are of one namespace, paths of all") {
  MUST(unshare(CLONE_NEWNET));
  int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
  RET("abstract", unix_call(bind, one, "@conform-net"));
  unlink("/tmp/conform-net-socket");
  RET("path", unix_call(bind, two, "/tmp/conform-net-socket"));
  listen(one, 5);
  listen(two, 5);
  RET("connect", unix_call(connect, socket(AF_UNIX, SOCK_STREAM, 0), "@conform-net"));
  MUST(unshare(CLONE_NEWNET));
  RET("abstract from another", unix_call(connect, socket(AF_UNIX, SOCK_STREAM, 0), "@conform-net"));
  RET("path from another", unix_call(connect, socket(AF_UNIX, SOCK_STREAM, 0), "/tmp/conform-net-socket"));
  RET("the name is free", unix_call(bind, socket(AF_UNIX, SOCK_STREAM, 0), "@conform-net"));
  unlink("/tmp/conform-net-socket");
}

CASE("/proc/sys/net", "CLONE_NEWNET", "tags of the interface") {
  MUST(unshare(CLONE_NEWNET));
  say("%ld %ld %ld", tag("all"), tag("default"), tag("lo"));
  set_tag("default", "5\n");
  say("lo follows: %ld", tag("lo"));
  set_tag("lo", "7\n");
  set_tag("default", "6\n");
  say("until it has its own: %ld", tag("lo"));
  set_tag("lo", "what\n");
  MUST(unshare(CLONE_NEWNET));
  say("another: %ld %ld %ld", tag("all"), tag("default"), tag("lo"));
}

CASE("setns", "CLONE_NEWNET", "back; a child shares") {
  int own = open("/proc/self/ns/net", O_RDONLY);
  MUST(unshare(CLONE_NEWNET));
  set_tag("lo", "3\n");
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) _exit((int)tag("lo"));
  int status;
  waitpid(child, &status, 0);
  NUM("the child's", WEXITSTATUS(status));
  RET("another kind", setns(own, CLONE_NEWIPC));
  RET("setns", setns(own, CLONE_NEWNET));
  YES("there", tag("lo") != 3);
  long made = syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0L, 0L, 0L, 0L);
  if (made == 0) _exit(tag("lo") == 3 ? 1 : 2);
  waitpid((pid_t)made, &status, 0);
  NUM("clone", WEXITSTATUS(status));
  YES("ours is one", same("/proc/self/ns/net", "/proc/thread-self/ns/net"));
}
