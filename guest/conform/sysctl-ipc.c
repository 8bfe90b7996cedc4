/* /proc/sys/kernel/{shm,sem,msg}*: limits of the namespace, as they act, and the ids that are wanted next. */
#include "conform.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
static void own(void) { MUST(unshare(CLONE_NEWIPC)); }
/* In a namespace of our own: nothing is to be put back. */
static int put(const char *name, const char *value) {
  char path[96];
  snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
  return write_sysctl(path, value);
}
static void show(const char *name) {
  char path[96], value[64] = "";
  snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
  int fd = open(path, O_RDONLY);
  ssize_t n = read(fd, value, sizeof value - 1);
  close(fd);
  value[n > 0 ? n - 1 : 0] = 0;
  say("%s: %s", name, value);
}
static int segment(size_t bytes) { return shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600); }

CASE("shmmax", "EINVAL", "a segment may not be larger") {
  own();
  show("shmmax");
  RESULT("set", put("shmmax", "8192"));
  ERR("8 KiB", segment(8192) < 0 ? -1 : 0);
  ERR("8 KiB and a byte", segment(8193));
}
CASE("shmall", "ENOSPC", "pages of all segments") {
  own();
  show("shmall");
  RESULT("set", put("shmall", "5"));
  int id = segment(3 * PG);
  ERR("2 more", segment(2 * PG) < 0 ? -1 : 0);
  ERR("1 more", segment(1));
  shmctl(id, IPC_RMID, NULL);
  ERR("1 after 3 went", segment(1) < 0 ? -1 : 0);
}
CASE("shmmni", "ENOSPC", "segments") {
  own();
  show("shmmni");
  RESULT("set", put("shmmni", "2"));
  segment(1);
  segment(1);
  ERR("third", segment(1));
  RESULT("too many", put("shmmni", "32769"));
}
CASE("shm_rmid_forced", "", "segments that nobody has attached go with their maker") {
  own();
  int id = segment(PG), ends[2];
  MUST(pipe(ends));
  RESULT("set", put("shm_rmid_forced", "1"));
  struct shmid_ds ds;
  RESULT("ours stays", shmctl(id, IPC_STAT, &ds));
  pid_t pid = fork();
  if (pid == 0) { int made = segment(PG); _exit(write(ends[1], &made, sizeof made) != sizeof made); }
  waitpid(pid, NULL, 0);
  MUST(read(ends[0], &id, sizeof id));
  ERR("the child's has gone", shmctl(id, IPC_STAT, &ds));
  ERR("2", put("shm_rmid_forced", "2"));
}
CASE("shm_next_id", "", "the id of the next segment; of semaphores and queues too") {
  own();
  show("shm_next_id");
  RESULT("set", put("shm_next_id", "98309"));
  show("shm_next_id");
  NUM("id", segment(PG));
  show("shm_next_id");
  YES("the one after it is any", segment(PG) < 98309);
  RESULT("a taken one", put("shm_next_id", "98309"));
  NUM("id", segment(PG));
  RESULT("set", put("sem_next_id", "65537"));
  NUM("id", semget(IPC_PRIVATE, 1, 0600));
  RESULT("set", put("msg_next_id", "32768"));
  NUM("id", msgget(IPC_PRIVATE, 0600));
  ERR("negative", put("msg_next_id", "-1"));
}
CASE("sem", "E2BIG", "SEMMSL, SEMMNS, SEMOPM, SEMMNI") {
  own();
  show("sem");
  RESULT("set", put("sem", "3 5 2 2"));
  show("sem");
  ERR("a set of 4", semget(IPC_PRIVATE, 4, 0600));
  int id = semget(IPC_PRIVATE, 3, 0600);
  ERR("3 more", semget(IPC_PRIVATE, 3, 0600));
  YES("2 more", semget(IPC_PRIVATE, 2, 0600) >= 0);
  ERR("one more set", semget(IPC_PRIVATE, 1, 0600));
  struct sembuf ops[3] = {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}};
  RESULT("2 operations", semop(id, ops, 2));
  ERR("3 operations", semop(id, ops, 3));
}
CASE("msgmax", "EINVAL", "bytes of a message; msgmnb: of a queue; msgmni: queues") {
  own();
  show("msgmax");
  show("msgmnb");
  show("msgmni");
  RESULT("set", put("msgmax", "16"));
  RESULT("set", put("msgmnb", "20"));
  RESULT("set", put("msgmni", "1"));
  struct { long type; char text[64]; } m = {1, ""};
  int id = msgget(IPC_PRIVATE, 0600);
  ERR("17 bytes", msgsnd(id, &m, 17, IPC_NOWAIT));
  RESULT("16 bytes", msgsnd(id, &m, 16, IPC_NOWAIT));
  ERR("5 more", msgsnd(id, &m, 5, IPC_NOWAIT));
  RESULT("4 more", msgsnd(id, &m, 4, IPC_NOWAIT));
  ERR("another queue", msgget(IPC_PRIVATE, 0600));
}
