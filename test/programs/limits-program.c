/* Programs that want more than there is: the first argument names which. Built by test/programs/limits.test.ts. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name(int e) { return e == EAGAIN ? "EAGAIN" : e == ENOMEM ? "ENOMEM" : e == 0 ? "none" : "other"; }

/* Forks until it is refused; the children wait to be killed. */
static int bomb(long most) {
  int made = 0, error = 0;
  for (; made < most; made++) {
    pid_t pid = fork();
    if (pid == 0) for (;;) pause();
    if (pid < 0) {
      error = errno;
      break;
    }
  }
  printf("forked %d, then %s\n", made, name(error));
  fflush(stdout);
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  int reaped = 0, status, right = 0;
  while (wait(&status) > 0) {
    reaped++;
    right += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
  }
  printf("reaped %d, by SIGTERM %d\n", reaped, right);
  return 0;
}
/* Every process forks on and on. */
static int wild(void) {
  setpgid(0, 0);
  pid_t pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 200; i++) if (fork() < 0) usleep(1000);
    pause();
  }
  usleep(400000);
  if (fork() == 0) _exit(0);
  setpgid(0, getppid());
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  return 0;
}
static void *stay(void *arg) {
  pause();
  return arg;
}
static int threads(void) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 65536);
  int made = 0, error = 0;
  pthread_t thread;
  while (made < 100000 && (error = pthread_create(&thread, &attr, stay, NULL)) == 0) made++;
  printf("threads %s, then %s\n", made > 100 ? "many" : "few", name(error));
  fflush(stdout);
  _exit(3);
}
static void touch(size_t bytes) {
  char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) exit(50);
  for (size_t i = 0; i < bytes; i += 4096) p[i] = 1;
}
static int recurse(int n) {
  volatile char frame[1000];
  frame[n % 1000] = (char)n;
  return recurse(n + 1) + frame[(n + 1) % 1000];
}

int main(int argc, char **argv) {
  const char *what = argv[1];
  long size = argc > 2 ? atol(argv[2]) : 0;
  if (!strcmp(what, "nproc")) {
    struct rlimit limit = {(rlim_t)size, (rlim_t)size};
    setrlimit(RLIMIT_NPROC, &limit);
    if (setuid(1000) != 0) return 1;
    return bomb(size * 2);
  }
  if (!strcmp(what, "bomb")) return bomb(size);
  if (!strcmp(what, "wild")) return wild();
  if (!strcmp(what, "threads")) return threads();
  if (!strcmp(what, "touch")) {
    touch((size_t)size << 20);
    puts("not killed");
    return 0;
  }
  if (!strcmp(what, "touch-child")) {
    pid_t pid = fork();
    if (pid == 0) {
      touch((size_t)size << 20);
      _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("child: %s %d\n", WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    touch(4 << 20);
    puts("the rest goes on");
    return 0;
  }
  if (!strcmp(what, "read-zero")) {
    char *p = mmap(NULL, (size_t)size << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    FILE *f = fopen("/dev/zero", "r");
    setvbuf(f, NULL, _IONBF, 0);
    printf("read %zu\n", fread(p, 1, (size_t)size << 20, f));
    return 0;
  }
  if (!strcmp(what, "touch-threads")) {
    pthread_t thread;
    for (int i = 0; i < 8; i++) pthread_create(&thread, NULL, stay, NULL);
    touch((size_t)size << 20);
    return 0;
  }
  if (!strcmp(what, "recurse")) return recurse(0);
  if (!strcmp(what, "zombies")) {
    for (int i = 0; i < size; i++) if (fork() == 0) _exit(i & 1);
    usleep(20000);
    return 5;
  }
  if (!strcmp(what, "orphans")) {
    for (int i = 0; i < size; i++)
      if (fork() == 0) {
        if (i % 2 && fork() > 0) _exit(0);
        usleep(1000 * (unsigned)i);
        if (getppid() != 1) _exit(1);
        printf("orphan\n");
        fflush(stdout);
        _exit(0);
      }
    _exit(6);
  }
  if (!strcmp(what, "groups")) {
    pid_t groups[3];
    for (int g = 0; g < 3; g++) {
      if ((groups[g] = fork()) == 0) {
        setpgid(0, 0);
        for (int i = 0; i < 4; i++) if (fork() == 0) for (;;) pause();
        for (;;) pause();
      }
      setpgid(groups[g], groups[g]);
    }
    usleep(10000);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int g = 0; g < 3; g++) {
      if (kill(-groups[g], SIGKILL) != 0) return 1;
      int killed = 0, status;
      usleep(1000);
      while (waitpid(-groups[g], &status, 0) > 0) killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
      printf("group %d: %d killed, then %d\n", g, killed, kill(-groups[g], 0));
    }
    return 0;
  }
  return 99;
}
