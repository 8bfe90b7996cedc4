/* Options of a cgroup2 mount, what belongs to a delegatee, peaks that are counted anew, and whose events count. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup/"

static const char *put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return strerror(errno);
  ssize_t n = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  return n < 0 ? strerror(error) : "ok";
}

static void show(const char *path) {
  static char text[4096];
  int fd = open(path, O_RDONLY);
  ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  for (char *c = text; *c; c++)
    if (*c == '\n') *c = '|';
  printf("%s: %s\n", path, n < 0 ? strerror(errno) : text);
}

static void show_options(void) {
  char line[512];
  FILE *f = fopen("/proc/self/mounts", "r");
  while (fgets(line, sizeof line, f))
    if (strstr(line, " cgroup2 ")) printf("%s", line);
  fclose(f);
}

static long peak_kib(int fd) {
  char text[64] = {0};
  pread(fd, text, sizeof text - 1, 0);
  return atol(text) / 1024;
}

static void use(size_t bytes) {
  char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(p, 1, bytes);
  munmap(p, bytes);
}

static void peaks(void) {
  int a = open(ROOT "job/memory.peak", O_RDWR), b = open(ROOT "job/memory.peak", O_RDWR);
  use(4 << 20);
  long before = peak_kib(a);
  printf("peak of at least 4 MiB: %d\n", before >= 4096);
  write(a, "reset\n", 6);
  printf("after a reset: less than 1 MiB %d, the other file as before: %d\n", peak_kib(a) < 1024, peak_kib(b) == before);
  use(2 << 20);
  printf("since then 2 to 3 MiB: %d\n", peak_kib(a) >= 2048 && peak_kib(a) < 3072);
  write(b, "", 0);
  printf("nothing written, nothing reset: %d\n", peak_kib(b) == before);
  int c = open(ROOT "job/memory.peak", O_RDONLY);
  printf("a new file: %d, read only: %s\n", peak_kib(c) == before, write(c, "x", 1) < 0 ? strerror(errno) : "ok");
  printf("of swap: %s\n", put(ROOT "job/memory.swap.peak", "x"));
}

static void delegated(void) {
  unshare(CLONE_NEWCGROUP);
  printf("the border: memory.max %s, cgroup.freeze %s\n", put(ROOT "job/leaf/memory.max", "64M"), put(ROOT "job/leaf/cgroup.freeze", "0"));
  printf("delegated: subtree_control %s, oom.group %s\n", put(ROOT "job/leaf/cgroup.subtree_control", "-pids"),
         put(ROOT "job/leaf/memory.oom.group", "0"));
  printf("below: cgroup.freeze %s\n", put(ROOT "job/leaf/in/cgroup.freeze", "0"));
  printf("out: %s\n", put(ROOT "job/sub/cgroup.procs", "0"));
  printf("in: %s\n", put(ROOT "job/leaf/in/cgroup.procs", "0"));
  printf("remount from inside: %d\n", mount(NULL, ROOT, NULL, MS_REMOUNT, ""));
  show_options();
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  show("/sys/kernel/cgroup/delegate");
  show("/sys/kernel/cgroup/features");
  show_options();
  printf("no such option: %s\n", mount("none", "/tmp", "cgroup2", 0, "nosuch") < 0 ? strerror(errno) : "ok");
  put(ROOT "cgroup.subtree_control", "+memory +pids");
  mkdir(ROOT "job", 0755);
  put(ROOT "job/cgroup.procs", "0");
  peaks();
  put(ROOT "cgroup.procs", "0");
  mkdir(ROOT "job/sub", 0755);
  mkdir(ROOT "job/leaf", 0755);
  mkdir(ROOT "job/leaf/in", 0755);
  put(ROOT "job/cgroup.subtree_control", "+memory");
  printf("remount: %s\n", mount(NULL, ROOT, NULL, MS_REMOUNT, "nsdelegate,memory_localevents,pids_localevents") < 0 ? strerror(errno) : "ok");
  show_options();
  put(ROOT "job/sub/memory.max", "1M");
  put(ROOT "job/sub/pids.max", "1");
  if (fork() == 0) {
    put(ROOT "job/sub/cgroup.procs", "0");
    use(8 << 20);
    _exit(0);
  }
  int status;
  wait(&status);
  printf("killed: %d\n", WIFSIGNALED(status));
  char text[256] = {0};
  int fd = open(ROOT "job/memory.events", O_RDONLY);
  read(fd, text, sizeof text - 1);
  printf("events of below do not count: %d\n", strstr(text, "oom_kill 0") != NULL);
  put(ROOT "job/sub/memory.max", "max");
  if (fork() == 0) {
    put(ROOT "job/leaf/cgroup.procs", "0");
    delegated();
    _exit(0);
  }
  wait(&status);
  return 0;
}
