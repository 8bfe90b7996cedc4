/* System V shared memory: every flag and command of shmget, shmctl and shmat that sharing.c has not. */
#include "conform.h"
#include <grp.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#ifndef SHM_NORESERVE
#define SHM_NORESERVE 010000
#endif
static struct shmid_ds ds;
static int own(void) { return unshare(CLONE_NEWIPC); }
static int made(size_t bytes, int flags) { int id = shmget(IPC_PRIVATE, bytes, flags | 0600); MUST(id); return id; }

CASE("shmget", "IPC_CREAT", "makes what is not there, finds what is") {
  MUST(own());
  ERR("not there", shmget(77, PG, 0600));
  int id = shmget(77, PG, IPC_CREAT | 0600);
  YES("made", id >= 0);
  YES("the same", shmget(77, PG, IPC_CREAT | 0600) == id);
  YES("without it", shmget(77, 0, 0) == id);
  YES("smaller", shmget(77, 100, 0600) == id);
  ERR("larger", shmget(77, PG + 1, 0600));
  shmctl(id, IPC_RMID, NULL);
}
CASE("shmget", "IPC_EXCL", "EEXIST") {
  MUST(own());
  int id = shmget(77, PG, IPC_CREAT | IPC_EXCL | 0600);
  YES("made", id >= 0);
  ERR("again", shmget(77, PG, IPC_CREAT | IPC_EXCL | 0600));
  YES("alone it says nothing", shmget(77, PG, IPC_EXCL | 0600) == id);
  ERR("before the size is looked at", shmget(77, 9 * PG, IPC_CREAT | IPC_EXCL));
  shmctl(id, IPC_RMID, NULL);
  ERR("removed", shmget(77, PG, 0600));
}
CASE("shmget", "IPC_PRIVATE", "another one each time") {
  MUST(own());
  int a = made(PG, 0), b = made(PG, IPC_EXCL);
  YES("two", a != b);
  shmctl(a, IPC_RMID, NULL);
  int c = made(PG, 0);
  YES("an id is not used again soon", c != a && c != b);
  ERR("the old id", shmctl(a, IPC_STAT, &ds));
}
CASE("shmget", "EACCES", "rights of owner, group and others") {
  MUST(own());
  int id = shmget(77, PG, IPC_CREAT | 0640), open = shmget(78, PG, IPC_CREAT | 0604);
  IN_CHILD("nobody", {
    MUST(setgroups(0, NULL));
    drop_root();
    ERR("reads", shmget(77, PG, 0400));
    YES("asks for nothing", shmget(77, PG, 0) == id);
    ERR("attach", shmat(id, NULL, SHM_RDONLY) == (void *)-1 ? -1 : 0);
    YES("reads the other", shmget(78, PG, 0444) == open);
    ERR("writes the other", shmget(78, PG, 0666));
    ERR("attach to read", shmat(open, NULL, SHM_RDONLY) == (void *)-1 ? -1 : 0);
    ERR("attach to write", shmat(open, NULL, 0) == (void *)-1 ? -1 : 0);
    ERR("attach to execute", shmat(open, NULL, SHM_RDONLY | SHM_EXEC) == (void *)-1 ? -1 : 0);
    ERR("IPC_STAT", shmctl(id, IPC_STAT, &ds));
    ERR("IPC_STAT of the other", shmctl(open, IPC_STAT, &ds));
    ERR("IPC_RMID", shmctl(open, IPC_RMID, NULL));
    ERR("IPC_SET", shmctl(open, IPC_SET, &ds));
    ERR("SHM_LOCK", shmctl(open, SHM_LOCK, NULL));
  });
}
CASE("shmget", "SHM_HUGETLB", "sizes of page that there are not") {
  MUST(own());
  ERR("8 KiB", shmget(IPC_PRIVATE, 1 << 20, SHM_HUGETLB | (13 << 26) | IPC_CREAT | 0600));
  ERR("4 MiB", shmget(IPC_PRIVATE, 1 << 20, SHM_HUGETLB | (22 << 26) | IPC_CREAT | 0600));
}
CASE("shmctl", "IPC_STAT", "what there is to know") {
  MUST(own());
  int id = made(3 * PG + 5, 0);
  MUST(shmctl(id, IPC_STAT, &ds));
  say("mode %o size %lu attached %lu", ds.shm_perm.mode, (unsigned long)ds.shm_segsz, (unsigned long)ds.shm_nattch);
  YES("made by me", ds.shm_cpid == getpid() && ds.shm_lpid == 0);
  YES("times", ds.shm_atime == 0 && ds.shm_dtime == 0 && ds.shm_ctime != 0);
  YES("ids", ds.shm_perm.uid == getuid() && ds.shm_perm.cuid == getuid() && ds.shm_perm.gid == getgid());
  char *p = shmat(id, NULL, 0);
  MUST(shmctl(id, IPC_STAT, &ds));
  YES("attached", ds.shm_nattch == 1 && ds.shm_lpid == getpid() && ds.shm_atime != 0);
  shmdt(p);
  MUST(shmctl(id, IPC_STAT, &ds));
  YES("detached", ds.shm_nattch == 0 && ds.shm_dtime != 0);
  ERR("no room", shmctl(id, IPC_STAT, (struct shmid_ds *)8));
  ERR("no id", shmctl(id + 1, IPC_STAT, &ds));
}
CASE("shmctl", "IPC_SET", "owner and rights, nothing else") {
  MUST(own());
  int id = made(PG, 0);
  MUST(shmctl(id, IPC_STAT, &ds));
  ds.shm_perm.uid = 1234;
  ds.shm_perm.gid = 2345;
  ds.shm_perm.mode = 07444;
  ds.shm_segsz = 1;
  RESULT("set", shmctl(id, IPC_SET, &ds));
  memset(&ds, 0, sizeof ds);
  MUST(shmctl(id, IPC_STAT, &ds));
  say("uid %u gid %u mode %o size %lu", ds.shm_perm.uid, ds.shm_perm.gid, ds.shm_perm.mode, (unsigned long)ds.shm_segsz);
  YES("maker", ds.shm_perm.cuid == getuid());
  ERR("nowhere", shmctl(id, IPC_SET, (struct shmid_ds *)8));
  ds.shm_perm.uid = (uid_t)-1;
  ERR("no user", shmctl(id, IPC_SET, &ds));
}
CASE("shmctl", "IPC_RMID", "SHM_DEST while it is attached; the key goes at once") {
  MUST(own());
  int id = shmget(77, PG, IPC_CREAT | 0600);
  char *p = shmat(id, NULL, 0);
  RESULT("remove", shmctl(id, IPC_RMID, NULL));
  MUST(shmctl(id, IPC_STAT, &ds));
  say("mode %o", ds.shm_perm.mode);
  ERR("the key", shmget(77, PG, 0600));
  char *q = shmat(id, NULL, 0);
  YES("may be attached still", q != (void *)-1);
  RESULT("remove again", shmctl(id, IPC_RMID, NULL));
  shmdt(p);
  MUST(shmctl(id, IPC_STAT, &ds));
  NUM("attached", ds.shm_nattch);
  shmdt(q);
  ERR("gone", shmctl(id, IPC_STAT, &ds));
  ERR("remove what is gone", shmctl(id, IPC_RMID, NULL));
}
CASE("shmctl", "IPC_INFO", "limits; SHM_INFO: what is in use; SHM_STAT and SHM_STAT_ANY by index") {
  MUST(own());
  struct shminfo limits;
  struct shm_info { int used; unsigned long tot, rss, swp, attempts, successes; } use;
  int id = made(5 * PG, 0), two = made(2 * PG, 0), top = shmctl(0, IPC_INFO, (struct shmid_ds *)&limits);
  NUM("highest index", top);
  say("max %lx min %lu mni %lu seg %lu all %lx", limits.shmmax, limits.shmmin, limits.shmmni, limits.shmseg, limits.shmall);
  char *p = shmat(id, NULL, 0);
  p[0] = p[PG] = 1;
  NUM("SHM_INFO", shmctl(0, SHM_INFO, (struct shmid_ds *)&use));
  say("used %d tot %lu rss %lu", use.used, use.tot, use.rss);
  int found = 0;
  for (int i = 0; i <= top; i++) if (shmctl(i, SHM_STAT, &ds) == id) found++;
  for (int i = 0; i <= top; i++) if (shmctl(i, SHM_STAT_ANY, &ds) == two) found++;
  NUM("found", found);
  ERR("no index", shmctl(500, SHM_STAT, &ds));
  ERR("no command", shmctl(id, 99, &ds));
  ERR("negative", shmctl(-1, IPC_STAT, &ds));
}
CASE("shmctl", "SHM_LOCK", "pages of a user count against RLIMIT_MEMLOCK, in all its processes") {
  MUST(own());
  limit(RLIMIT_MEMLOCK, 8 * PG);
  drop_root();
  int a = made(5 * PG, 0), b = made(3 * PG, 0), c = made(1, 0);
  RESULT("5 pages", shmctl(a, SHM_LOCK, NULL));
  RESULT("again", shmctl(a, SHM_LOCK, NULL));
  MUST(shmctl(a, IPC_STAT, &ds));
  say("mode %o", ds.shm_perm.mode);
  RESULT("3 more", shmctl(b, SHM_LOCK, NULL));
  RESULT("1 more", shmctl(c, SHM_LOCK, NULL));
  IN_CHILD("child", RESULT("1 more", shmctl(c, SHM_LOCK, NULL)));
  RESULT("unlock 3", shmctl(b, SHM_UNLOCK, NULL));
  RESULT("unlock again", shmctl(b, SHM_UNLOCK, NULL));
  MUST(shmctl(b, IPC_STAT, &ds));
  say("mode %o", ds.shm_perm.mode);
  RESULT("1 more", shmctl(c, SHM_LOCK, NULL));
  RESULT("3 more", shmctl(b, SHM_LOCK, NULL));
  RESULT("remove 5", shmctl(a, IPC_RMID, NULL));
  RESULT("3 more", shmctl(b, SHM_LOCK, NULL));
  char *p = kmmap(NULL, 8 * PG, RW, ANON, -1, 0);
  RESULT("mlock has an account of its own", kmlock(p, 8 * PG));
  shmctl(b, IPC_RMID, NULL);
  shmctl(c, IPC_RMID, NULL);
  limit(RLIMIT_MEMLOCK, 0);
  ERR("with a limit of 0", shmctl(made(PG, 0), SHM_LOCK, NULL));
}
CASE("shmat", "ENOMEM", "RLIMIT_AS; a mapping that is locked for all that comes (MCL_FUTURE)") {
  MUST(own());
  int id = made(64L << 20, SHM_NORESERVE);
  struct rlimit old;
  getrlimit(RLIMIT_AS, &old);
  limit(RLIMIT_AS, 48L << 20);
  ERR("too large", shmat(id, NULL, 0) == (void *)-1 ? -1 : 0);
  setrlimit(RLIMIT_AS, &old);
  int two = made(4 * PG, 0);
  MUST(kmlockall(2));
  char *p = shmat(two, NULL, 0);
  FLAGS("flags", p);
  kmunlockall();
  shmctl(id, IPC_RMID, NULL);
  shmctl(two, IPC_RMID, NULL);
}
CASE("shmdt", "", "parts, moved parts, forks and ends count") {
  MUST(own());
  int id = made(6 * PG, 0);
  char *w = reserve(20), *p = shmat(id, w, SHM_REMAP);
#define ATTACHED(what) do { MUST(shmctl(id, IPC_STAT, &ds)); say("%s: %lu", what, (unsigned long)ds.shm_nattch); } while (0)
  ATTACHED("attached");
  kmunmap(p + 2 * PG, PG);
  ATTACHED("a hole");
  kmprotect(p + 4 * PG, PG, PROT_READ);
  ATTACHED("split");
  char *q = kmremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, w + 10 * PG);
  ATTACHED("a part moved");
  q[0] = 'q';
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) { ATTACHED("child"); fflush(stdout); _exit(0); }
  waitpid(pid, NULL, 0);
  ATTACHED("after it");
  MAPS("maps", p, 11);
  RESULT("detach", shmdt(p));
  ATTACHED("left");
  MAPS("maps", p, 11);
  RESULT("detach the moved part", shmdt(q));
  RESULT("by unmapping", kmunmap(q, PG));
  ATTACHED("left");
}
CASE("fork", "shmat", "a child has the attachment until it ends") {
  MUST(own());
  int id = made(PG, 0);
  MUST(shmat(id, NULL, 0) == (void *)-1 ? -1 : 0);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) { shmctl(id, IPC_STAT, &ds); _exit((int)ds.shm_nattch); }
  int status;
  waitpid(pid, &status, 0);
  NUM("in the child", WEXITSTATUS(status));
  MUST(shmctl(id, IPC_STAT, &ds));
  NUM("after it", ds.shm_nattch);
}
