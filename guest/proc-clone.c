/* clone(2) by hand: shared memory, the vfork rule that the parent waits, separate file tables, exit signal. */
#include "check.h"
#include <sched.h>
static int shared, order[2], place;
static char stack[65536] __attribute__((aligned(16)));
static int vm_child(void *arg) {
  sleep_ms(20);
  order[place++] = 1;
  shared = *(int *)arg + 1;
  return 7;
}
static int fd_child(void *arg) { (void)arg; close(30); return 0; }
int main(void) {
  int start = 41;
  pid_t pid = clone(vm_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &start);
  order[place++] = 2;
  say("child first: %d %d, shared %d, %s", order[0], order[1], shared, wait_text(pid));
  pid = clone(vm_child, stack + sizeof stack, SIGCHLD, &start);
  say("without CLONE_VM: %s, place %d", wait_text(pid), place);
  dup2(1, 30);
  pid = clone(fd_child, stack + sizeof stack, SIGCHLD, NULL);
  say("own files: %s", wait_text(pid));
  ERR("still open", fcntl(30, F_GETFD));
  pid = clone(fd_child, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
  say("CLONE_FILES: %s", wait_text(pid));
  ERR("closed by the child", fcntl(30, F_GETFD));
  pid = clone(fd_child, stack + sizeof stack, 0, NULL);
  int status;
  ERR("no exit signal, plain wait", waitpid(pid, &status, 0));
  ERR("no exit signal, __WALL", waitpid(pid, &status, __WALL));
  ERR("SIGHAND without VM", clone(fd_child, stack + sizeof stack, CLONE_SIGHAND | SIGCHLD, NULL));
  ERR("THREAD without SIGHAND", clone(fd_child, stack + sizeof stack, CLONE_THREAD | CLONE_VM, NULL));
  pid = vfork();
  if (pid == 0) _exit(11);
  say("vfork: %s", wait_text(pid));
  return 0;
}
