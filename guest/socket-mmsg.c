/* sendmmsg(2) and recvmmsg(2): several messages in one call, what a failure in the middle leaves, flags, the timeout (6.18). */
#include "check.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#define N 5
static char in[N][16];
static struct iovec in_vec[N], out_vec[N];
static struct mmsghdr in_msg[N], out_msg[N];
static struct sockaddr_storage from[N];
static const char *const words[N] = {"one", "three", "fifteen bytes..", "", "five5"};

static void fresh(void) {
  memset(in, '-', sizeof in);
  for (int i = 0; i < N; i++) {
    in_vec[i] = (struct iovec){in[i], sizeof in[i] - 1};
    out_vec[i] = (struct iovec){(void *)words[i], strlen(words[i])};
    in_msg[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &in_vec[i], .msg_iovlen = 1}, .msg_len = 77};
    out_msg[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &out_vec[i], .msg_iovlen = 1}, .msg_len = 77};
  }
}

static void show(const char *what, long result, struct mmsghdr *list) {
  int error = errno;
  char text[300] = "";
  for (int i = 0; i < N; i++) {
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, " %u/%x", list[i].msg_len, (unsigned)list[i].msg_hdr.msg_flags);
    if (list == in_msg && list[i].msg_len != 77) {
      used = strlen(text);
      snprintf(text + used, sizeof text - used, "(%.*s)", (int)list[i].msg_len, in[i]);
    }
  }
  if (result < 0) say("%s: %s,%s", what, err_name(error), text);
  else say("%s: %ld,%s", what, result, text);
}

static long send_(int fd, unsigned count, int flags) { errno = 0; return syscall(SYS_sendmmsg, fd, out_msg, count, flags); }
static long receive(int fd, unsigned count, int flags, struct timespec *t) {
  errno = 0;
  return syscall(SYS_recvmmsg, fd, in_msg, count, flags, t);
}

static void datagrams(void) {
  int pair[2];
  MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  fresh();
  show("send all", send_(pair[0], N, 0), out_msg);
  show("receive all", receive(pair[1], N, 0, NULL), in_msg);
  fresh();
  show("receive nothing", receive(pair[1], N, MSG_DONTWAIT, NULL), in_msg);
  show("send two", send_(pair[0], 2, 0), out_msg);
  show("receive what is there", receive(pair[1], N, MSG_DONTWAIT, NULL), in_msg);
  fresh();
  show("send two", send_(pair[0], 2, 0), out_msg);
  show("wait for one", receive(pair[1], N, MSG_WAITFORONE, NULL), in_msg);
  fresh();
  show("send none", send_(pair[0], 0, 0), out_msg);
  show("receive none", receive(pair[1], 0, 0, NULL), in_msg);
  out_msg[2].msg_hdr.msg_iov = (void *)8;
  show("a bad third", send_(pair[0], N, 0), out_msg);
  in_msg[1].msg_hdr.msg_iov = (void *)8;
  show("a bad second", receive(pair[1], N, MSG_DONTWAIT, NULL), in_msg);
  int error = 0;
  socklen_t size = sizeof error;
  MUST(getsockopt(pair[1], SOL_SOCKET, SO_ERROR, &error, &size));
  say("the error is kept: %s", err_name(error));
  fresh();
  show("what is left", receive(pair[1], N, MSG_DONTWAIT, NULL), in_msg);
  fresh();
  out_msg[0].msg_hdr.msg_iov = (void *)8;
  show("a bad first", send_(pair[0], N, 0), out_msg);
  fresh();
  in_vec[0].iov_len = 3;
  MUST(send_(pair[0], 3, 0));
  show("cut short", receive(pair[1], 2, 0, NULL), in_msg);
  show("the rest", receive(pair[1], 2, MSG_DONTWAIT, NULL), in_msg);
  fresh();
  MUST(send_(pair[0], 3, 0));
  struct timespec t = {0, 1000000000};
  ERR("bad timeout", receive(pair[1], N, 0, &t));
  t = (struct timespec){-1, 0};
  ERR("negative timeout", receive(pair[1], N, 0, &t));
  ERR("timeout at a bad place", receive(pair[1], N, 0, (void *)8));
  t = (struct timespec){0, 0};
  show("no time", receive(pair[1], N, 0, &t), in_msg);
  say("left %ld %ld", (long)t.tv_sec, t.tv_nsec);
  t = (struct timespec){100, 0};
  show("time enough", receive(pair[1], 2, 0, &t), in_msg);
  YES("most is left", t.tv_sec == 99 || (t.tv_sec == 100 && t.tv_nsec == 0));
  t = (struct timespec){5, 0};
  ERR("nothing there", receive(pair[1], N, MSG_DONTWAIT, &t));
  say("left %ld %ld", (long)t.tv_sec, t.tv_nsec);
  ERR("bad descriptor", send_(-1, N, 0));
  ERR("bad descriptor", receive(-1, N, 0, NULL));
  int null = open("/dev/null", O_RDWR);
  ERR("no socket", send_(null, N, 0));
  ERR("no socket", receive(null, N, 0, NULL));
  close(null);
  /* A call that waits for the second message keeps the first. */
  fresh();
  MUST(send_(pair[0], 1, 0));
  pid_t child = fork();
  if (child == 0) {
    fresh();
    sleep_ms(20);
    MUST(send_(pair[0], 3, 0));
    _exit(0);
  }
  show("waits for more", receive(pair[1], 4, 0, NULL), in_msg);
  say("child: %s", wait_text(child));
  close(pair[1]);
  fresh();
  show("peer gone", send_(pair[0], N, 0), out_msg);
  close(pair[0]);
}

static void on_alarm(int s) { (void)s; }

static void interrupted(void) {
  int pair[2];
  MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGUSR1, &action, NULL);
  fresh();
  MUST(send_(pair[0], 2, 0));
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    sleep_ms(50);
    kill(parent, SIGUSR1);
    _exit(0);
  }
  show("a signal after two", receive(pair[1], N, 0, NULL), in_msg);
  say("child: %s", wait_text(child));
  int error = 0;
  socklen_t size = sizeof error;
  MUST(getsockopt(pair[1], SOL_SOCKET, SO_ERROR, &error, &size));
  YES("something is kept", error != 0);
  close(pair[0]);
  close(pair[1]);
}

static void streams(void) {
  int pair[2];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  fresh();
  show("send all", send_(pair[0], N, 0), out_msg);
  show("one stream", receive(pair[1], 2, MSG_DONTWAIT, NULL), in_msg);
  fresh();
  show("the rest", receive(pair[1], N, MSG_DONTWAIT, NULL), in_msg);
  static char big[400000];
  fresh();
  out_vec[1] = (struct iovec){big, sizeof big};
  long n = send_(pair[0], 3, MSG_DONTWAIT);
  NUM("a partial one counts, and ends the call", n);
  YES("part of it", out_msg[1].msg_len > 0 && out_msg[1].msg_len < sizeof big);
  NUM("the third is not touched", out_msg[2].msg_len);
  signal(SIGPIPE, SIG_IGN);
  close(pair[1]);
  fresh();
  show("peer gone", send_(pair[0], N, 0), out_msg);
  close(pair[0]);
}

static void addresses(void) {
  int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof to;
  MUST(bind(b, (struct sockaddr *)&to, sizeof to));
  MUST(getsockname(b, (struct sockaddr *)&to, &size));
  fresh();
  for (int i = 0; i < N; i++) {
    out_msg[i].msg_hdr.msg_name = &to;
    out_msg[i].msg_hdr.msg_namelen = sizeof to;
    in_msg[i].msg_hdr.msg_name = &from[i];
    in_msg[i].msg_hdr.msg_namelen = sizeof from[i];
  }
  out_msg[3].msg_hdr.msg_name = NULL;
  out_msg[3].msg_hdr.msg_namelen = 0;
  show("the fourth goes nowhere", send_(a, N, 0), out_msg);
  show("received", receive(b, N, MSG_WAITFORONE, NULL), in_msg);
  say("senders %d %d, %u bytes", from[0].ss_family == AF_INET, from[2].ss_family == AF_INET, in_msg[2].msg_hdr.msg_namelen);
  close(a);
  close(b);
}

int main(void) {
  datagrams();
  interrupted();
  streams();
  addresses();
  return 0;
}
