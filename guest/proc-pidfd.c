/* pidfd_open, CLONE_PIDFD, poll, waitid(P_PIDFD), pidfd_send_signal, pidfd_getfd; kcmp. */
#include "check.h"
#include <poll.h>
#include <sched.h>
#include <pthread.h>

#define PIDFD_OPEN 434
#define PIDFD_SEND 424
#define PIDFD_GETFD 438
#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define THREAD_FLAG O_EXCL
#define PIDFD_SIGNAL_THREAD 1
#define PIDFD_SIGNAL_THREAD_GROUP 2
#define PIDFD_SIGNAL_PROCESS_GROUP 4

static int pidfd(pid_t pid, unsigned flags) { return (int)syscall(PIDFD_OPEN, pid, flags); }
static long send_to(int fd, int sig, siginfo_t *info, unsigned flags) { return syscall(PIDFD_SEND, fd, sig, info, flags); }
static long getfd(int fd, int other, unsigned flags) { return syscall(PIDFD_GETFD, fd, other, flags); }

static volatile sig_atomic_t got, got_code, got_value;
static void handler(int sig, siginfo_t *info, void *context) {
  (void)context;
  got = sig;
  got_code = info->si_code;
  got_value = info->si_value.sival_int;
}

static pid_t paused_child(void) {
  pid_t pid = fork();
  if (pid == 0) {
    for (;;) pause();
  }
  return pid;
}

static int ready(int fd) {
  struct pollfd p = {fd, POLLIN, 0};
  poll(&p, 1, 0);
  return p.revents;
}

static int tid_pipe[2];
static void *thread_main(void *unused) {
  (void)unused;
  long tid = syscall(SYS_gettid);
  if (write(tid_pipe[1], &tid, sizeof tid) < 0) _exit(9);
  char c;
  for (;;) if (read(tid_pipe[0], &c, 0) == 0) usleep(1000);
  return NULL;
}

static void opening(void) {
  ERR("open self", pidfd(getpid(), 0));
  ERR("open pid 0", pidfd(0, 0));
  ERR("open pid -1", pidfd(-1, 0));
  ERR("open absent", pidfd(4194000, 0));
  ERR("open bad flag", pidfd(getpid(), 1));
  int fd = pidfd(getpid(), O_NONBLOCK);
  YES("non-blocking", fcntl(fd, F_GETFL) & O_NONBLOCK);
  YES("access", (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
  YES("close on exec", fcntl(fd, F_GETFD) == FD_CLOEXEC);
  char name[64] = "", path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (readlink(path, name, sizeof name - 1) < 0) say("no link");
  say("name %s", name);
  char c;
  ERR("read", read(fd, &c, 1));
  ERR("write", write(fd, &c, 1));
  ERR("mmap", mmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? -1 : 0);
  NUM("not ready", ready(fd));
  char want[32], text[512] = "";
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  int info = open(path, O_RDONLY);
  if (read(info, text, sizeof text - 1) < 0) say("no fdinfo");
  close(info);
  snprintf(want, sizeof want, "\nPid:\t%d\n", getpid());
  YES("fdinfo Pid", strstr(text, want) != NULL);
  YES("fdinfo NSpid", strstr(text, "\nNSpid:\t") != NULL);
  close(fd);
}

static void waiting(void) {
  pid_t pid = paused_child();
  int fd = pidfd(pid, 0);
  int nonblocking = pidfd(pid, O_NONBLOCK);
  siginfo_t info;
  ERR("waitid nonblocking", waitid(P_PIDFD, nonblocking, &info, WEXITED));
  memset(&info, 1, sizeof info);
  ERR("waitid WNOHANG", waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG));
  NUM("nothing", info.si_pid);
  ERR("signal 0", send_to(fd, 0, NULL, 0));
  ERR("kill", send_to(fd, SIGKILL, NULL, 0));
  struct pollfd p = {fd, POLLIN, 0};
  NUM("poll", poll(&p, 1, 10000));
  YES("zombie is readable", p.revents == POLLIN);
  ERR("signal a zombie", send_to(fd, SIGTERM, NULL, 0));
  ERR("compare files with a zombie's", syscall(SYS_kcmp, getpid(), pid, 0, 0, 0));
  ERR("compare a zombie's with files", syscall(SYS_kcmp, pid, getpid(), 0, 0, 0));
  NUM("compare a zombie with itself", syscall(SYS_kcmp, pid, pid, 2, 0, 0));
  ERR("waitid", waitid(P_PIDFD, fd, &info, WEXITED));
  YES("it", info.si_pid == pid);
  NUM("code", info.si_code);
  NUM("status", info.si_status);
  YES("reaped hangs up", ready(fd) == (POLLIN | POLLHUP));
  ERR("signal the dead", send_to(fd, SIGTERM, NULL, 0));
  ERR("getfd of the dead", getfd(fd, 0, 0));
  ERR("waitid again", waitid(P_PIDFD, fd, &info, WEXITED));
  ERR("waitid bad fd", waitid(P_PIDFD, 999, &info, WEXITED));
  ERR("waitid other fd", waitid(P_PIDFD, 1, &info, WEXITED));
  ERR("waitid negative", waitid(P_PIDFD, -1, &info, WEXITED));
  close(fd);
  close(nonblocking);
}

static void signals(void) {
  struct sigaction action = {0};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, NULL);
  int fd = pidfd(getpid(), 0);
  ERR("send", send_to(fd, SIGUSR1, NULL, 0));
  NUM("got", got == SIGUSR1);
  NUM("code", got_code);
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = SIGUSR1;
  info.si_code = SI_QUEUE;
  info.si_value.sival_int = 77;
  ERR("send info", send_to(fd, SIGUSR1, &info, 0));
  NUM("code", got_code);
  NUM("value", got_value);
  ERR("signo differs", send_to(fd, SIGUSR2, &info, 0));
  ERR("bad flags", send_to(fd, SIGUSR1, NULL, 8));
  ERR("two flags", send_to(fd, 0, NULL, 3));
  ERR("bad signal", send_to(fd, 65, NULL, 0));
  ERR("bad fd", send_to(999, 0, NULL, 0));
  ERR("other fd", send_to(1, 0, NULL, 0));
  ERR("bad info", send_to(fd, SIGUSR1, (siginfo_t *)8, 0));
  ERR("to the thread", send_to(fd, SIGUSR1, NULL, PIDFD_SIGNAL_THREAD));
  NUM("code", got_code);
  pid_t pid = paused_child();
  int other = pidfd(pid, 0);
  info.si_code = SI_USER;
  ERR("pretend user to another", send_to(other, SIGUSR1, &info, 0));
  info.si_code = 1;
  ERR("pretend kernel", send_to(other, SIGUSR1, &info, 0));
  MUST(kill(pid, SIGKILL));
  say("child: %s", wait_text(pid));
  close(other);
  close(fd);
}

static void descriptors(void) {
  int p[2], q[2], go[2];
  MUST(pipe(p));
  MUST(pipe(q));
  MUST(pipe(go));
  pid_t pid = fork();
  if (pid == 0) {
    char c = 'x';
    int own = dup2(q[1], 77);
    if (own != 77 || write(p[1], &c, 1) != 1) _exit(1);
    close(go[1]);
    if (read(go[0], &c, 1) < 0) _exit(2);
    _exit(0);
  }
  char c;
  if (read(p[0], &c, 1) != 1) say("no child");
  int fd = pidfd(pid, 0);
  int taken = (int)getfd(fd, 77, 0);
  YES("taken", taken >= 0);
  YES("close on exec", fcntl(taken, F_GETFD) == FD_CLOEXEC);
  NUM("write", write(taken, "hello", 5));
  char text[8] = "";
  NUM("read", read(q[0], text, 5));
  say("text %s", text);
  ERR("not open there", getfd(fd, 78, 0));
  ERR("flags", getfd(fd, 77, 1));
  ERR("bad pidfd", getfd(999, 77, 0));
  ERR("not a pidfd", getfd(1, 77, 0));
  say("kcmp VM differs: %d", syscall(SYS_kcmp, getpid(), pid, 1, 0, 0) != 0);
  NUM("kcmp same file", syscall(SYS_kcmp, getpid(), pid, 0, taken, 77));
  NUM("kcmp own", syscall(SYS_kcmp, getpid(), getpid(), 0, 1, 1));
  for (int type = 1; type <= 6; type++) NUM("kcmp self", syscall(SYS_kcmp, getpid(), getpid(), type, 0, 0));
  long ab = syscall(SYS_kcmp, getpid(), getpid(), 0, p[0], q[0]);
  long ba = syscall(SYS_kcmp, getpid(), getpid(), 0, q[0], p[0]);
  YES("kcmp orders", (ab == 1 && ba == 2) || (ab == 2 && ba == 1));
  ERR("kcmp bad fd", syscall(SYS_kcmp, getpid(), getpid(), 0, 999, 1));
  ERR("kcmp bad type", syscall(SYS_kcmp, getpid(), getpid(), 99, 0, 0));
  ERR("kcmp absent", syscall(SYS_kcmp, getpid(), 4194000, 1, 0, 0));
  close(go[0]);
  close(go[1]);
  say("child: %s", wait_text(pid));
  close(fd);
  close(taken);
}

static void cloning(void) {
  int fd = -1;
  struct { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; } args = {0};
  args.flags = 0x1000;
  args.pidfd = (uintptr_t)&fd;
  args.exit_signal = SIGCHLD;
  pid_t pid = (pid_t)syscall(435, &args, sizeof args);
  if (pid == 0) _exit(9);
  YES("clone3", pid > 0);
  YES("its pidfd", fd >= 0);
  YES("close on exec", fcntl(fd, F_GETFD) == FD_CLOEXEC);
  siginfo_t info;
  ERR("waitid", waitid(P_PIDFD, fd, &info, WEXITED));
  YES("it", info.si_pid == pid);
  NUM("status", info.si_status);
  close(fd);
}

static void threads(void) {
  MUST(pipe(tid_pipe));
  pthread_t thread;
  pthread_create(&thread, NULL, thread_main, NULL);
  long tid;
  if (read(tid_pipe[0], &tid, sizeof tid) < 0) say("no tid");
  ERR("thread, plain", pidfd((pid_t)tid, 0));
  int fd = pidfd((pid_t)tid, THREAD_FLAG);
  YES("thread", fd >= 0);
  YES("flag shown", fcntl(fd, F_GETFL) & THREAD_FLAG);
  NUM("not ready", ready(fd));
  ERR("signal 0", send_to(fd, 0, NULL, 0));
  NUM("kcmp VM", syscall(SYS_kcmp, getpid(), tid, 1, 0, 0));
  NUM("kcmp FILES", syscall(SYS_kcmp, getpid(), tid, 2, 0, 0));
  close(fd);
}

int main(void) {
  say("-- open");
  opening();
  say("-- wait");
  waiting();
  say("-- signal");
  signals();
  say("-- descriptors");
  descriptors();
  say("-- clone");
  cloning();
  say("-- threads");
  threads();
  return 0;
}
