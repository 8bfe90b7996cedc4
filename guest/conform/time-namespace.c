/* Time namespaces: unshare, setns, clone3, /proc/PID/timens_offsets, the clocks that move. */
#include "conform.h"
#include <sched.h>
#include <sys/sysinfo.h>
#include <time.h>
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static void put(const char *what, const char *text) {
  int fd = open("/proc/self/timens_offsets", O_WRONLY);
  ERR(what, write(fd, text, strlen(text)));
  close(fd);
}
static void show(void) {
  char text[200] = "";
  int fd = open("/proc/self/timens_offsets", O_RDONLY);
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) say("%s", line);
}
static long seconds(int clock, int by_call) {
  struct timespec t = {0};
  if (by_call) syscall(SYS_clock_gettime, clock, &t);
  else clock_gettime(clock, &t);
  return t.tv_sec;
}
static int near(long value, long wanted) { return value >= wanted - 1 && value <= wanted + 5; }
static int same(const char *one, const char *other) {
  char a[64] = "", b[64] = "";
  return readlink(one, a, 63) > 0 && readlink(other, b, 63) > 0 && strcmp(a, b) == 0 && strncmp(a, "time:[", 6) == 0;
}
CASE("unshare", "CLONE_NEWTIME", "only the children are in it") {
  YES("one for both", same("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
  RET("unshare", unshare(CLONE_NEWTIME));
  YES("another for children", !same("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
  show();
  put("monotonic", "monotonic 1000 500");
  put("boottime by number", "7 2000 0\n");
  show();
  long monotonic = seconds(CLOCK_MONOTONIC, 0), boot = seconds(CLOCK_BOOTTIME, 0), real = time(NULL);
  struct sysinfo info;
  sysinfo(&info);
  long up = info.uptime;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    YES("in it", same("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
    YES("monotonic", near(seconds(CLOCK_MONOTONIC, 0), monotonic + 1000));
    YES("monotonic by call", near(seconds(CLOCK_MONOTONIC, 1), monotonic + 1000));
    YES("raw", near(seconds(CLOCK_MONOTONIC_RAW, 0), monotonic + 1000));
    YES("coarse", near(seconds(CLOCK_MONOTONIC_COARSE, 0), monotonic + 1000));
    YES("boottime", near(seconds(CLOCK_BOOTTIME, 0), boot + 2000));
    YES("boottime by call", near(seconds(CLOCK_BOOTTIME, 1), boot + 2000));
    YES("real time", near(time(NULL), real));
    sysinfo(&info);
    YES("sysinfo", near(info.uptime, up + 2000));
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 1000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    long before = seconds(CLOCK_MONOTONIC, 0);
    RET("sleep until", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    YES("not long", near(seconds(CLOCK_MONOTONIC, 0), before));
    put("offsets of a namespace in use", "monotonic 1 0");
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  YES("we are not", near(seconds(CLOCK_MONOTONIC, 0), monotonic));
  put("nor now", "monotonic 1 0");
  RET("once more", unshare(CLONE_NEWTIME));
  show();
}

CASE("unshare", "CLONE_NEWTIME", "exec moves in; vfork does not") {
  MUST(unshare(CLONE_NEWTIME));
  put("boottime", "boottime 5000 0");
  long boot = seconds(CLOCK_BOOTTIME, 0);
  pid_t child = vfork();
  if (child == 0) _exit(near(seconds(CLOCK_BOOTTIME, 0), boot) ? 1 : 2);
  int status;
  waitpid(child, &status, 0);
  NUM("vfork", WEXITSTATUS(status));
}

CASE("timens_offsets", "EINVAL", "what is refused") {
  MUST(unshare(CLONE_NEWTIME));
  put("no number", "monotonic\n");
  put("no such clock", "realtime 1 0\n");
  put("nanoseconds", "monotonic 1 1000000000\n");
  put("before boot", "monotonic -9000000000 0\n");
  put("too far", "boottime 9000000000 0\n");
  put("both", "monotonic 1 2\nboottime 3 4\n");
  show();
  put("empty", "\n");
}

CASE("setns", "CLONE_NEWTIME", "into the children's") {
  int own = open("/proc/self/ns/time", O_RDONLY);
  MUST(unshare(CLONE_NEWTIME));
  put("monotonic", "monotonic 700 0");
  int fd = open("/proc/self/ns/time_for_children", O_RDONLY);
  long monotonic = seconds(CLOCK_MONOTONIC, 0);
  RET("another kind", setns(fd, CLONE_NEWIPC));
  RET("setns", setns(fd, CLONE_NEWTIME));
  YES("there", near(seconds(CLOCK_MONOTONIC, 0), monotonic + 700));
  YES("both", same("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
  RET("and back", setns(own, 0));
  YES("here", near(seconds(CLOCK_MONOTONIC, 0), monotonic));
}

CASE("timens_offsets", "EACCES", "of the first namespace") {
  show();
  put("its offsets stand", "monotonic 1 0");
}
