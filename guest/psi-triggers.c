/* Triggers of pressure stall information: what is written to /proc/pressure and to the files of a cgroup, poll and epoll
   (kernel/sched/psi.c, kernel/cgroup/cgroup.c, 6.18). */
#include "check.h"
#include <poll.h>
#include <sched.h>
#include <linux/capability.h>
#include <sys/epoll.h>

static char base[512];

static int fd_of(const char *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  MUST(fd);
  return fd;
}

static const char *in_cgroup(const char *name) {
  static char path[700];
  snprintf(path, sizeof path, "%s/%s", base, name);
  return path;
}

static const char *outcome(ssize_t n, size_t length) {
  return n < 0 ? err_name(errno) : n == (ssize_t)length ? "ok" : "short";
}

/* A new file each time: one trigger a file. */
static void try(const char *path, const char *label, const char *text, size_t length) {
  int fd = fd_of(path);
  ssize_t n = write(fd, text, length);
  char shown[80];
  snprintf(shown, sizeof shown, "%s", text);
  for (char *c = shown; *c; c++)
    if (*c == '\n') *c = '|';
  say("%s '%s' of %zu: %s", label, shown, length, outcome(n, length));
  close(fd);
}

static void try_all(const char *path, const char *label) {
  static const char *const texts[] = {
    "some 150000 1000000", "full 150000 1000000", "some 150000 1000000\n", "some 150000  1000000", "some150000 1000000",
    " some 150000 1000000", "some 150000", "some", "", "both 1 2", "some -1 1000000", "some 1 -1", "some 0 1000000",
    "some 1 0", "some 1 1", "some 2 1", "some 1 10000000", "some 1 10000001", "some 10000000 10000000",
    "some 0x10 1000000", "some 150000 1000000 and more", "some 150000 1000000xyz", "some 4294967297 1000000",
    "some 18446744073709551617 1000000", "Some 150000 1000000", "some\t150000\n1000000", "irq 1 1000000",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) try(path, label, texts[i], strlen(texts[i]) + 1);
  try(path, label, "some 150000 1000000", 19);
  try(path, label, "some 1 1000000", 14);
  try(path, label, "some 1 2000000", 0);
  try(path, label, "some 150000 00000000000001000000", 33);
}

static const char *bits(int events) {
  static char text[64];
  snprintf(text, sizeof text, "%s%s%s%s%s", events & POLLIN ? "IN " : "", events & POLLOUT ? "OUT " : "", events & POLLPRI ? "PRI " : "",
           events & POLLERR ? "ERR " : "", events & POLLHUP ? "HUP " : "");
  return text;
}

static void show_poll(const char *label, int fd, short events, int timeout) {
  struct pollfd p = {.fd = fd, .events = events};
  int n = poll(&p, 1, timeout);
  say("%s: %d %s", label, n, n < 0 ? err_name(errno) : bits(p.revents));
}

/* Two children that want the one processor they may have. */
static pid_t busy[2];
static void start_busy(void) {
  for (int i = 0; i < 2; i++) {
    fflush(stdout);
    busy[i] = fork();
    MUST(busy[i]);
    if (busy[i] == 0) {
      volatile unsigned long n = 0;
      for (;;) n++;
    }
  }
}
static void end_busy(void) {
  for (int i = 0; i < 2; i++) {
    kill(busy[i], SIGKILL);
    MUST(waitpid(busy[i], NULL, 0));
  }
}

static void put(const char *name, const char *text) {
  int fd = open(in_cgroup(name), O_WRONLY);
  if (fd < 0) {
    say("%s <- %s: %s", name, text, err_name(errno));
    return;
  }
  ssize_t n = write(fd, text, strlen(text));
  say("%s <- %s: %s", name, text, outcome(n, strlen(text)));
  close(fd);
}

static const char *get(const char *name) {
  static char text[256];
  int fd = open(in_cgroup(name), O_RDONLY);
  if (fd < 0) return err_name(errno);
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n < 0) return err_name(errno);
  text[n] = 0;
  text[strcspn(text, "\n")] = 0;
  return text;
}

static void fires(const char *label, const char *path, const char *trigger) {
  int fd = fd_of(path);
  MUST(write(fd, trigger, strlen(trigger) + 1));
  struct pollfd p = {.fd = fd, .events = POLLPRI};
  int n = poll(&p, 1, 30000);
  say("%s %s: %d %s", label, trigger, n, bits(p.revents));
  close(fd);
}

static void fires_in_epoll(const char *label, const char *path, unsigned flags) {
  int fd = fd_of(path), ep = epoll_create1(0);
  MUST(write(fd, "some 2000 20000", 16));
  struct epoll_event event = {.events = EPOLLPRI | flags, .data.u32 = 7};
  MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
  for (int i = 0; i < 2; i++) {
    struct epoll_event got = {0};
    int n = epoll_wait(ep, &got, 1, 30000);
    say("%s, time %d: %d %s%u", label, i, n, bits((int)got.events), got.data.u32);
  }
  close(ep);
  close(fd);
}

static int find_base(void) {
  char line[1024], at[512], type[64];
  FILE *f = fopen("/proc/self/mounts", "r");
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "%*s %511s %63s", at, type) == 2 && strcmp(type, "cgroup2") == 0) {
      snprintf(base, sizeof base, "%.400s/psi-triggers", at);
      fclose(f);
      return 1;
    }
  fclose(f);
  return 0;
}

static void end(void (*run)(void)) {
  run();
  _exit(0);
}

static void in_child(void (*run)(void)) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) end(run);
  MUST(waitpid(child, NULL, 0));
}

/* Windows of any length are for those whose CAP_SYS_RESOURCE is raised, in whatever user namespace (psi_trigger_create). */
static void drop_resource(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  MUST(syscall(SYS_capget, &header, data));
  data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
  MUST(syscall(SYS_capset, &header, data));
}

static void privileged(void) {
  MUST(unshare(CLONE_NEWUSER));
  try_all("/proc/pressure/memory", "memory");
  try("/proc/pressure/io", "io", "full 1 1000000", 15);
  try("/proc/pressure/cpu", "cpu", "full 1 1000000", 15);
}

static void nobody(void) {
  MUST(setuid(65534));
  int fd = open("/proc/pressure/memory", O_RDWR);
  ERR("open for writing without the right", fd < 0 ? -1 : 0);
  if (fd >= 0) close(fd);
}

static void opened_before(void) {
  int fd = fd_of("/proc/pressure/io");
  MUST(unshare(CLONE_NEWUSER));
  ssize_t n = write(fd, "some 150000 1000000", 20);
  say("opened without the right, written with it: %s", outcome(n, 20));
}

static void machine_events(void) {
  MUST(unshare(CLONE_NEWUSER));
  start_busy();
  fires("machine, cpu", "/proc/pressure/cpu", "some 2000 20000");
  fires_in_epoll("machine, epoll", "/proc/pressure/cpu", 0);
  fires_in_epoll("machine, edge", "/proc/pressure/cpu", EPOLLET);
  end_busy();
}

static void cgroup_try_all(void) {
  MUST(unshare(CLONE_NEWUSER));
  try_all(in_cgroup("memory.pressure"), "cgroup");
}

static void cgroup_idle(void) {
  MUST(unshare(CLONE_NEWUSER));
  int fd = fd_of(in_cgroup("cpu.pressure"));
  ERR("a trigger", write(fd, "some 2000 20000", 15));
  show_poll("cgroup, idle", fd, POLLIN | POLLOUT | POLLPRI, 0);
  show_poll("cgroup, idle for 50 ms", fd, POLLPRI, 50);
  close(fd);
}

static void cgroup_events(void) {
  MUST(unshare(CLONE_NEWUSER));
  fires("cgroup", in_cgroup("cpu.pressure"), "some 2000 20000");
  fires("cgroup", in_cgroup("cpu.pressure"), "some 1 20000");
}

int main(void) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  MUST(sched_setaffinity(0, sizeof one, &one));
  drop_resource();
  static const char *const texts[] = {"some 150000 1000000", "some 150000 2000000", "some 150000 3000000", "full 1 4000000"};
  for (int i = 0; i < 4; i++) try("/proc/pressure/memory", "without the right", texts[i], strlen(texts[i]) + 1);
  in_child(nobody);
  in_child(opened_before);
  in_child(privileged);

  int fd = fd_of("/proc/pressure/memory");
  show_poll("no trigger, all", fd, POLLIN | POLLOUT | POLLPRI, 0);
  show_poll("no trigger, POLLPRI", fd, POLLPRI, 0);
  ERR("a bad address", write(fd, hide((char *)8), 20));
  ERR("pwrite", pwrite(fd, "some 1 2000000", 15, 0));
  ERR("a trigger", write(fd, "full 1900000 2000000", 21));
  ERR("a second", write(fd, "some 1 2000000", 15));
  ERR("a second that is none", write(fd, "nonsense", 9));
  ERR("a second of nothing", write(fd, "", 0));
  show_poll("with a trigger", fd, POLLIN | POLLOUT, 0);
  show_poll("with a trigger, POLLPRI in no time", fd, POLLPRI, 0);
  char text[200] = {0};
  YES("it can be read", read(fd, text, sizeof text - 1) > 0 && strncmp(text, "some avg10=", 11) == 0);
  int other = dup(fd);
  ERR("a second through a copy", write(other, "some 1 2000000", 15));
  close(other);
  close(fd);
  fd = open("/proc/pressure/memory", O_RDONLY);
  ERR("a file open for reading", write(fd, "some 1 2000000", 15));
  close(fd);
  fd = open("/proc/pressure/memory", O_WRONLY);
  ERR("a file open for writing", write(fd, "some 1 2000000", 15));
  close(fd);

  in_child(machine_events);

  if (!find_base()) return 0;
  rmdir(base);
  MUST(mkdir(base, 0755));
  in_child(cgroup_try_all);
  in_child(cgroup_idle);
  say("cgroup.pressure: %s", get("cgroup.pressure"));
  int mine = fd_of(in_cgroup("cpu.pressure"));
  show_poll("cgroup, no trigger", mine, POLLIN | POLLOUT | POLLPRI, 0);
  ERR("a short window", write(mine, "some 2000 20000", 15));
  ERR("a trigger", write(mine, "some 2000 2000000", 17));
  ERR("a second", write(mine, "some 2000 2000000", 17));
  show_poll("cgroup, with a trigger", mine, POLLIN | POLLOUT | POLLPRI, 0);
  start_busy();
  char pid[32];
  for (int i = 0; i < 2; i++) {
    snprintf(pid, sizeof pid, "%d", busy[i]);
    int procs = open(in_cgroup("cgroup.procs"), O_WRONLY);
    MUST(write(procs, pid, strlen(pid)));
    close(procs);
  }
  in_child(cgroup_events);
  put("cgroup.pressure", "2");
  put("cgroup.pressure", "x");
  put("cgroup.pressure", "-1");
  put("cgroup.pressure", " 0\n");
  say("off: %s, cpu.pressure: %s, io.pressure: %s", get("cgroup.pressure"), get("cpu.pressure"), get("io.pressure"));
  struct stat st;
  ERR("stat", stat(in_cgroup("memory.pressure"), &st));
  show_poll("open while it is off", mine, POLLIN | POLLOUT | POLLPRI, 0);
  ERR("read while it is off", pread(mine, text, sizeof text, 0));
  put("cgroup.pressure", "1");
  say("on: %s", get("cgroup.pressure"));
  say("cpu.pressure: %.4s", get("cpu.pressure"));
  in_child(cgroup_events);
  ERR("read again", pread(mine, text, sizeof text, 0) > 0 ? 0 : -1);
  close(mine);
  mine = fd_of(in_cgroup("memory.pressure"));
  ERR("a trigger", write(mine, "some 900000 2000000", 19));
  end_busy();
  int left = 0;
  for (int i = 0; i < 2000 && (left = rmdir(base)) != 0; i++) usleep(1000);
  ERR("rmdir", left);
  show_poll("a cgroup that is gone", mine, POLLIN | POLLOUT | POLLPRI, 0);
  ERR("write", write(mine, "some 1 2000000", 14));
  ERR("read", read(mine, text, sizeof text));
  close(mine);
  return 0;
}
