/* Limits, threads, and the processes that take turns. Part of runtime.h. */
#ifndef FUZZ_PROCESSES_H
#define FUZZ_PROCESSES_H

/* ---- limits: relative to what is used, because programs differ in size ---- */
static void limit(const char *what, long pages) {
  struct rlimit value;
  int resource = what[0] == 'a' ? RLIMIT_AS : what[0] == 'd' ? RLIMIT_DATA : what[0] == 's' ? RLIMIT_STACK : RLIMIT_MEMLOCK;
  read_status();
  long used = 0;
  if (resource == RLIMIT_AS) used = status_kib("VmSize:") * 1024;
  if (resource == RLIMIT_DATA) used = status_kib("VmData:") * 1024;
  if (resource == RLIMIT_MEMLOCK) used = status_kib("VmLck:") * 1024;
  getrlimit(resource, &value);
  value.rlim_cur = pages < 0 ? value.rlim_max : (rlim_t)(used + pages * PG);
  put_result(setrlimit(resource, &value) < 0 ? -errno : 0);
}
/* CAP_IPC_LOCK, with which RLIMIT_MEMLOCK does not bind: given up. */
static void drop_ipc_lock(void) {
  struct { unsigned version; int pid; } header = {0x20080522, 0};
  struct { unsigned effective, permitted, inheritable; } data[2];
  long result = syscall(SYS_capget, &header, data);
  data[0].effective &= ~(1u << 14);
  if (result == 0) result = syscall(SYS_capset, &header, data);
  put_result(result < 0 ? -errno : 0);
}

/* ---- threads: each writes its own word of every page, all at once; a SIGSEGV or SIGBUS ends none of them ---- */
#define THREADS 3
static char stacks[THREADS][32 * 1024] __attribute__((aligned(4096)));
static struct { long address, pages, value; } race_of;
static sigjmp_buf race_env[THREADS];
static __thread int race_index = -1;
static volatile int race_faults[THREADS];
static void on_race_fault(int signal, siginfo_t *info, void *context) {
  (void)context, (void)signal, (void)info;
  race_faults[race_index]++;
  siglongjmp(race_env[race_index], 1);
}
static void *race_thread(void *argument) {
  race_index = (int)(long)argument;
  for (volatile long i = 0; i < race_of.pages; i++)
    if (sigsetjmp(race_env[race_index], 1) == 0)
      ((volatile long *)(race_of.address + i * PG))[race_index] = race_of.value + race_index;
  return NULL;
}
static void install_handler(void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}
static void race(long address, long pages, long value) {
  pthread_t threads[THREADS];
  race_of.address = address;
  race_of.pages = pages;
  race_of.value = value;
  install_handler(on_race_fault);
  for (long i = 0; i < THREADS; i++) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stacks[i], sizeof stacks[i]);
    race_faults[i] = 0;
    if (pthread_create(&threads[i], &attributes, race_thread, (void *)i) != 0) _exit(95);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  install_handler(on_fault);
  put(" faulted=%d,%d,%d", race_faults[0], race_faults[1], race_faults[2]);
}

/* ---- processes: slot 0 says who acts; `run_step` is the interpreter's or the reproducer's ---- */
static void run_step(int step);
static void report_step(int step);
static void serve(void) {
  int step;
  while (read(command_pipe[slot][0], &step, sizeof step) == sizeof step) {
    report_step(step);
    if (write(done_pipe[1], "", 1) != 1) _exit(94);
  }
  _exit(93);
}
static void act(int who, int step) {
  char byte;
  if (who == slot) { report_step(step); return; }
  if (write(command_pipe[who][1], &step, sizeof step) != sizeof step || read(done_pipe[0], &byte, 1) != 1) _exit(92);
}
/* The child takes its turn when it is told to; before the next step it has closed what is not its own. */
static void fork_into(int child_slot) {
  int pid = (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    slot = child_slot;
    out_length = 0;
    is_program_locked = 0; /* locks are not inherited */
    if (uffd >= 0) close(uffd);
    uffd = -1;
    if (write(born_pipe[1], "", 1) != 1) _exit(81);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve();
  }
  if (pid > 0) {
    char byte;
    if (read(born_pipe[0], &byte, 1) != 1) _exit(80);
    BOARD->pid[child_slot] = pid;
    BOARD->parent[child_slot] = slot;
  }
  put(" %s", pid > 0 ? "child" : error_name(errno));
}
static void reap(int child_slot) {
  int status = 0;
  kill(BOARD->pid[child_slot], SIGKILL);
  long pid = waitpid(BOARD->pid[child_slot], &status, 0);
  put(" %s %x", pid == BOARD->pid[child_slot] ? "reaped" : "lost", status);
}
#endif
