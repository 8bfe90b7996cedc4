/* Pid namespaces: clone, unshare, setns, numbers, the first process, signals, orphans. */
#include "conform.h"
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

static pid_t clone_in(long flags) {
  fflush(stdout);
  return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0L, 0L, 0L, 0L);
}
static void end(int code) {
  fflush(stdout);
  _exit(code);
}
static void wait_for(const char *what, pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) say("%s: %s", what, err_name(errno));
  else if (WIFSIGNALED(status)) say("%s: signal %d", what, WTERMSIG(status));
  else say("%s: exit %d", what, WEXITSTATUS(status));
}
static int same(const char *one, const char *other) {
  char a[64] = "", b[64] = "";
  return readlink(one, a, 63) > 0 && readlink(other, b, 63) > 0 && strcmp(a, b) == 0 && strncmp(a, "pid:[", 5) == 0;
}
static volatile int seen, from;
static void handler(int signo, siginfo_t *info, void *context) {
  (void)context;
  seen = signo;
  from = info->si_pid;
}
static void catch(int signo) {
  struct sigaction action = {0};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(signo, &action, NULL);
}

CASE("clone", "CLONE_NEWPID", "the first process is 1, its children count on") {
  pid_t child = clone_in(CLONE_NEWPID);
  if (child == 0) {
    NUM("pid", getpid());
    NUM("tid", syscall(SYS_gettid));
    NUM("parent", getppid());
    NUM("group of outside", getpgrp());
    NUM("session of outside", getsid(0));
    RET("own session", setsid());
    fflush(stdout);
    pid_t next = fork();
    if (next == 0) {
      NUM("second", getpid());
      NUM("its parent", getppid());
      NUM("its group", getpgrp());
      RET("group of the parent", getpgid(1));
      RET("nobody", getpgid(77));
      end(5);
    }
    int status;
    RET("waited for", waitpid(2, &status, 0));
    NUM("fork gave", next);
    NUM("its status", WEXITSTATUS(status));
    siginfo_t info;
    pid_t third = fork();
    if (third == 0) _exit(6);
    MUST(waitid(P_PID, (id_t)third, &info, WEXITED));
    say("third %d, status %d", info.si_pid, info.si_status);
    end(3);
  }
  wait_for("first", child);
  YES("another number outside", child > 1);
}

CASE("clone", "CLONE_NEWPID", "the end of the first ends all") {
  int fds[2];
  MUST(pipe(fds));
  pid_t child = clone_in(CLONE_NEWPID);
  if (child == 0) {
    if (fork() == 0) {
      if (fork() == 0) for (;;) pause();
      for (;;) pause();
    }
    _exit(4);
  }
  close(fds[1]);
  wait_for("first", child);
  char c;
  RET("nobody holds the pipe", read(fds[0], &c, 1));
}

CASE("clone", "CLONE_NEWPID", "orphans go to the first; no other begins after it") {
  pid_t child = clone_in(CLONE_NEWPID);
  if (child == 0) {
    int up[2];
    MUST(pipe(up));
    pid_t middle = fork();
    if (middle == 0) {
      pid_t inner = fork();
      if (inner == 0) {
        char c;
        close(up[1]);
        while (read(up[0], &c, 1) > 0) {}
        _exit(getppid() == 1 ? 7 : 8);
      }
      _exit(0);
    }
    waitpid(middle, NULL, 0);
    close(up[1]);
    int status = 0;
    pid_t got = wait(&status);
    say("orphan %d: %d", (int)got, WEXITSTATUS(status));
    end(0);
  }
  wait_for("first", child);
}

CASE("kill", "CLONE_NEWPID", "the first ignores what it does not catch from inside") {
  pid_t child = clone_in(CLONE_NEWPID);
  if (child == 0) {
    RET("SIGTERM to itself", kill(1, SIGTERM));
    RET("SIGKILL to itself", kill(1, SIGKILL));
    pid_t inner = fork();
    if (inner == 0) {
      ERR("SIGKILL to the first", kill(1, SIGKILL));
      end(0);
    }
    waitpid(inner, NULL, 0);
    catch(SIGUSR1);
    pid_t other = fork();
    if (other == 0) {
      kill(1, SIGUSR1);
      _exit(0);
    }
    waitpid(other, NULL, 0);
    say("caught %d from %d", seen, from == other);
    RET("nobody else", kill(-1, SIGTERM));
    end(9);
  }
  wait_for("first", child);
}

CASE("kill", "CLONE_NEWPID", "from outside it has no number, and kills") {
  int up[2];
  MUST(pipe(up));
  pid_t child = clone_in(CLONE_NEWPID);
  if (child == 0) {
    catch(SIGUSR2);
    if (write(up[1], "x", 1) != 1) _exit(1);
    while (seen == 0) usleep(1000);
    say("caught from %d", from);
    fflush(stdout);
    if (write(up[1], "y", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char c;
  MUST(read(up[0], &c, 1) == 1 ? 0 : -1);
  MUST(kill(child, SIGUSR2));
  MUST(read(up[0], &c, 1) == 1 ? 0 : -1);
  RET("SIGTERM", kill(child, SIGTERM));
  RET("SIGKILL", kill(child, SIGKILL));
  wait_for("first", child);
}

CASE("unshare", "CLONE_NEWPID", "only the children are in it") {
  pid_t before = getpid();
  RET("unshare", unshare(CLONE_NEWPID));
  YES("we keep ours", getpid() == before);
  YES("nobody in it", readlink("/proc/self/ns/pid_for_children", (char[64]){0}, 63) < 0);
  RET("twice", unshare(CLONE_NEWPID));
  errno = 0;
  long thread = syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0L, 0L, 0L, 0L);
  say("a thread: %s", thread == -1 ? err_name(errno) : "made");
  pid_t child = clone_in(0);
  if (child == 0) {
    NUM("first", getpid());
    YES("in it", same("/proc/self/ns/pid", "/proc/self/ns/pid_for_children"));
    end(0);
  }
  wait_for("first", child);
  pid_t late = fork();
  if (late == 0) _exit(0);
  say("after the first: %s", late == -1 ? err_name(errno) : "made");
}

CASE("clone", "CLONE_NEWPID", "what is refused, and nesting") {
  errno = 0;
  RET("a thread", syscall(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, 0L, 0L, 0L, 0L));
  pid_t child = clone_in(CLONE_NEWPID);
  if (child == 0) {
    RET("a sibling of the first", syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0L, 0L, 0L, 0L));
    pid_t inner = clone_in(CLONE_NEWPID);
    if (inner == 0) {
      NUM("inside", getpid());
      NUM("its parent", getppid());
      end(0);
    }
    wait_for("inner", inner);
    NUM("from here", inner);
    end(0);
  }
  wait_for("outer", child);
}

CASE("setns", "CLONE_NEWPID", "in, not out") {
  int own = open("/proc/self/ns/pid", O_RDONLY);
  int up[2];
  MUST(pipe(up));
  pid_t child = clone_in(CLONE_NEWPID);
  if (child == 0) {
    close(up[1]);
    char c;
    while (read(up[0], &c, 1) > 0) {}
    RET("out", setns(own, CLONE_NEWPID));
    end(0);
  }
  close(up[0]);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/pid", child);
  int fd = open(path, O_RDONLY);
  RET("another kind", setns(fd, CLONE_NEWIPC));
  RET("in", setns(fd, CLONE_NEWPID));
  pid_t next = clone_in(0);
  if (next == 0) {
    NUM("second", getpid());
    NUM("its parent", getppid());
    end(0);
  }
  wait_for("second", next);
  RET("own again", setns(own, 0));
  close(up[1]);
  wait_for("first", child);
}
