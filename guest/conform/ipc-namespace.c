/* IPC namespaces: unshare, setns, clone, /proc/PID/ns. */
#include "conform.h"
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static long ns_of(const char *path) {
  char text[64] = "";
  ssize_t n = readlink(path, text, sizeof text - 1);
  if (n < 0) return -1;
  long ino = 0;
  return sscanf(text, "ipc:[%ld]", &ino) == 1 ? ino : -2;
}
static int rows(const char *path) {
  FILE *f = fopen(path, "r");
  char line[512];
  int n = -1;
  while (f && fgets(line, sizeof line, f)) n++;
  if (f) fclose(f);
  return n;
}
static long number(const char *path) {
  FILE *f = fopen(path, "r");
  long value = -1;
  if (!f || fscanf(f, "%ld", &value) != 1) value = -1;
  if (f) fclose(f);
  return value;
}

CASE("unshare", "CLONE_NEWIPC", "other objects, other limits") {
  MUST(unshare(CLONE_NEWIPC));
  int outer = shmget(0x1234, PG, IPC_CREAT | 0600), sem = semget(0x1234, 1, IPC_CREAT | 0600), msg = msgget(0x1234, IPC_CREAT | 0600);
  YES("made", outer >= 0 && sem >= 0 && msg >= 0);
  char *p = shmat(outer, NULL, 0);
  p[0] = 'x';
  long before = ns_of("/proc/self/ns/ipc");
  YES("it has a number", before > 0);
  MUST(unshare(CLONE_NEWIPC));
  YES("another one", ns_of("/proc/self/ns/ipc") != before);
  ERR("no segment", shmget(0x1234, PG, 0600));
  ERR("no semaphores", semget(0x1234, 1, 0600));
  ERR("no queue", msgget(0x1234, 0600));
  struct shmid_ds ds;
  ERR("the id is none", shmctl(outer, IPC_STAT, &ds));
  say("what is attached stays: %c", p[0]);
  say("rows %d %d %d", rows("/proc/sysvipc/shm"), rows("/proc/sysvipc/sem"), rows("/proc/sysvipc/msg"));
  NUM("limit", number("/proc/sys/kernel/msgmni"));
  MUST(shmdt(p));
}

CASE("unshare", "CLONE_NEWIPC", "back through the file of the first") {
  MUST(unshare(CLONE_NEWIPC));
  int first = open("/proc/self/ns/ipc", O_RDONLY);
  struct stat one, two;
  fstat(first, &one);
  int id = shmget(7, PG, IPC_CREAT | 0600);
  YES("made", id >= 0);
  MUST(unshare(CLONE_NEWIPC));
  ERR("not here", shmget(7, PG, 0600));
  stat("/proc/self/ns/ipc", &two);
  YES("other inodes of one device", one.st_ino != two.st_ino && one.st_dev == two.st_dev);
  say("mode %o", one.st_mode);
  RET("setns", setns(first, CLONE_NEWIPC));
  YES("there again", shmget(7, PG, 0600) == id);
  stat("/proc/self/ns/ipc", &two);
  YES("the same inode", one.st_ino == two.st_ino);
  RET("any kind", setns(first, 0));
  shmctl(id, IPC_RMID, NULL);
}

CASE("setns", "EINVAL", "another kind; a file that is none; EBADF") {
  int fd = open("/proc/self/ns/ipc", O_RDONLY), other = open("/proc/self/stat", O_RDONLY);
  RET("another kind", setns(fd, CLONE_NEWNS));
  RET("no namespace", setns(other, 0));
  RET("no namespace", setns(other, CLONE_NEWIPC));
  RET("no file", setns(77, 0));
  char c;
  ERR("read", read(fd, &c, 1));
  ERR("write", write(fd, &c, 1));
}

CASE("setns", "pidfd", "a child's namespace") {
  int up[2], down[2];
  MUST(pipe(up));
  MUST(pipe(down));
  pid_t child = fork();
  if (child == 0) {
    char c = 'c';
    MUST(unshare(CLONE_NEWIPC));
    MUST(shmget(9, PG, IPC_CREAT | 0600) >= 0 ? 0 : -1);
    if (write(up[1], &c, 1) != 1 || read(down[0], &c, 1) != 1) _exit(1);
    _exit(0);
  }
  char c;
  MUST(read(up[0], &c, 1) == 1 ? 0 : -1);
  ERR("not in ours", shmget(9, PG, 0600));
  int fd = (int)syscall(SYS_pidfd_open, child, 0);
  RET("no flags", setns(fd, 0));
  RET("setns", setns(fd, CLONE_NEWIPC));
  YES("theirs", shmget(9, PG, 0600) >= 0);
  MUST(write(down[1], &c, 1) == 1 ? 0 : -1);
  waitpid(child, NULL, 0);
  YES("it lives on with us", shmget(9, PG, 0600) >= 0);
  RET("the child has gone", setns(fd, CLONE_NEWIPC));
}

CASE("clone", "CLONE_NEWIPC", "a child of its own; not with CLONE_SYSVSEM") {
  MUST(unshare(CLONE_NEWIPC));
  int id = shmget(7, PG, IPC_CREAT | 0600);
  YES("made", id >= 0);
  long own = ns_of("/proc/self/ns/ipc");
  fflush(stdout);
  long child = syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, 0L, 0L, 0L, 0L);
  if (child == 0) {
    ERR("not there", shmget(7, PG, 0600));
    YES("another one", ns_of("/proc/self/ns/ipc") != own);
    fflush(stdout);
    _exit(0);
  }
  waitpid((pid_t)child, NULL, 0);
  child = fork();
  if (child == 0) _exit(ns_of("/proc/self/ns/ipc") == own ? 3 : 4);
  int status;
  waitpid((pid_t)child, &status, 0);
  NUM("fork shares it", WEXITSTATUS(status));
  ERR("with CLONE_SYSVSEM", syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, 0L, 0L, 0L, 0L));
  shmctl(id, IPC_RMID, NULL);
}

CASE("unshare", "CLONE_SYSVSEM", "what was to be undone is undone") {
  MUST(unshare(CLONE_NEWIPC));
  int id = semget(IPC_PRIVATE, 1, 0600);
  struct sembuf op = {0, 3, SEM_UNDO};
  MUST(semop(id, &op, 1));
  NUM("value", semctl(id, 0, GETVAL));
  RET("unshare", unshare(CLONE_SYSVSEM));
  NUM("value", semctl(id, 0, GETVAL));
  MUST(semop(id, &op, 1));
  int first = open("/proc/self/ns/ipc", O_RDONLY);
  RET("unshare", unshare(CLONE_NEWIPC));
  MUST(setns(first, 0));
  NUM("value", semctl(id, 0, GETVAL));
}

CASE("unshare", "", "flags that change nothing for one thread alone; unknown ones") {
  RET("none", unshare(0));
  RET("thread", unshare(CLONE_THREAD));
  RET("sighand", unshare(CLONE_SIGHAND));
  RET("vm", unshare(CLONE_VM));
  RET("files", unshare(CLONE_FILES));
  RET("fs", unshare(CLONE_FS));
  RET("unknown", unshare(CLONE_PARENT));
  RET("unknown", unshare(CLONE_VFORK));
}

static int change(void *arg) {
  int r = unshare(*(int *)arg);
  MUST(chdir("/"));
  close(0);
  fcntl(0, F_GETFD);
  _exit(r == 0 ? 0 : 1);
}

CASE("unshare", "CLONE_FS", "CLONE_FILES too: a folder and descriptors of one's own") {
  static char stack[65536] __attribute__((aligned(16)));
  int flags[] = {0, CLONE_FS, CLONE_FILES, CLONE_FS | CLONE_FILES};
  MUST(chdir("/proc"));
  for (int i = 0; i < 4; i++) {
    int fd = open("/dev/null", O_RDONLY);
    dup2(fd, 0);
    if (fd != 0) close(fd);
    MUST(chdir("/proc"));
    pid_t child = clone(change, stack + sizeof stack, CLONE_FS | CLONE_FILES | CLONE_VM | CLONE_VFORK | SIGCHLD, &flags[i]);
    int status;
    waitpid(child, &status, 0);
    char cwd[64];
    say("%d: folder %s, descriptor 0 %s", WEXITSTATUS(status), getcwd(cwd, sizeof cwd), fcntl(0, F_GETFD) < 0 ? "closed" : "open");
  }
}

CASE("unshare", "EPERM", "without CAP_SYS_ADMIN") {
  MUST(setuid(12345));
  RET("ipc", unshare(CLONE_NEWIPC));
  int fd = open("/proc/self/ns/ipc", O_RDONLY);
  YES("opened", fd >= 0);
  RET("setns", setns(fd, 0));
  ERR("clone", syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, 0L, 0L, 0L, 0L));
  say("another's: %s", ns_of("/proc/1/ns/ipc") == -1 ? err_name(errno) : "open");
}

CASE("shmat", "IPC namespace", "an attachment outlives the namespace") {
  fflush(stdout);
  MUST(unshare(CLONE_NEWIPC));
  int id = shmget(IPC_PRIVATE, PG, 0600);
  char *p = shmat(id, NULL, 0);
  p[0] = 'q';
  MUST(unshare(CLONE_NEWIPC));
  pid_t child = fork();
  if (child == 0) _exit(p[0] == 'q' ? 5 : 6);
  int status;
  waitpid(child, &status, 0);
  NUM("child reads it", WEXITSTATUS(status));
  p[0] = 'r';
  RET("detach", shmdt(p));
}
