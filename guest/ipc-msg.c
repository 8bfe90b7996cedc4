/* System V message queues: kinds, sizes, waiting, errors. */
#include "check.h"
#include <grp.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif
#define KEY 0x5fa17021
#ifndef MSG_STAT
#define MSG_STAT 11
#define MSG_INFO 12
#endif

static struct { long type; char text[9000]; } m;
static struct msqid_ds ds;
static int snd(int id, long type, const char *text, int flags) {
  m.type = type;
  memcpy(m.text, text, strlen(text) + 1);
  return msgsnd(id, &m, strlen(text), flags);
}
static void rcv(const char *what, int id, size_t size, long type, int flags) {
  memset(&m, 0, sizeof m);
  long n = msgrcv(id, &m, size, type, flags);
  if (n == -1) say("%s: %s", what, errno == ENOMSG ? "ENOMSG" : err_name(errno));
  else say("%s: %ld of type %ld: %s", what, n, m.type, m.text);
}
static int stat_of(int id) { return msgctl(id, IPC_STAT, &ds); }

static void queues(void) {
  ERR("no such key", msgget(KEY, 0600));
  int id = msgget(KEY, IPC_CREAT | 0640);
  YES("made", id >= 0);
  YES("again", msgget(KEY, 0) == id);
  ERR("exclusive", msgget(KEY, IPC_CREAT | IPC_EXCL));
  NUM("stat", stat_of(id));
  say("mode %o messages %ld bytes %ld", ds.msg_perm.mode, (long)ds.msg_qnum, (long)ds.msg_qbytes);
  YES("times", ds.msg_stime == 0 && ds.msg_rtime == 0 && ds.msg_ctime != 0);
  NUM("send", snd(id, 5, "five", 0));
  NUM("send", snd(id, 3, "three", 0));
  NUM("send", snd(id, 5, "five again", 0));
  NUM("send", snd(id, 9, "", 0));
  stat_of(id);
  say("messages %ld, sender %s", (long)ds.msg_qnum, ds.msg_lspid == getpid() ? "me" : "other");
  rcv("copy", id, 100, 1, MSG_COPY | IPC_NOWAIT);
  rcv("copy beyond", id, 100, 9, MSG_COPY | IPC_NOWAIT);
  rcv("copy may not wait", id, 100, 1, MSG_COPY);
  rcv("too small", id, 2, 5, 0);
  rcv("cut", id, 2, 5, MSG_NOERROR);
  rcv("of one kind", id, 100, 9, 0);
  rcv("lowest", id, 100, -6, 0);
  rcv("all but five", id, 100, 5, MSG_EXCEPT | IPC_NOWAIT);
  rcv("any", id, 100, 0, 0);
  rcv("empty", id, 100, 0, IPC_NOWAIT);
  rcv("no such kind", id, 100, 77, IPC_NOWAIT);
  stat_of(id);
  say("messages %ld, receiver %s", (long)ds.msg_qnum, ds.msg_lrpid == getpid() ? "me" : "other");
  ERR("kind 0", snd(id, 0, "x", 0));
  ERR("kind -1", snd(id, -1, "x", 0));
  m.type = 1;
  ERR("too long", msgsnd(id, &m, 8193, 0));
  ERR("nowhere", msgsnd(id, (void *)8, 1, 0));
  ERR("bad id", msgsnd(-1, &m, 1, 0));
  NUM("longest", msgsnd(id, &m, 8192, 0));
  NUM("another", msgsnd(id, &m, 8192, 0));
  ERR("full", msgsnd(id, &m, 1, IPC_NOWAIT));
  stat_of(id);
  ds.msg_qbytes = 10000;
  NUM("less room", msgctl(id, IPC_SET, &ds));
  NUM("out", msgrcv(id, &m, 8192, 0, 0));
  ERR("still full", msgsnd(id, &m, 1809, IPC_NOWAIT));
  NUM("just fits", msgsnd(id, &m, 1808, IPC_NOWAIT));
  struct msginfo info;
  YES("info", msgctl(0, IPC_INFO, (void *)&info) >= 0);
  say("%d %d %d %d %d %d %d", info.msgpool, info.msgmap, info.msgmax, info.msgmnb, info.msgmni, info.msgssz, info.msgtql);
  int top = msgctl(0, MSG_INFO, (void *)&info), found = 0;
  say("queues %s, messages %s, bytes %s", info.msgpool >= 1 ? "yes" : "no", info.msgmap >= 2 ? "yes" : "no", info.msgtql >= 10000 ? "yes" : "no");
  for (int i = 0; i <= top; i++) if (msgctl(i, MSG_STAT, &ds) == id) found = 1;
  YES("by index", found);
  FILE *f = fopen("/proc/sysvipc/msg", "r");
  char line[256];
  long key, msqid, bytes, count;
  unsigned mode;
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "%ld %ld %o %ld %ld", &key, &msqid, &mode, &bytes, &count) == 5 && msqid == id)
      say("row: mode %o bytes %ld messages %ld, line of %ld", mode, bytes, count, (long)strlen(line));
  fclose(f);
  ERR("bad command", msgctl(id, 99, &ds));
  NUM("remove", msgctl(id, IPC_RMID, NULL));
  ERR("removed", snd(id, 1, "x", 0));
  rcv("removed", id, 10, 0, 0);
}

static void waiting(void) {
  int id = msgget(IPC_PRIVATE, 0600), done[2];
  MUST(pipe(done));
  pid_t a = fork();
  if (a == 0) {
    rcv("child", id, 100, 7, 0);
    _exit(0);
  }
  snd(id, 6, "not for it", 0);
  snd(id, 7, "for it", 0);
  say("child: %s", wait_text(a));
  rcv("left", id, 100, 0, IPC_NOWAIT);
  a = fork();
  if (a == 0) {
    for (int i = 0; i < 4; i++) { m.type = 1; if (msgsnd(id, &m, 8000, 0) != 0) _exit(1); }
    _exit(0);
  }
  for (int i = 0; i < 4; i++) NUM("received", msgrcv(id, &m, 8000, 1, 0));
  say("sender: %s", wait_text(a));
  a = fork();
  if (a == 0) { int r = (int)msgrcv(id, &m, 10, 0, 0); _exit(r == -1 && errno == EIDRM ? 15 : errno); }
  sleep_ms(100);
  msgctl(id, IPC_RMID, NULL);
  const char *ended = wait_text(a); /* EINVAL where the child came too late */
  YES("removed while it waited", !strcmp(ended, "exit 15") || !strcmp(ended, "exit 22"));
}

static volatile sig_atomic_t rang;
static void ring(int sig) { rang = sig; }
static void signals(void) {
  int id = msgget(IPC_PRIVATE, 0600);
  struct sigaction action = {0};
  action.sa_handler = ring;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  ualarm(20000, 0);
  rcv("interrupted", id, 10, 0, 0);
  YES("by it", rang == SIGALRM);
  IN_CHILD("stranger", {
    if (setgroups(0, NULL) != 0 || setgid(1234) != 0 || setuid(1234) != 0) _exit(9);
    ERR("send", snd(id, 1, "x", 0));
    rcv("receive", id, 10, 0, IPC_NOWAIT);
    ERR("stat", stat_of(id));
    ERR("remove", msgctl(id, IPC_RMID, NULL));
  });
  msgctl(id, IPC_RMID, NULL);
}

int main(void) {
  unshare(CLONE_NEWIPC);
  say("-- queues");
  queues();
  say("-- waiting");
  waiting();
  say("-- signals");
  signals();
  return 0;
}
