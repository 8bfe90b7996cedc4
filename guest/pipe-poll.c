/* poll, ppoll, select, pselect on pipes: readiness, hang-up, errors, timeouts, many descriptors (poll(2), select(2)). */
#include "check.h"
#include <poll.h>
#include <sys/select.h>
static void show(const char *what, int r, short e) {
  say("%s: %d%s%s%s%s%s", what, r, e & POLLIN ? " IN" : "", e & POLLOUT ? " OUT" : "", e & POLLHUP ? " HUP" : "",
      e & POLLERR ? " ERR" : "", e & POLLNVAL ? " NVAL" : "");
}
int main(void) {
  int p[2], q[2];
  char c;
  MUST(pipe(p)); MUST(pipe(q));
  struct pollfd f[2] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}};
  int r = poll(f, 1, 0); show("empty", r, f[0].revents);
  r = poll(f + 1, 1, 0); show("writable", r, f[1].revents);
  long before = now_ms();
  r = poll(f, 1, 30); show("timeout", r, f[0].revents);
  YES("waited", now_ms() - before >= 30);
  MUST(write(p[1], "x", 1));
  r = poll(f, 2, -1); show("data", r, f[0].revents);
  pid_t pid = fork();
  if (pid == 0) { sleep_ms(30); if (write(q[1], "y", 1) != 1) _exit(1); _exit(0); }
  struct pollfd g = {q[0], POLLIN, 0};
  struct timespec t = {5, 0};
  r = ppoll(&g, 1, &t, NULL); show("ppoll wakes", r, g.revents);
  say("%s", wait_text(pid));
  fd_set in, out;
  FD_ZERO(&in); FD_ZERO(&out); FD_SET(p[0], &in); FD_SET(q[0], &in); FD_SET(p[1], &out);
  struct timeval tv = {1, 0};
  RET("select", select(64, &in, &out, NULL, &tv));
  say("in %d %d out %d", !!FD_ISSET(p[0], &in), !!FD_ISSET(q[0], &in), !!FD_ISSET(p[1], &out));
  MUST(read(p[0], &c, 1)); MUST(read(q[0], &c, 1));
  FD_ZERO(&in); FD_SET(p[0], &in);
  tv = (struct timeval){0, 20000};
  RET("select timeout", select(64, &in, NULL, NULL, &tv));
  RET("set is empty", FD_ISSET(p[0], &in));
  close(p[1]);
  r = poll(f, 1, -1); show("writer gone", r, f[0].revents);
  close(q[0]);
  g = (struct pollfd){q[1], POLLOUT, 0};
  r = poll(&g, 1, -1); show("reader gone", r, g.revents);
  g = (struct pollfd){99, POLLIN, 0};
  r = poll(&g, 1, -1); show("not open", r, g.revents);
  g.fd = -1;
  r = poll(&g, 1, 0); show("negative is skipped", r, g.revents);
  FD_ZERO(&in); FD_SET(60, &in);
  ERR("select of a closed one", select(64, &in, NULL, NULL, NULL));
  int file = open("/proc/self/exe", O_RDONLY);
  g = (struct pollfd){file, POLLIN | POLLOUT, 0};
  r = poll(&g, 1, 0); show("file", r, g.revents);
  return 0;
}
