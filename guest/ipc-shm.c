/* System V shared memory: every call, flag and error; maps; nattch; deletion; /proc/sysvipc/shm; sysctls. */
#include "check.h"
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
#define KEY 0x5fa17001

static struct shmid_ds ds;
static long nattch(int id) { return shmctl(id, IPC_STAT, &ds) == -1 ? -1 : (long)ds.shm_nattch; }
static long perms(int id) { return shmctl(id, IPC_STAT, &ds) == -1 ? -1 : (long)ds.shm_perm.mode; }

static void show_perm(const char *what, int id) {
  MUST(shmctl(id, IPC_STAT, &ds));
  say("%s: size %ld mode %o nattch %ld uid %d gid %d cuid %d cgid %d", what, (long)ds.shm_segsz, ds.shm_perm.mode,
      (long)ds.shm_nattch, ds.shm_perm.uid, ds.shm_perm.gid, ds.shm_perm.cuid, ds.shm_perm.cgid);
}
/* The row of /proc/sysvipc/shm for an id: key is ours, perms, size, nattch, rss. */
static void show_row(const char *what, int id) {
  char line[512];
  FILE *f = fopen("/proc/sysvipc/shm", "r");
  if (!fgets(line, sizeof line, f)) return;
  int seen = 0;
  while (fgets(line, sizeof line, f)) {
    long key, shmid, size, cpid, lpid, n, uid, gid, cuid, cgid, a, d, c, rss, swap;
    unsigned mode;
    if (sscanf(line, "%ld %ld %o %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld", &key, &shmid, &mode, &size, &cpid, &lpid,
               &n, &uid, &gid, &cuid, &cgid, &a, &d, &c, &rss, &swap) != 16 || shmid != id) continue;
    seen = 1;
    say("%s: mode %o size %ld nattch %ld rss %ld swap %ld, creator %s, line of %ld", what, mode, size, n, rss, swap,
        cpid == getpid() ? "me" : "other", (long)strlen(line));
  }
  if (!seen) say("%s: no row", what);
  fclose(f);
}
static int write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  int r = fd < 0 ? -1 : (int)write(fd, text, strlen(text));
  int e = errno;
  close(fd);
  errno = e;
  return r;
}
static void show_sysctl(const char *name) {
  char path[64], text[64] = "";
  snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
  int fd = open(path, O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n > 0) text[n - 1] = 0;
  say("%s %s", name, text);
}

static void getting(void) {
  ERR("no such key", shmget(KEY, PG, 0600));
  ERR("size 0", shmget(KEY, 0, IPC_CREAT | 0600));
  ERR("size above shmmax", shmget(KEY, ~0UL, IPC_CREAT | 0600));
  ERR("size above shmall", shmget(KEY, ~0UL - (1UL << 25), IPC_CREAT | 0600));
  int id = shmget(KEY, 3 * PG - 5, IPC_CREAT | 0640);
  YES("made", id >= 0);
  show_perm("new", id);
  YES("key", ds.shm_perm.__key == KEY);
  YES("times", ds.shm_atime == 0 && ds.shm_dtime == 0 && ds.shm_ctime != 0);
  YES("pids", ds.shm_cpid == getpid() && ds.shm_lpid == 0);
  YES("again", shmget(KEY, 0, 0) == id);
  YES("smaller", shmget(KEY, PG, IPC_CREAT) == id);
  ERR("exclusive", shmget(KEY, PG, IPC_CREAT | IPC_EXCL | 0600));
  ERR("larger", shmget(KEY, 3 * PG, 0));
  YES("exclusive without create", shmget(KEY, PG, IPC_EXCL) == id);
  int other = shmget(IPC_PRIVATE, PG, 0600), third = shmget(IPC_PRIVATE, PG, 0600);
  YES("private ones differ", other != third && other != id);
  NUM("remove", shmctl(other, IPC_RMID, NULL));
  ERR("removed", shmctl(other, IPC_STAT, &ds));
  ERR("removed twice", shmctl(other, IPC_RMID, NULL));
  ERR("attach removed", shmat(other, NULL, 0));
  NUM("remove", shmctl(third, IPC_RMID, NULL));
  ERR("negative id", shmctl(-1, IPC_STAT, &ds));
  ERR("bad command", shmctl(id, 99, &ds));
  ERR("stat nowhere", shmctl(id, IPC_STAT, (void *)8));
  ERR("set nowhere", shmctl(id, IPC_SET, (void *)8));
  ds.shm_perm.mode = 0777;
  ds.shm_perm.uid = 11;
  ds.shm_perm.gid = 12;
  NUM("set", shmctl(id, IPC_SET, &ds));
  show_perm("after set", id);
  /* By index */
  struct shminfo limits;
  int top = shmctl(0, IPC_INFO, (void *)&limits);
  YES("highest index", top >= 0);
  say("limits: shmmin %ld shmmni %ld shmseg %ld", (long)limits.shmmin, (long)limits.shmmni, (long)limits.shmseg);
  YES("shmmax", limits.shmmax == ~0UL - (1UL << 24));
  YES("shmall", limits.shmall == ~0UL - (1UL << 24));
  int found = -1;
  for (int i = 0; i <= top; i++) {
    int got = shmctl(i, SHM_STAT, &ds);
    if (got == id) found = i;
  }
  YES("SHM_STAT finds it", found >= 0);
  YES("SHM_STAT_ANY", shmctl(found, SHM_STAT_ANY, &ds) == id);
  ERR("SHM_STAT beyond", shmctl(32760, SHM_STAT, &ds));
  struct shm_info info;
  YES("SHM_INFO", shmctl(0, SHM_INFO, (void *)&info) == top);
  YES("counts", info.used_ids >= 1 && info.shm_tot >= 3);
  ERR("SHM_INFO nowhere", shmctl(0, SHM_INFO, (void *)8));
  NUM("remove", shmctl(id, IPC_RMID, NULL));
  ERR("key is free", shmget(KEY, PG, 0600));
}

static void attaching(void) {
  int id = shmget(IPC_PRIVATE, 3 * PG - 5, 0600);
  char *p = shmat(id, NULL, 0);
  YES("attached", p != (void *)-1);
  show_maps("maps", p, 3);
  NUM("nattch", nattch(id));
  YES("attach time", ds.shm_atime != 0 && ds.shm_dtime == 0 && ds.shm_lpid == getpid());
  strcpy(p, "hello");
  p[3 * PG - 1] = 'e';
  char *q = shmat(id, NULL, SHM_RDONLY);
  say("second sees %s", q);
  show_maps("read-only", q, 3);
  WRITES("read-only", q);
  ERR("make it writable", mprotect(q, PG, PROT_READ | PROT_WRITE));
  NUM("nattch", nattch(id));
  show_row("row", id);
  ERR("detach inside", shmdt(p + PG));
  ERR("detach unaligned", shmdt(p + 1));
  NUM("detach", shmdt(q));
  ERR("detach again", shmdt(q));
  NUM("nattch", nattch(id));
  YES("detach time", ds.shm_dtime != 0);
  /* Addresses */
  char *place = reserve(8);
  ERR("place taken", shmat(id, place, 0));
  ERR("unaligned", shmat(id, place + 8, 0));
  ERR("remap without address", shmat(id, NULL, SHM_REMAP));
  YES("remap", shmat(id, place, SHM_REMAP) == place);
  show_maps("remapped", place, 8);
  YES("rounded", shmat(id, place + 4 * PG + 77, SHM_RND | SHM_REMAP) == place + 4 * PG);
  show_maps("rounded", place, 8);
  NUM("nattch", nattch(id));
  say("there: %s %s", place, place + 4 * PG);
  NUM("detach", shmdt(place));
  show_maps("hole", place, 8);
  ERR("too high", shmat(id, (void *)(1UL << 62), 0));
  YES("executable", shmat(id, place, SHM_EXEC | SHM_RDONLY) == (void *)-1 ? errno == EACCES : 1);
  shmdt(place);
  /* Splits count */
  long before = nattch(id);
  MUST(mprotect(place + 5 * PG, PG, PROT_READ));
  NUM("after a split", nattch(id) - before);
  show_maps("split", place, 8);
  MUST(mprotect(place + 5 * PG, PG, PROT_READ | PROT_WRITE));
  NUM("after unsplit", nattch(id) - before);
  show_maps("unsplit", place, 8);
  MUST(munmap(place + 5 * PG, PG));
  NUM("after a hole", nattch(id) - before);
  NUM("detach the rest", shmdt(place + 4 * PG));
  NUM("all gone", nattch(id) - before);
  show_maps("after", place, 8);
  /* Removal while attached */
  NUM("remove", shmctl(id, IPC_RMID, NULL));
  NUM("mode says so", perms(id) == -1 ? -1 : (perms(id) & 01000) != 0);
  YES("key is private now", ds.shm_perm.__key == IPC_PRIVATE);
  show_row("row", id);
  char *late = shmat(id, NULL, 0);
  YES("attach after removal", late != (void *)-1);
  show_maps("maps", p, 3);
  if (late != (void *)-1) NUM("detach", shmdt(late));
  NUM("still there", nattch(id));
  NUM("last detach", shmdt(p));
  ERR("gone", shmctl(id, IPC_STAT, &ds));
  show_row("row", id);
  ERR("detach after", shmdt(p));
}

static void processes(void) {
  int id = shmget(IPC_PRIVATE, PG, 0600);
  char *p = shmat(id, NULL, 0);
  IN_CHILD("fork", {
    NUM("in child", nattch(id));
    strcpy(p, "from child");
    shmdt(p);
    NUM("child detached", nattch(id));
    YES("last pid is the child", ds.shm_lpid == getpid());
  });
  say("parent reads %s", p);
  NUM("after exit", nattch(id));
  IN_CHILD("exit detaches", { (void)0; });
  NUM("after exit", nattch(id));
  IN_CHILD("removed in the child", { shmctl(id, IPC_RMID, NULL); });
  NUM("still", nattch(id));
  strcpy(p, "alive");
  char *moved = mremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, reserve(1));
  say("moved: %s", moved);
  NUM("nattch", nattch(id));
  show_maps("moved", moved, 1);
  ERR("detach old", shmdt(p));
  NUM("detach moved", shmdt(moved));
  ERR("gone", shmctl(id, IPC_STAT, &ds));
}

static void rights(void) {
  int id = shmget(KEY + 1, PG, IPC_CREAT | 0640);
  int open_to_all = shmget(KEY + 2, PG, IPC_CREAT | 0604);
  IN_CHILD("stranger", {
    if (setgroups(0, NULL) != 0 || setgid(1234) != 0 || setuid(1234) != 0) _exit(9);
    ERR("get without asking", shmget(KEY + 1, PG, 0));
    ERR("get to read", shmget(KEY + 1, PG, 0400));
    ERR("stat", shmctl(id, IPC_STAT, &ds));
    ERR("attach", shmat(id, NULL, SHM_RDONLY));
    ERR("attach to write", shmat(open_to_all, NULL, 0));
    ERR("attach to read", shmat(open_to_all, NULL, SHM_RDONLY));
    ERR("attach to execute", shmat(open_to_all, NULL, SHM_RDONLY | SHM_EXEC));
    ERR("get to read", shmget(KEY + 2, PG, 0444));
    ERR("get to write", shmget(KEY + 2, PG, 0222));
    ERR("remove", shmctl(id, IPC_RMID, NULL));
    ERR("set", shmctl(id, IPC_SET, &ds));
    ERR("lock", shmctl(id, SHM_LOCK, NULL));
    int own = shmget(IPC_PRIVATE, PG, 0);
    ERR("own without rights", shmat(own, NULL, SHM_RDONLY));
    ERR("stat own", shmctl(own, IPC_STAT, &ds));
    ERR("lock own", shmctl(own, SHM_LOCK, NULL));
    ERR("remove own", shmctl(own, IPC_RMID, NULL));
  });
  IN_CHILD("group", {
    if (setresgid(0, 0, 0) != 0 || setuid(1234) != 0) _exit(9);
    ERR("read", shmat(id, NULL, SHM_RDONLY));
    ERR("write", shmat(id, NULL, 0));
  });
  NUM("lock", shmctl(id, SHM_LOCK, NULL));
  say("mode %lo", perms(id));
  NUM("lock again", shmctl(id, SHM_LOCK, NULL));
  NUM("unlock", shmctl(id, SHM_UNLOCK, NULL));
  say("mode %lo", perms(id));
  NUM("unlock again", shmctl(id, SHM_UNLOCK, NULL));
  shmctl(id, IPC_RMID, NULL);
  shmctl(open_to_all, IPC_RMID, NULL);
  id = shmget(IPC_PRIVATE, PG, SHM_NORESERVE | 0600);
  YES("no reserve", id >= 0);
  say("mode %lo", perms(id));
  shmctl(id, IPC_RMID, NULL);
}

static void sysctls(void) {
  show_sysctl("shmmax");
  show_sysctl("shmall");
  show_sysctl("shmmni");
  show_sysctl("shm_rmid_forced");
  show_sysctl("shm_next_id");
  ERR("shmmax", write_text("/proc/sys/kernel/shmmax", "8192"));
  ERR("within", shmctl(shmget(IPC_PRIVATE, 8192, 0600), IPC_RMID, NULL));
  ERR("beyond", shmget(IPC_PRIVATE, 8193, 0600));
  write_text("/proc/sys/kernel/shmmax", "18446744073692774399");
  show_sysctl("shmmax");
  write_text("/proc/sys/kernel/shmall", "2");
  ERR("beyond shmall", shmget(IPC_PRIVATE, 3 * PG, 0600));
  write_text("/proc/sys/kernel/shmall", "18446744073692774399");
  write_text("/proc/sys/kernel/shmmni", "1");
  int id = shmget(IPC_PRIVATE, PG, 0600);
  ERR("beyond shmmni", shmget(IPC_PRIVATE, PG, 0600));
  write_text("/proc/sys/kernel/shmmni", "4096");
  ERR("shmmni too large", write_text("/proc/sys/kernel/shmmni", "100000"));
  ERR("shm_rmid_forced 2", write_text("/proc/sys/kernel/shm_rmid_forced", "2"));
  /* Forced removal: of those that nobody has attached and whose maker is gone. */
  int left = -1, p[2];
  MUST(pipe(p));
  IN_CHILD("maker", {
    left = shmget(IPC_PRIVATE, PG, 0600);
    if (write(p[1], &left, sizeof left) < 0) _exit(1);
  });
  if (read(p[0], &left, sizeof left) < 0) return;
  ERR("left behind", shmctl(left, IPC_STAT, &ds));
  NUM("forced", write_text("/proc/sys/kernel/shm_rmid_forced", "1"));
  ERR("orphan", shmctl(left, IPC_STAT, &ds));
  ERR("mine", shmctl(id, IPC_STAT, &ds));
  char *a = shmat(id, NULL, 0);
  NUM("last detach", shmdt(a));
  ERR("mine, detached", shmctl(id, IPC_STAT, &ds));
  IN_CHILD("maker", {
    left = shmget(IPC_PRIVATE, PG, 0600);
    if (write(p[1], &left, sizeof left) < 0) _exit(1);
  });
  if (read(p[0], &left, sizeof left) < 0) return;
  ERR("removed at its exit", shmctl(left, IPC_STAT, &ds));
  write_text("/proc/sys/kernel/shm_rmid_forced", "0");
}

int main(void) {
  /* A namespace of our own where that can be had: nobody else's segments, and sysctls that are ours. */
  unshare(CLONE_NEWIPC);
  say("-- get");
  getting();
  say("-- attach");
  attaching();
  say("-- processes");
  processes();
  say("-- rights");
  rights();
  say("-- sysctl");
  sysctls();
  return 0;
}
