/* Resource limits: descriptors, file size with SIGXFSZ, stack across exec, getrusage, prlimit on others. */
#include "check.h"
#include <alloca.h>

static volatile int signals_seen;
static void on_signal(int sig) { signals_seen += sig == SIGXFSZ; }

static void set(int what, rlim_t soft, rlim_t hard) {
  struct rlimit l = {soft, hard};
  MUST(setrlimit(what, &l));
}

static int spawned(int argc, char **argv) {
  (void)argc;
  struct rlimit l;
  if (argv[1][0] == 's') {
    getrlimit(RLIMIT_STACK, &l);
    say("after exec: stack %ld", (long)l.rlim_cur / 1024);
    char *p = alloca(200 * 1024);
    memset(hide(p), 1, 200 * 1024);
    say("200 KiB used");
    getrlimit(RLIMIT_NOFILE, &l);
    say("after exec: files %ld %ld", (long)l.rlim_cur, (long)l.rlim_max);
    return 7;
  }
  return 8;
}

static int deep(int n) {
  volatile char *page = hide((char[4096]){0});
  page[0] = (char)n;
  return n == 0 ? 0 : deep(n - 1) + page[0];
}

int main(int argc, char **argv) {
  if (argc > 1) return spawned(argc, argv);
  struct rlimit l;
  syscall(SYS_close_range, 3, ~0U, 0);
  IN_CHILD("descriptors", {
    set(RLIMIT_NOFILE, 10, 20);
    int n = 0;
    while (dup(1) >= 0) n++;
    say("dup: %s", err_name(errno));
    YES("up to the limit", fcntl(9, F_GETFD) >= 0 && fcntl(10, F_GETFD) == -1);
    int p[2];
    ERR("pipe", pipe(p));
    close(9);
    ERR("pipe with one free", pipe(p));
    ERR("and none leaked", dup(1));
    ERR("F_DUPFD beyond", fcntl(1, F_DUPFD, 10));
    l = (struct rlimit){30, 25};
    ERR("soft above hard", setrlimit(RLIMIT_NOFILE, &l));
    ERR("bad resource", getrlimit(99, &l));
    set(RLIMIT_NOFILE, 15, 20);
    RET("raised", dup(1));
  });

  scratch();
  IN_CHILD("file size, handled", {
    signal(SIGXFSZ, on_signal);
    set(RLIMIT_FSIZE, 1000, RLIM_INFINITY);
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    static char big[3000];
    RET("write over the limit", write(fd, big, 3000));
    RET("write at the limit", write(fd, big, 1));
    NUM("signals", signals_seen);
    RET("pwrite beyond", pwrite(fd, big, 1, 5000));
    NUM("signals", signals_seen);
    ERR("truncate beyond", ftruncate(fd, 2000));
    NUM("signals", signals_seen);
    ERR("truncate inside", ftruncate(fd, 500));
    RET("inside again", pwrite(fd, big, 3000, 400));
    int p[2];
    pipe(p);
    RET("pipes have no such limit", write(p[1], big, 3000));
    ERR("fallocate", fallocate(fd, 0, 0, 5000));
    NUM("signals", signals_seen);
  });
  IN_CHILD("file size, not handled", {
    set(RLIMIT_FSIZE, 10, RLIM_INFINITY);
    set(RLIMIT_CORE, 0, 0);
    int fd = open("f", O_RDWR | O_TRUNC);
    char c[20] = {0};
    RET("write", write(fd, c, 20));
    write(fd, c, 1);
    say("not reached");
  });
  unlink("f");

  IN_CHILD("stack", {
    set(RLIMIT_CORE, 0, 0);
    set(RLIMIT_STACK, 256 * 1024, RLIM_INFINITY);
    say("32 KiB deep: %d", deep(8) > 0);
    deep(200);
    say("not reached");
  });
  pid_t pid = fork();
  if (pid == 0) {
    set(RLIMIT_STACK, 400 * 1024, RLIM_INFINITY);
    set(RLIMIT_NOFILE, 50, 60);
    execl("/proc/self/exe", "again", "s", NULL);
    _exit(1);
  }
  say("exec: %s", wait_text(pid));

  struct rlimit old;
  pid = fork();
  if (pid == 0) { pause(); _exit(0); }
  l = (struct rlimit){33, 44};
  ERR("prlimit of a child", prlimit(pid, RLIMIT_NOFILE, &l, NULL));
  ERR("read back", prlimit(pid, RLIMIT_NOFILE, NULL, &old));
  say("%ld %ld", (long)old.rlim_cur, (long)old.rlim_max);
  kill(pid, SIGKILL);
  say("child: %s", wait_text(pid));
  ERR("of nobody", prlimit(999999, RLIMIT_NOFILE, NULL, &old));

  struct rusage a, b;
  getrusage(RUSAGE_SELF, &a);
  char *p = map_anon(64, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  madvise(p, 64 * PG, MADV_NOHUGEPAGE);
  for (int i = 0; i < 64; i++) p[i * PG] = 1;
  getrusage(RUSAGE_SELF, &b);
  NUM("minor faults", b.ru_minflt - a.ru_minflt >= 64 && b.ru_minflt - a.ru_minflt < 70);
  YES("maxrss", b.ru_maxrss > 64 * 4);
  getrusage(RUSAGE_CHILDREN, &a);
  IN_CHILD("busy", for (volatile long i = 0; i < 30000000; i++) {});
  getrusage(RUSAGE_CHILDREN, &b);
  YES("children's time", b.ru_utime.tv_sec * 1000000L + b.ru_utime.tv_usec > a.ru_utime.tv_sec * 1000000L + a.ru_utime.tv_usec);
  ERR("bad who", getrusage(5, &a));
  ERR("thread", getrusage(RUSAGE_THREAD, &a));
  return 0;
}
