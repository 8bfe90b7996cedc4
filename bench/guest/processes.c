/* Processes, threads and system calls. An operation is a process, a round trip, or a call. */
#include "bench.h"
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void fork_exit(long n, long pages) {
  char *at = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) fail("mmap");
  madvise(at, (size_t)(pages * PAGE), MADV_NOHUGEPAGE);
  for (long i = 0; i < pages; i++) at[i * PAGE] = 1;
  measure_begin();
  for (long i = 0; i < n; i++) {
    pid_t pid = fork();
    if (pid < 0) fail("fork");
    if (pid == 0) _exit(0);
    waitpid(pid, NULL, 0);
  }
  measure_end();
  munmap(at, (size_t)(pages * PAGE));
}
static void fork_exit_1m(long n) { fork_exit(n, 256); }
static void fork_exit_64m(long n) { fork_exit(n, 16384); }

static const char *own_path;

/* vfork, execve of this program, which ends at once, and wait. */
static void exec_exit(long n) {
  char *const arguments[] = {(char *)own_path, NULL};
  char *const environment[] = {NULL};
  for (volatile long i = -1; i < n; i++) {
    if (i == 0) measure_begin();
    pid_t pid = vfork();
    if (pid < 0) fail("vfork");
    if (pid == 0) {
      execve(own_path, arguments, environment);
      _exit(99);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (status == 99 << 8) skip("no exec of its own");
    if (status != 2 << 8) exit(5);
  }
  measure_end();
}

static void pipe_pingpong(long n) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) fail("pipe");
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  char byte = 1;
  if (pid == 0) {
    for (long i = 0; i < n; i++)
      if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1) _exit(1);
    _exit(0);
  }
  measure_begin();
  for (long i = 0; i < n; i++)
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) fail("pipe");
  measure_end();
  waitpid(pid, NULL, 0);
  for (int i = 0; i < 2; i++) close(there[i]), close(back[i]);
}

static int turn;
static long turns;

static void wait_while(int value) {
  while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == value) syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void pass_turn(int to) {
  __atomic_store_n(&turn, to, __ATOMIC_RELEASE);
  syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *other_side(void *unused) {
  for (long i = 0; i < turns; i++) {
    wait_while(0);
    pass_turn(0);
  }
  return unused;
}

static void futex_pingpong(long n) {
  pthread_t thread;
  turn = 0;
  turns = n;
  if (pthread_create(&thread, NULL, other_side, NULL) != 0) fail("pthread_create");
  measure_begin();
  for (long i = 0; i < n; i++) {
    pass_turn(1);
    wait_while(1);
  }
  measure_end();
  pthread_join(thread, NULL);
}

static void syscall_null(long n) {
  measure_begin();
  for (long i = 0; i < n; i++) syscall(SYS_getppid);
  measure_end();
}

static const struct benchmark all[] = {
    {"fork_exit_1m", fork_exit_1m},   {"fork_exit_64m", fork_exit_64m},   {"exec_exit", exec_exit},
    {"pipe_pingpong", pipe_pingpong}, {"futex_pingpong", futex_pingpong}, {"syscall_null", syscall_null},
};

int main(int argc, char **argv) {
  own_path = argv[0];
  return run_benchmark(all, sizeof all / sizeof all[0], argc, argv);
}
