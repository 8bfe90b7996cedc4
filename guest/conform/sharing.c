/* Memory between processes: System V and POSIX shared memory, process_vm_readv(2), process_madvise(2). */
#include "conform.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

static int segment(size_t bytes) { int id = shmget(IPC_PRIVATE, bytes, 0600); if (id == -1) say("shmget: %s", err_name(errno)); return id; }
/* The segment goes with the last that has it attached. */
static char *attach(int id, char *at, int flags) { char *p = (char *)syscall(SYS_shmat, id, at, (long)flags); shmctl(id, IPC_RMID, NULL); return p; }

CASE("shmat", "", "two mappings of one memory; a child has it") {
  int id = segment(2 * PG);
  char *p = (char *)shmat(id, NULL, 0), *q = (char *)shmat(id, NULL, 0);
  p[0] = 'x';
  BYTE("second", q);
  IN_CHILD("child", q[1] = 'c');
  BYTE("written by the child", p + 1);
  struct shmid_ds now;
  MUST(shmctl(id, IPC_STAT, &now));
  NUM("attached", now.shm_nattch);
  NUM("bytes", now.shm_segsz);
  RESULT("detach", shmdt(q));
  RESULT("remove", shmctl(id, IPC_RMID, NULL));
  BYTE("still there", p);
  RESULT("attach again", shmat(id, NULL, 0) == (void *)-1 ? -1 : 0);
}
CASE("shmat", "SHM_RDONLY", "a store is SEGV_ACCERR") {
  char *p = attach(segment(PG), NULL, SHM_RDONLY);
  MARK(p);
  READS("load", p);
  RESULT("mprotect to write", kmprotect(p, PG, RW));
  *(volatile char *)p = 1;
}
CASE("shmat", "SHM_REMAP", "over a mapping") {
  int id = segment(PG);
  char *p = area(2);
  RESULT("without it", (char *)syscall(SYS_shmat, id, p, 0L));
  PLACE("with it", (char *)syscall(SYS_shmat, id, p, (long)SHM_REMAP), p);
  RESULT("without an address", (char *)syscall(SYS_shmat, id, NULL, (long)SHM_REMAP));
  shmctl(id, IPC_RMID, NULL);
}
CASE("shmat", "SHM_RND", "rounds an address down") {
  int id = segment(PG);
  char *p = hole(2);
  RESULT("without it", (char *)syscall(SYS_shmat, id, p + 5, 0L));
  PLACE("with it", (char *)syscall(SYS_shmat, id, p + 5, (long)SHM_RND), p);
  shmctl(id, IPC_RMID, NULL);
}
CASE("shmat", "SHM_EXEC", "rights of the line") {
  char *p = reserve(2);
  PLACE("attach", attach(segment(PG), p, SHM_EXEC | SHM_REMAP), p);
  FLAGS("flags", p);
}
CASE("shmat", "EINVAL", "no such segment") { RESULT("id -1", shmat(-1, NULL, 0) == (void *)-1 ? -1 : 0); }
CASE("shmget", "EINVAL", "sizes and flags; EEXIST and ENOENT") {
  RESULT("size 0", shmget(IPC_PRIVATE, 0, 0600));
  RESULT("size 2^63", shmget(IPC_PRIVATE, (size_t)1 << 63, 0600));
  key_t key = 0x46614c74;
  RESULT("no such key", shmget(key, PG, 0600));
  int id = shmget(key, PG, IPC_CREAT | IPC_EXCL | 0600);
  RESULT("create", id);
  RESULT("create again", shmget(key, PG, IPC_CREAT | IPC_EXCL | 0600));
  YES("found", shmget(key, PG, 0600) == id);
  RESULT("larger than it is", shmget(key, 2 * PG, 0600));
  RESULT("remove", shmctl(id, IPC_RMID, NULL));
}
CASE("shmdt", "EINVAL", "not the start of a segment") {
  char *p = attach(segment(2 * PG), NULL, 0);
  RESULT("second page", shmdt(p + PG));
  RESULT("not aligned", shmdt(p + 1));
  RESULT("anonymous memory", shmdt(area(1)));
  RESULT("start", shmdt(p));
  RESULT("again", shmdt(p));
}
CASE("shmdt", "", "a segment with a hole in it") {
  char *p = attach(segment(4 * PG), NULL, 0);
  kmunmap(p + PG, PG);
  RESULT("detach", shmdt(p));
  READS("first", p);
  READS("third", p + 2 * PG);
}
CASE("shmctl", "SHM_LOCK", "locked pages and errnos") {
  int id = segment(PG);
  RESULT("lock", shmctl(id, SHM_LOCK, NULL));
  RESULT("unlock", shmctl(id, SHM_UNLOCK, NULL));
  RESULT("unknown command", shmctl(id, 99, NULL));
  RESULT("IPC_STAT to a hole", syscall(SYS_shmctl, id, (long)IPC_STAT, hole(1)));
  shmctl(id, IPC_RMID, NULL);
  RESULT("after it is gone", shmctl(id, SHM_LOCK, NULL));
}
CASE("shm_open", "", "/dev/shm: a file in memory") {
  int fd = open("/dev/shm/faultline-conform", O_RDWR | O_CREAT | O_EXCL, 0600);
  RESULT("open", fd);
  RESULT("size", ftruncate(fd, 2 * PG));
  char *p = kmmap(NULL, 2 * PG, RW, MAP_SHARED, fd, 0);
  RESULT("unlink", unlink("/dev/shm/faultline-conform"));
  IN_CHILD("child", p[PG] = 'c');
  BYTE("parent", p + PG);
}

static char *remote;
/* A child that waits until the pipe is closed, with remote[] of its own. */
static pid_t start_child(int ends[2]) {
  MUST(pipe(ends));
  pid_t pid = fork();
  if (pid == 0) {
    char c;
    close(ends[1]);
    (void)read(ends[0], &c, 1);
    BYTE("child's memory", remote);
    _exit(0);
  }
  close(ends[0]);
  return pid;
}
static void end_child(pid_t pid, int ends[2]) { close(ends[1]); say("child: %s", wait_text(pid)); }

CASE("process_vm_readv", "", "memory of a child, copied on write; process_vm_writev writes it") {
  int ends[2];
  char here[8] = {0};
  remote = area(2);
  strcpy(remote, "parent");
  pid_t pid = start_child(ends);
  remote[0] = 'P';
  struct iovec local = {here, 7}, far = {remote, 7};
  COUNT("read", process_vm_readv(pid, &local, 1, &far, 1, 0));
  say("got %s", here);
  strcpy(here, "Child!");
  COUNT("write", process_vm_writev(pid, &local, 1, &far, 1, 0));
  BYTE("parent's memory", remote);
  end_child(pid, ends);
}
CASE("process_vm_readv", "EFAULT", "short counts") {
  char here[3 * PG], *p = area(3);
  kmunmap(p + PG, PG);
  struct iovec local = {here, sizeof here}, far = {p, 3 * PG}, bad = {p + PG, PG}, two[2] = {{p, PG}, {p + PG, PG}};
  struct iovec wrong = {hole(1), PG};
  COUNT("over a hole", process_vm_readv(getpid(), &local, 1, &far, 1, 0));
  COUNT("a hole", process_vm_readv(getpid(), &local, 1, &bad, 1, 0));
  COUNT("good, bad", process_vm_readv(getpid(), &local, 1, two, 2, 0));
  COUNT("bad local", process_vm_readv(getpid(), &wrong, 1, two, 1, 0));
  COUNT("bad vector", process_vm_readv(getpid(), (struct iovec *)hole(1), 1, two, 1, 0));
}
CASE("process_vm_writev", "EFAULT", "to memory that may not be written") {
  char here[8] = "x", *p = area(1);
  kmprotect(p, PG, PROT_READ);
  struct iovec local = {here, 8}, far = {p, 8};
  COUNT("read-only", process_vm_writev(getpid(), &local, 1, &far, 1, 0));
  COUNT("reading it", process_vm_readv(getpid(), &local, 1, &far, 1, 0));
  kmprotect(p, PG, PROT_NONE);
  COUNT("reading PROT_NONE", process_vm_readv(getpid(), &local, 1, &far, 1, 0));
}
CASE("process_vm_readv", "EINVAL", "flags and counts; ESRCH, EPERM") {
  char here[8], there[8] = "";
  struct iovec local = {here, 8}, far = {there, 8}, negative = {here, (size_t)-1};
  COUNT("flags", process_vm_readv(getpid(), &local, 1, &far, 1, 1));
  COUNT("1025 vectors", process_vm_readv(getpid(), &local, 1, &far, 1025, 0));
  COUNT("negative length", process_vm_readv(getpid(), &negative, 1, &far, 1, 0));
  COUNT("no vectors", process_vm_readv(getpid(), &local, 0, &far, 0, 0));
  COUNT("no such process", process_vm_readv(0x3ffffff, &local, 1, &far, 1, 0));
  COUNT("shorter local", (local.iov_len = 3, process_vm_readv(getpid(), &local, 1, &far, 1, 0)));
}
CASE("process_madvise", "", "a process advises itself and a child") {
  int ends[2];
  remote = area(2);
  remote[0] = 'r';
  pid_t pid = start_child(ends);
  long self = syscall(SYS_pidfd_open, getpid(), 0), other = syscall(SYS_pidfd_open, pid, 0);
  struct iovec range = {remote, PG}, two[2] = {{remote, PG}, {remote + PG, PG}};
  COUNT("itself, COLD", syscall(SYS_process_madvise, self, &range, 1L, 20L, 0L));
  COUNT("itself, two ranges", syscall(SYS_process_madvise, self, two, 2L, 20L, 0L));
  COUNT("child, COLD", syscall(SYS_process_madvise, other, &range, 1L, 20L, 0L));
  COUNT("child, WILLNEED", syscall(SYS_process_madvise, other, &range, 1L, 3L, 0L));
  COUNT("child, PAGEOUT", syscall(SYS_process_madvise, other, &range, 1L, 21L, 0L));
  COUNT("child, DONTNEED", syscall(SYS_process_madvise, other, &range, 1L, 4L, 0L));
  COUNT("itself, DONTNEED", syscall(SYS_process_madvise, self, two, 2L, 4L, 0L));
  BYTE("parent's memory", remote);
  end_child(pid, ends);
}
CASE("process_madvise", "EINVAL", "flags, descriptor, advice") {
  long self = syscall(SYS_pidfd_open, getpid(), 0);
  char *p = area(3);
  kmunmap(p + PG, PG);
  struct iovec range = {p, PG}, bad[2] = {{p, PG}, {p + PG, PG}};
  COUNT("flags", syscall(SYS_process_madvise, self, &range, 1L, 20L, 1L));
  COUNT("no descriptor", syscall(SYS_process_madvise, -1L, &range, 1L, 20L, 0L));
  COUNT("not a process", syscall(SYS_process_madvise, 0L, &range, 1L, 20L, 0L));
  COUNT("no advice", syscall(SYS_process_madvise, self, &range, 1L, 1000L, 0L));
  COUNT("a hole", syscall(SYS_process_madvise, self, bad + 1, 1L, 20L, 0L));
  COUNT("good, hole", syscall(SYS_process_madvise, self, bad, 2L, 20L, 0L));
  COUNT("bad vector", syscall(SYS_process_madvise, self, hole(1), 1L, 20L, 0L));
}
