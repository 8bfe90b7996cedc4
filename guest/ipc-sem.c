/* System V semaphores: values, waiting, undoing, times, errors. */
#include "check.h"
#include <grp.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif
#define KEY 0x5fa17011

union arg { int val; struct semid_ds *buf; unsigned short *array; struct seminfo *info; };
static struct semid_ds ds;
static int op(int id, int num, int value, int flags) {
  struct sembuf b = {(unsigned short)num, (short)value, (short)flags};
  return semop(id, &b, 1);
}
static int get(int id, int num) { return semctl(id, num, GETVAL); }
static int set(int id, int num, int value) { return semctl(id, num, SETVAL, (union arg){.val = value}); }
static int stat_of(int id) { return semctl(id, 0, IPC_STAT, (union arg){.buf = &ds}); }
static void wait_count(int id, int num, int command, int count) {
  for (int i = 0; i < 5000 && semctl(id, num, command) != count; i++) sleep_ms(2);
}
static volatile sig_atomic_t rang;
static void ring(int sig) { rang = sig; }

static void getting(void) {
  ERR("no such key", semget(KEY, 1, 0600));
  ERR("none at all", semget(KEY, 0, IPC_CREAT | 0600));
  ERR("negative", semget(KEY, -1, IPC_CREAT | 0600));
  ERR("too many", semget(KEY, 32001, IPC_CREAT | 0600));
  int id = semget(KEY, 3, IPC_CREAT | 0640);
  YES("made", id >= 0);
  YES("again", semget(KEY, 0, 0) == id);
  YES("fewer", semget(KEY, 2, 0) == id);
  ERR("more", semget(KEY, 4, 0));
  ERR("exclusive", semget(KEY, 3, IPC_CREAT | IPC_EXCL));
  NUM("stat", stat_of(id));
  say("mode %o, %ld, changed %s, operated %ld", ds.sem_perm.mode, (long)ds.sem_nsems, ds.sem_ctime ? "yes" : "no", (long)ds.sem_otime);
  NUM("value", get(id, 0));
  ERR("no such number", get(id, 3));
  ERR("negative number", get(id, -1));
  NUM("set", set(id, 1, 5));
  ERR("set too high", set(id, 1, 32768));
  ERR("set negative", set(id, 1, -1));
  unsigned short all[3] = {7, 8, 9};
  NUM("set all", semctl(id, 0, SETALL, (union arg){.array = all}));
  memset(all, 0, sizeof all);
  NUM("get all", semctl(id, 0, GETALL, (union arg){.array = all}));
  say("%d %d %d", all[0], all[1], all[2]);
  all[1] = 40000;
  ERR("set all too high", semctl(id, 0, SETALL, (union arg){.array = all}));
  ERR("get all nowhere", semctl(id, 0, GETALL, (union arg){.array = (void *)8}));
  NUM("pid", semctl(id, 0, GETPID) == getpid());
  ds.sem_perm.mode = 0600;
  NUM("change", semctl(id, 0, IPC_SET, (union arg){.buf = &ds}));
  stat_of(id);
  say("mode %o", ds.sem_perm.mode);
  struct seminfo info;
  YES("info", semctl(0, 0, IPC_INFO, (union arg){.info = &info}) >= 0);
  say("%d %d %d %d %d %d %d %d %d", info.semmap, info.semmni, info.semmns, info.semmnu, info.semmsl, info.semopm, info.semume,
      info.semvmx, info.semaem);
  int top = semctl(0, 0, SEM_INFO, (union arg){.info = &info});
  say("in use %s, semaphores %s", info.semusz >= 1 ? "yes" : "no", info.semaem >= 3 ? "yes" : "no");
  int found = 0;
  for (int i = 0; i <= top; i++) if (semctl(i, 0, SEM_STAT, (union arg){.buf = &ds}) == id) found = 1;
  YES("by index", found);
  ERR("bad command", semctl(id, 0, 99));
  ERR("bad id", semctl(-1, 0, GETVAL));
  NUM("remove", semctl(id, 0, IPC_RMID));
  ERR("removed", get(id, 0));
  ERR("operate on it", op(id, 0, 1, 0));
}

static void operating(void) {
  int id = semget(IPC_PRIVATE, 3, 0600);
  NUM("up", op(id, 0, 2, 0));
  NUM("down", op(id, 0, -1, 0));
  NUM("value", get(id, 0));
  stat_of(id);
  YES("time", ds.sem_otime != 0);
  ERR("too far down", op(id, 0, -2, IPC_NOWAIT));
  NUM("zero", op(id, 1, 0, 0));
  ERR("not zero", op(id, 0, 0, IPC_NOWAIT));
  ERR("too high", op(id, 0, 32767, 0));
  struct sembuf two[3] = {{0, 1, 0}, {1, -1, IPC_NOWAIT}, {2, 1, 0}};
  ERR("all or none", semop(id, two, 3));
  say("%d %d %d", get(id, 0), get(id, 1), get(id, 2));
  two[1].sem_op = 1;
  NUM("all", semop(id, two, 3));
  say("%d %d %d", get(id, 0), get(id, 1), get(id, 2));
  ERR("none", semop(id, two, 0));
  ERR("too many", semop(id, two, 501));
  two[0].sem_num = 3;
  ERR("number", semop(id, two, 1));
  ERR("nowhere", semop(id, (void *)8, 1));
  ERR("bad id", op(-1, 0, 1, 0));
  struct timespec t = {0, 20000000}, bad = {0, 1000000000};
  struct sembuf down = {0, -100, 0};
  ERR("times out", semtimedop(id, &down, 1, &t));
  ERR("bad time", semtimedop(id, &down, 1, &bad));
  signal(SIGALRM, ring);
  struct sigaction action = {0};
  action.sa_handler = ring;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  ualarm(20000, 0);
  ERR("interrupted", semop(id, &down, 1));
  YES("by it", rang == SIGALRM);
  semctl(id, 0, IPC_RMID);
}

static void waiting(void) {
  int id = semget(IPC_PRIVATE, 2, 0600);
  pid_t a = fork();
  if (a == 0) _exit(op(id, 0, -2, 0) == 0 ? 11 : errno);
  wait_count(id, 0, GETNCNT, 1);
  NUM("one waits", semctl(id, 0, GETNCNT));
  NUM("not enough", op(id, 0, 1, 0));
  NUM("still", semctl(id, 0, GETNCNT));
  NUM("enough", op(id, 0, 1, 0));
  NUM("it has them at once", get(id, 0));
  YES("its pid", semctl(id, 0, GETPID) == a);
  ERR("nothing left", op(id, 0, -1, IPC_NOWAIT));
  say("child: %s", wait_text(a));
  set(id, 1, 1);
  a = fork();
  if (a == 0) _exit(op(id, 1, 0, 0) == 0 ? 12 : errno);
  wait_count(id, 1, GETZCNT, 1);
  NUM("waits for zero", semctl(id, 1, GETZCNT));
  op(id, 1, -1, 0);
  say("child: %s", wait_text(a));
  /* In the order of coming, and those that can first */
  pid_t first = fork();
  if (first == 0) _exit(op(id, 0, -3, 0) == 0 ? 13 : 99);
  wait_count(id, 0, GETNCNT, 1);
  pid_t second = fork();
  if (second == 0) _exit(op(id, 0, -1, 0) == 0 ? 14 : 99);
  wait_count(id, 0, GETNCNT, 2);
  op(id, 0, 1, 0);
  say("second: %s", wait_text(second));
  NUM("one waits", semctl(id, 0, GETNCNT));
  set(id, 0, 3);
  say("first: %s", wait_text(first));
  NUM("value", get(id, 0));
  /* Removal */
  a = fork();
  if (a == 0) { int r = op(id, 0, -1, 0); _exit(r == -1 && errno == EIDRM ? 15 : 99); }
  wait_count(id, 0, GETNCNT, 1);
  semctl(id, 0, IPC_RMID);
  say("removed: %s", wait_text(a));
  /* A waiter that is killed is no more */
  id = semget(IPC_PRIVATE, 1, 0600);
  a = fork();
  if (a == 0) _exit(op(id, 0, -1, 0));
  wait_count(id, 0, GETNCNT, 1);
  kill(a, SIGKILL);
  say("killed: %s", wait_text(a));
  NUM("nobody waits", semctl(id, 0, GETNCNT));
  op(id, 0, 1, 0);
  NUM("value", get(id, 0));
  semctl(id, 0, IPC_RMID);
}

static void undoing(void) {
  int id = semget(IPC_PRIVATE, 2, 0600);
  set(id, 0, 5);
  IN_CHILD("undoes at exit", { op(id, 0, -3, SEM_UNDO); op(id, 1, 4, SEM_UNDO); op(id, 1, 1, 0); say("in child %d %d", get(id, 0), get(id, 1)); });
  say("after %d %d", get(id, 0), get(id, 1));
  IN_CHILD("never below zero", { op(id, 1, 3, SEM_UNDO); set(id, 0, 5); op(id, 1, -4, 0); });
  say("after %d %d", get(id, 0), get(id, 1));
  IN_CHILD("set forgets", { op(id, 0, -2, SEM_UNDO); set(id, 0, 3); });
  say("after %d", get(id, 0));
  IN_CHILD("not inherited", { op(id, 0, -2, SEM_UNDO); IN_CHILD("inner", { (void)0; }); say("still %d", get(id, 0)); });
  say("after %d", get(id, 0));
  set(id, 0, 0);
  pid_t a = fork();
  if (a == 0) {
    op(id, 0, 1, SEM_UNDO);
    op(id, 1, 1, 0);
    op(id, 1, 0, 0);
    _exit(0);
  }
  op(id, 1, -1, 0);
  say("child: %s", wait_text(a));
  NUM("taken back", get(id, 0));
  semctl(id, 0, IPC_RMID);
}

static void rights(void) {
  int id = semget(IPC_PRIVATE, 1, 0604);
  IN_CHILD("stranger", {
    if (setgroups(0, NULL) != 0 || setgid(1234) != 0 || setuid(1234) != 0) _exit(9);
    NUM("value", get(id, 0));
    ERR("set", set(id, 0, 1));
    ERR("up", op(id, 0, 1, 0));
    ERR("zero", op(id, 0, 0, IPC_NOWAIT));
    ERR("remove", semctl(id, 0, IPC_RMID));
    ERR("change", (stat_of(id), semctl(id, 0, IPC_SET, (union arg){.buf = &ds})));
  });
  FILE *f = fopen("/proc/sysvipc/sem", "r");
  char line[256];
  long key, semid, nsems;
  unsigned mode;
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "%ld %ld %o %ld", &key, &semid, &mode, &nsems) == 4 && semid == id)
      say("row: mode %o nsems %ld, line of %ld", mode, nsems, (long)strlen(line));
  fclose(f);
  f = fopen("/proc/sys/kernel/sem", "r");
  if (fgets(line, sizeof line, f)) say("sysctl %s", strtok(line, "\n"));
  fclose(f);
  semctl(id, 0, IPC_RMID);
}

int main(void) {
  unshare(CLONE_NEWIPC);
  say("-- get");
  getting();
  say("-- operate");
  operating();
  say("-- wait");
  waiting();
  say("-- undo");
  undoing();
  say("-- rights");
  rights();
  return 0;
}
