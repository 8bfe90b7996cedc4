/* ptrace: memory, signals, system calls, events, attaching, seizing, the tracer's end, rights. */
#include "check.h"
#include <elf.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define O_ALL_EVENTS (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | \
                      PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT)
#define EVENT_STOP 128
#define T(request, pid, address, data) ptrace((request), (pid), (void *)(long)(address), (void *)(long)(data))
struct call_info {
  uint8_t op, pad[3];
  uint32_t arch;
  uint64_t ip, sp, nr_or_rval, args_or_error[6];
};

static long volatile word = 0x1111;
static const long volatile constant = 0x2222;
static char *private_page, *shared_page, *none_page;
static volatile sig_atomic_t got, got_value, got_code;
static void handler(int sig, siginfo_t *info, void *context) {
  (void)context;
  got = sig;
  got_code = info->si_code;
  got_value = info->si_value.sival_int;
}
static void handle(int sig) {
  struct sigaction action = {0};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(sig, &action, NULL);
}
static const char *stop_text(int status) {
  static char text[64];
  if (!WIFSTOPPED(status)) return status_text(status);
  if (status >> 16) snprintf(text, sizeof text, "event %d, signal %d", status >> 16, WSTOPSIG(status));
  else snprintf(text, sizeof text, "stopped by %d", WSTOPSIG(status));
  return text;
}
static int wait_stop(const char *what, pid_t pid) {
  int status = 0;
  pid_t r;
  while ((r = waitpid(pid, &status, __WALL)) == -1 && errno == EINTR) {}
  say("%s: %s", what, r == -1 ? err_name(errno) : stop_text(status));
  return status;
}
static pid_t traced(void (*body)(void)) {
  pid_t pid = fork();
  if (pid == 0) {
    if (T(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(90);
    syscall(SYS_tkill, (int)syscall(SYS_gettid), SIGSTOP); /* and no other call, as raise may make */
    body();
    _exit(0);
  }
  return pid;
}
static pid_t sleeper(void) {
  pid_t pid = fork();
  if (pid == 0) for (;;) pause();
  return pid;
}
static long peek(pid_t pid, const volatile void *address) {
  errno = 0;
  long r = T(PTRACE_PEEKDATA, pid, address, 0);
  return errno ? -1 : r;
}
static long status_number(pid_t pid, const char *name) {
  char path[64], line[256];
  long value = -1;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f)) if (!strncmp(line, name, strlen(name))) value = atol(line + strlen(name) + 1);
  if (f) fclose(f);
  return value;
}
static char state_of(pid_t pid) {
  char path[64], line[256], state = '?';
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *f = fopen(path, "r");
  while (f && fgets(line, sizeof line, f)) if (!strncmp(line, "State:", 6)) state = line[7];
  if (f) fclose(f);
  return state;
}

static void memory_child(void) {
  say("child: word %lx constant %lx private %s none %s", word, constant, private_page,
      mprotect(none_page, PG, PROT_READ) == 0 ? none_page : "?");
}
static void memory(void) {
  private_page = map_anon(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  shared_page = map_anon(1, PROT_READ | PROT_WRITE, MAP_SHARED);
  none_page = map_anon(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  strcpy(private_page, "private");
  strcpy(shared_page, "shared");
  strcpy(none_page, "nothing");
  MUST(mprotect(private_page, PG, PROT_READ));
  MUST(mprotect(shared_page, PG, PROT_READ));
  MUST(mprotect(none_page, PG, PROT_NONE));
  pid_t pid = traced(memory_child);
  wait_stop("first", pid);
  say("state %c, tracer %s", state_of(pid), status_number(pid, "TracerPid") == getpid() ? "me" : "other");
  say("peek %lx %lx", peek(pid, &word), peek(pid, &constant));
  NUM("poke", T(PTRACE_POKEDATA, pid, &word, 0x3333));
  NUM("poke a constant", T(PTRACE_POKETEXT, pid, &constant, 0x4444));
  say("mine stay %lx %lx", word, constant);
  NUM("poke read-only", T(PTRACE_POKEDATA, pid, private_page, *(long *)"POKED!!"));
  ERR("poke read-only shared", T(PTRACE_POKEDATA, pid, shared_page, 0));
  YES("peek no access", peek(pid, none_page) == *(long *)"nothing");
  NUM("poke no access", T(PTRACE_POKEDATA, pid, none_page, *(long *)"changed"));
  ERR("peek nowhere", peek(pid, (void *)8));
  ERR("poke nowhere", T(PTRACE_POKEDATA, pid, 8, 1));
  char *edge = map_anon(2, PROT_READ, MAP_PRIVATE);
  munmap(edge + PG, PG);
  say("unaligned %s", (peek(pid, (char *)&word + 1), errno) ? err_name(errno) : "ok");
  /* Registers */
  long regs[64];
  struct iovec io = {regs, sizeof regs};
  NUM("general registers", T(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io));
  YES("a size in words", io.iov_len > 100 && io.iov_len % 8 == 0);
  NUM("set them", T(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io));
  io.iov_len = 12;
  ERR("a size that is none", T(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io));
  io.iov_len = 16;
  NUM("two words", T(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io));
  NUM("length", io.iov_len);
  static char fp[4096];
  io.iov_base = fp;
  io.iov_len = sizeof fp;
  NUM("floating point", T(PTRACE_GETREGSET, pid, NT_PRFPREG, &io));
  NUM("set it", T(PTRACE_SETREGSET, pid, NT_PRFPREG, &io));
  ERR("no such set", T(PTRACE_GETREGSET, pid, 0x7777, &io));
  ERR("nowhere", T(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8));
  /* Requests */
  ERR("bad request", T(0x7777, pid, 0, 0));
  ERR("bad options", T(PTRACE_SETOPTIONS, pid, 0, 1 << 30));
  ERR("bad signal", T(PTRACE_CONT, pid, 0, 65));
  ERR("attach again", T(PTRACE_ATTACH, pid, 0, 0));
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("end", pid);
  ERR("after its end", T(PTRACE_CONT, pid, 0, 0));
}

static void signal_child(void) {
  handle(SIGUSR1);
  handle(SIGUSR2);
  signal(SIGWINCH, SIG_IGN);
  raise(SIGUSR1);
  say("child: after a swallowed one: %d", got);
  raise(SIGUSR1);
  say("child: after a changed one: %d", got == SIGUSR2 ? 2 : got);
  raise(SIGUSR1);
  say("child: information: %d code %d", got_value, got_code);
  raise(SIGWINCH);
  say("child: after an ignored one");
  kill(getpid(), SIGTERM);
  say("child: survived");
  *(volatile char *)hide((void *)8) = 1;
}
static void signals(void) {
  pid_t pid = traced(signal_child);
  wait_stop("first", pid);
  siginfo_t info;
  NUM("information", T(PTRACE_GETSIGINFO, pid, 0, &info));
  say("signal %d code %d from %s", info.si_signo, info.si_code, info.si_pid == pid ? "itself" : "other");
  T(PTRACE_CONT, pid, 0, 0);
  int is1 = WSTOPSIG(wait_stop("raised", pid)) == SIGUSR1;
  YES("SIGUSR1", is1);
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("raised", pid);
  T(PTRACE_CONT, pid, 0, SIGUSR2);
  wait_stop("raised", pid);
  NUM("get", T(PTRACE_GETSIGINFO, pid, 0, &info));
  info.si_code = -1;
  info.si_value.sival_int = 4711;
  NUM("set", T(PTRACE_SETSIGINFO, pid, 0, &info));
  T(PTRACE_CONT, pid, 0, SIGUSR1);
  wait_stop("ignored", pid);
  T(PTRACE_CONT, pid, 0, SIGWINCH);
  wait_stop("fatal", pid);
  uint64_t mask = 0;
  NUM("mask", T(PTRACE_GETSIGMASK, pid, 8, &mask));
  ERR("mask of other size", T(PTRACE_GETSIGMASK, pid, 4, &mask));
  mask = 1UL << (SIGHUP - 1);
  NUM("set mask", T(PTRACE_SETSIGMASK, pid, 8, &mask));
  say("blocked %lx", (long)status_number(pid, "SigBlk"));
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("fault", pid);
  T(PTRACE_GETSIGINFO, pid, 0, &info);
  say("signal %d code %d address %ld", info.si_signo, info.si_code, (long)info.si_addr);
  T(PTRACE_CONT, pid, 0, SIGSEGV);
  wait_stop("end", pid);
}

static void call_child(void) {
  long r = syscall(SYS_umask, 0123);
  say("child: umask answers %ld", r);
  errno = 0;
  r = syscall(SYS_close, -1);
  say("child: close answers %ld", r);
}
static int next_call(pid_t pid, const char *what) {
  if (T(PTRACE_SYSCALL, pid, 0, 0) != 0) return -1;
  int status;
  waitpid(pid, &status, __WALL);
  struct call_info info;
  memset(&info, 0xee, sizeof info);
  long size = T(0x420e, pid, sizeof info, &info);
  if (!WIFSTOPPED(status)) say("%s: %s", what, stop_text(status));
  else if (info.op == 1)
    say("%s: signal %x, size %ld, enters %s(%ld)", what, WSTOPSIG(status), size,
        info.nr_or_rval == SYS_umask ? "umask" : info.nr_or_rval == SYS_close ? "close"
        : info.nr_or_rval == SYS_write ? "write" : info.nr_or_rval == SYS_exit_group ? "exit_group" : "another",
        info.nr_or_rval == SYS_close ? (long)(int)info.args_or_error[0] : (long)info.args_or_error[0]);
  else if (info.op == 2) say("%s: signal %x, size %ld, leaves with %ld error %d", what, WSTOPSIG(status), size,
                             (long)info.nr_or_rval, (int)(uint8_t)info.args_or_error[0]);
  else say("%s: signal %x, op %d, size %ld", what, WSTOPSIG(status), info.op, size);
  return info.op;
}
static void calls(void) {
  pid_t pid = traced(call_child);
  wait_stop("first", pid);
  NUM("options", T(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
  struct call_info info;
  NUM("no call", T(0x420e, pid, sizeof info, &info));
  NUM("op", info.op);
  NUM("cut", T(0x420e, pid, 8, &info));
  next_call(pid, "into umask");
  next_call(pid, "out of umask");
  long regs[64];
  struct iovec io = {regs, sizeof regs};
  T(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io);
  regs[10] = 77; /* a0, rax */
  NUM("change the answer", T(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io));
  next_call(pid, "into write");
  next_call(pid, "out of write");
  next_call(pid, "into close");
  unsigned long message = 99;
  T(PTRACE_GETEVENTMSG, pid, 0, &message);
  NUM("message", message);
  siginfo_t si;
  T(PTRACE_GETSIGINFO, pid, 0, &si);
  say("information: signal %d code %x", si.si_signo, si.si_code);
  next_call(pid, "out of close");
  T(PTRACE_GETEVENTMSG, pid, 0, &message);
  NUM("message", message);
  NUM("options", T(PTRACE_SETOPTIONS, pid, 0, 0));
  int status;
  T(PTRACE_SYSCALL, pid, 0, 0);
  waitpid(pid, &status, __WALL);
  say("plain: %s", stop_text(status));
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("end", pid);
}

static void event_child(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(3);
  waitpid(pid, NULL, 0);
  pid = vfork();
  if (pid == 0) _exit(4);
  waitpid(pid, NULL, 0);
  char *argv[] = {"ptrace-basic", "executed", NULL};
  execv("/proc/self/exe", argv);
  _exit(5);
}
static void events(void) {
  pid_t pid = traced(event_child);
  wait_stop("first", pid);
  NUM("options", T(PTRACE_SETOPTIONS, pid, 0, O_ALL_EVENTS));
  for (int round = 0; round < 2; round++) {
    T(PTRACE_CONT, pid, 0, 0);
    wait_stop(round ? "vfork" : "fork", pid);
    unsigned long child = 0;
    T(PTRACE_GETEVENTMSG, pid, 0, &child);
    wait_stop("the child", (pid_t)child);
    YES("traced by me", status_number((pid_t)child, "TracerPid") == getpid());
    T(PTRACE_CONT, child, 0, 0);
    wait_stop("the child exits", (pid_t)child);
    unsigned long code = 0;
    T(PTRACE_GETEVENTMSG, child, 0, &code);
    say("with %lx", code);
    T(PTRACE_CONT, child, 0, 0);
    wait_stop("the child", (pid_t)child);
    T(PTRACE_CONT, pid, 0, 0);
    if (round) {
      wait_stop("vfork done", pid);
      T(PTRACE_GETEVENTMSG, pid, 0, &code);
      YES("its child", code == child);
      T(PTRACE_CONT, pid, 0, 0);
    }
    wait_stop("SIGCHLD", pid);
  }
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("exec", pid);
  unsigned long old = 0;
  T(PTRACE_GETEVENTMSG, pid, 0, &old);
  YES("the same task", (pid_t)old == pid);
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("exit", pid);
  T(PTRACE_GETEVENTMSG, pid, 0, &old);
  say("with %lx", old);
  YES("memory is still there", status_number(pid, "VmSize") > 0);
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("end", pid);
  /* Without the option exec raises SIGTRAP. */
  pid = fork();
  if (pid == 0) {
    T(PTRACE_TRACEME, 0, 0, 0);
    char *argv[] = {"ptrace-basic", "executed", NULL};
    execv("/proc/self/exe", argv);
    _exit(5);
  }
  wait_stop("exec", pid);
  siginfo_t info;
  T(PTRACE_GETSIGINFO, pid, 0, &info);
  say("signal %d code %d", info.si_signo, info.si_code);
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("end", pid);
}

static void attaching(void) {
  ERR("attach itself", T(PTRACE_ATTACH, getpid(), 0, 0));
  ERR("attach nobody", T(PTRACE_ATTACH, 4194000, 0, 0));
  pid_t pid = sleeper();
  ERR("not traced", T(PTRACE_CONT, pid, 0, 0));
  ERR("peek, not traced", T(PTRACE_PEEKDATA, pid, &word, 0));
  NUM("attach", T(PTRACE_ATTACH, pid, 0, 0));
  siginfo_t si;
  memset(&si, 0, sizeof si);
  NUM("waitid", waitid(P_PID, (id_t)pid, &si, WSTOPPED | WEXITED | WNOWAIT));
  say("code %d status %d", si.si_code, si.si_status);
  wait_stop("attached", pid);
  int status;
  NUM("nothing more", waitpid(pid, &status, WNOHANG));
  ERR("attach again", T(PTRACE_ATTACH, pid, 0, 0));
  ERR("options of seizing", T(PTRACE_INTERRUPT, pid, 0, 0));
  IN_CHILD("another", {
    ERR("attach", T(PTRACE_ATTACH, pid, 0, 0));
    ERR("continue", T(PTRACE_CONT, pid, 0, 0));
  });
  word = 0x1111;
  say("peek %lx", peek(pid, &word));
  ERR("detach with a bad signal", T(PTRACE_DETACH, pid, 0, 99));
  NUM("detach", T(PTRACE_DETACH, pid, 0, 0));
  NUM("tracer", status_number(pid, "TracerPid"));
  ERR("no more", T(PTRACE_CONT, pid, 0, 0));
  NUM("attach", T(PTRACE_ATTACH, pid, 0, 0));
  wait_stop("attached", pid);
  NUM("detach and kill", T(PTRACE_DETACH, pid, 0, SIGTERM));
  wait_stop("end", pid);
  /* Killed while it is stopped */
  pid = sleeper();
  T(PTRACE_ATTACH, pid, 0, 0);
  wait_stop("attached", pid);
  kill(pid, SIGKILL);
  wait_stop("killed", pid);
  pid = sleeper();
  T(PTRACE_ATTACH, pid, 0, 0);
  wait_stop("attached", pid);
  NUM("PTRACE_KILL", T(PTRACE_KILL, pid, 0, 0));
  wait_stop("killed", pid);
}

static void seizing(void) {
  pid_t pid = sleeper();
  ERR("address", T(PTRACE_SEIZE, pid, 8, 0));
  ERR("options", T(PTRACE_SEIZE, pid, 0, 1 << 30));
  NUM("seize", T(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
  int status;
  NUM("runs on", waitpid(pid, &status, WNOHANG | __WALL));
  ERR("not stopped", T(PTRACE_CONT, pid, 0, 0));
  NUM("interrupt", T(PTRACE_INTERRUPT, pid, 0, 0));
  wait_stop("interrupted", pid);
  siginfo_t info;
  NUM("information", T(PTRACE_GETSIGINFO, pid, 0, &info));
  say("signal %d code %x", info.si_signo, info.si_code);
  NUM("continue", T(PTRACE_CONT, pid, 0, 0));
  kill(pid, SIGSTOP);
  wait_stop("signal", pid);
  T(PTRACE_CONT, pid, 0, SIGSTOP);
  wait_stop("group stop", pid);
  NUM("listen", T(PTRACE_LISTEN, pid, 0, 0));
  ERR("listening is not stopped", T(PTRACE_CONT, pid, 0, 0));
  kill(pid, SIGCONT);
  wait_stop("end of the group stop", pid);
  T(PTRACE_CONT, pid, 0, 0);
  wait_stop("SIGCONT", pid);
  T(PTRACE_CONT, pid, 0, SIGCONT);
  kill(pid, SIGKILL);
  wait_stop("end", pid);
}

static void tracers_end(void) {
  for (int kill_it = 0; kill_it < 2; kill_it++) {
    pid_t pid = sleeper();
    IN_CHILD("a tracer that ends", {
      if (T(PTRACE_SEIZE, pid, 0, kill_it ? PTRACE_O_EXITKILL : 0) != 0) _exit(9);
      T(PTRACE_INTERRUPT, pid, 0, 0);
      waitpid(pid, NULL, __WALL);
    });
    if (kill_it) wait_stop("killed with it", pid);
    else {
      NUM("goes on, untraced", status_number(pid, "TracerPid"));
      kill(pid, SIGKILL);
      wait_stop("end", pid);
    }
  }
}

static void rights(void) {
  pid_t pid = sleeper();
  IN_CHILD("stranger", {
    if (setgroups(0, NULL) != 0 || setgid(1234) != 0 || setuid(1234) != 0) _exit(9);
    ERR("attach", T(PTRACE_ATTACH, pid, 0, 0));
    ERR("seize", T(PTRACE_SEIZE, pid, 0, 0));
    int p[2], q[2];
    MUST(pipe(p));
    MUST(pipe(q));
    pid_t own = fork();
    if (own == 0) {
      char c;
      prctl(PR_SET_DUMPABLE, 0);
      if (write(p[1], "x", 1) != 1 || read(q[0], &c, 1) != 1) _exit(1);
      prctl(PR_SET_DUMPABLE, 1);
      if (write(p[1], "x", 1) != 1) _exit(1);
      for (;;) pause();
    }
    char c;
    if (read(p[0], &c, 1) != 1) _exit(1);
    ERR("not dumpable", T(PTRACE_ATTACH, own, 0, 0));
    if (write(q[1], "x", 1) != 1 || read(p[0], &c, 1) != 1) _exit(1);
    ERR("dumpable", T(PTRACE_ATTACH, own, 0, 0));
    wait_stop("attached", own);
    kill(own, SIGKILL);
    wait_stop("killed", own);
  });
  kill(pid, SIGKILL);
  wait_stop("end", pid);
}

int main(int argc, char **argv) {
  if (argc > 1) {
    say("executed: %s", argv[1]);
    _exit(6);
  }
  say("-- memory");
  memory();
  say("-- signals");
  signals();
  say("-- calls");
  calls();
  say("-- events");
  events();
  say("-- attaching");
  attaching();
  say("-- seizing");
  seizing();
  say("-- the tracer's end");
  tracers_end();
  say("-- rights");
  rights();
  return 0;
}
