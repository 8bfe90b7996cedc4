/* prlimit: limits of other processes, as they act there, and who may set them. */
#include "conform.h"
#define PRLIMIT(pid, what, set, get) syscall(SYS_prlimit64, (long)(pid), (long)(what), set, get)

/* A child that waits for a byte, then tries to map 64 MiB and to lock 16 pages, and says how that went in its status. */
static int ends[2];
static pid_t trying_child(int as_nobody) {
  int down[2];
  MUST(pipe(down));
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    char c;
    close(down[1]);
    if (read(down[0], &c, 1) != 1) _exit(97);
    if (as_nobody) drop_root();
    char *p = kmmap(NULL, 64UL << 20, RW, ANON | MAP_NORESERVE, -1, 0);
    int mapped = p == (char *)-1 ? errno == ENOMEM ? 1 : 2 : 0;
    p = kmmap(NULL, 16 * PG, RW, ANON, -1, 0);
    int locked = kmlock(p, 16 * PG) == 0 ? 0 : errno == ENOMEM ? 1 : errno == EPERM ? 2 : 3;
    _exit(mapped * 16 + locked);
  }
  close(down[0]);
  ends[1] = down[1];
  return pid;
}
static void let_it_try(const char *what, pid_t pid) {
  int status;
  MUST(write(ends[1], "x", 1));
  waitpid(pid, &status, 0);
  say("%s: map %d lock %d", what, WEXITSTATUS(status) / 16, WEXITSTATUS(status) % 16);
}

CASE("prlimit64", "RLIMIT_AS", "of a child: what it maps later fails") {
  pid_t pid = trying_child(0);
  struct rlimit set = {48UL << 20, RLIM_INFINITY}, old;
  RET("set", PRLIMIT(pid, RLIMIT_AS, &set, &old));
  YES("before", old.rlim_cur == RLIM_INFINITY && old.rlim_max == RLIM_INFINITY);
  RET("get", PRLIMIT(pid, RLIMIT_AS, NULL, &old));
  YES("after", old.rlim_cur == 48UL << 20 && old.rlim_max == RLIM_INFINITY);
  RET("ours", PRLIMIT(0, RLIMIT_AS, NULL, &old));
  YES("as it was", old.rlim_cur == RLIM_INFINITY);
  let_it_try("limited", pid);
  let_it_try("not limited", trying_child(0));
}
CASE("prlimit64", "RLIMIT_MEMLOCK", "of a child without CAP_IPC_LOCK; RLIMIT_DATA") {
  struct rlimit set = {8 * PG, 8 * PG}, data = {48UL << 20, 48UL << 20}, none = {0, 0};
  pid_t pid = trying_child(1);
  RET("memlock", PRLIMIT(pid, RLIMIT_MEMLOCK, &set, NULL));
  let_it_try("8 pages", pid);
  pid = trying_child(1);
  RET("memlock", PRLIMIT(pid, RLIMIT_MEMLOCK, &none, NULL));
  RET("data", PRLIMIT(pid, RLIMIT_DATA, &data, NULL));
  let_it_try("none", pid);
  pid = trying_child(0);
  RET("data", PRLIMIT(pid, RLIMIT_DATA, &data, NULL));
  let_it_try("48 MiB of data", pid);
}
CASE("prlimit64", "EPERM", "another user's process; raising a hard limit") {
  struct rlimit set = {100, 200}, more = {100, 300}, old;
  pid_t root = trying_child(0);
  RET("set", PRLIMIT(root, RLIMIT_NOFILE, &set, NULL));
  fflush(stdout);
  pid_t mine = fork();
  if (mine == 0) {
    drop_root();
    RET("read root's", PRLIMIT(root, RLIMIT_NOFILE, NULL, &old));
    RET("set root's", PRLIMIT(root, RLIMIT_NOFILE, &set, NULL));
    RET("neither", PRLIMIT(root, RLIMIT_NOFILE, NULL, NULL));
    RET("a bad resource of root's", PRLIMIT(root, 99, NULL, NULL));
    pid_t pid = trying_child(0);
    RET("set an own child's", PRLIMIT(pid, RLIMIT_NOFILE, &set, NULL));
    RET("raise it again", PRLIMIT(pid, RLIMIT_NOFILE, &more, NULL));
    RET("itself by number", PRLIMIT(getpid(), RLIMIT_NOFILE, &set, NULL));
    kill(pid, SIGKILL);
    fflush(stdout);
    _exit(0);
  }
  waitpid(mine, NULL, 0);
  kill(root, SIGKILL);
}
CASE("prlimit64", "EINVAL", "ESRCH and EFAULT: which comes first") {
  struct rlimit set = {10, 5}, good = {50, 60};
  RET("soft above hard", PRLIMIT(0, RLIMIT_NOFILE, &set, NULL));
  RET("no such resource", PRLIMIT(0, 16, NULL, NULL));
  RET("no such resource, bad address", PRLIMIT(0, 16, (void *)8, NULL));
  RET("no such process", PRLIMIT(0x3fffffff, RLIMIT_NOFILE, NULL, NULL));
  RET("no such process, no such resource", PRLIMIT(0x3fffffff, 16, NULL, NULL));
  RET("no such process, bad address", PRLIMIT(0x3fffffff, RLIMIT_NOFILE, (void *)8, NULL));
  RET("negative", PRLIMIT(-1, RLIMIT_NOFILE, NULL, NULL));
  RET("bad address for the old", PRLIMIT(0, RLIMIT_NOFILE, &good, (void *)8));
  MUST(getrlimit(RLIMIT_NOFILE, &set));
  say("but it was set: %ld %ld", (long)set.rlim_cur, (long)set.rlim_max);
  struct rlimit files = {1UL << 30, 1UL << 31};
  RET("more descriptors than nr_open", PRLIMIT(0, RLIMIT_NOFILE, &files, NULL));
}
