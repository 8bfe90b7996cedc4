/* System V shared memory of 2 MiB pages: SHM_HUGETLB, its reservations, alignment, fork, removal. Needs root. */
#include "text-file.h"
#include <grp.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#define HP (2L << 20)
#define RW (IPC_CREAT | 0600)
#define HUGE_2M (21 << 26)

static long field(const char *name) {
  char *at = slurp("/proc/meminfo"), key[64];
  snprintf(key, sizeof key, "\n%s:", name);
  at = strstr(at, key);
  return at ? strtol(at + strlen(key), NULL, 10) : -1;
}
static void put(const char *path, long value) {
  char number[32];
  int fd = open(path, O_WRONLY), n = snprintf(number, sizeof number, "%ld\n", value);
  MUST(write(fd, number, (size_t)n));
  close(fd);
}
static void pool(const char *when) {
  say("%s: total %ld free %ld rsvd %ld surp %ld", when, field("HugePages_Total"), field("HugePages_Free"), field("HugePages_Rsvd"), field("HugePages_Surp"));
}
static void row(const char *when, int id) {
  struct shmid_ds ds;
  MUST(shmctl(id, IPC_STAT, &ds));
  char *at = slurp("/proc/sysvipc/shm");
  long key, shmid, size, rss = -1;
  unsigned mode, u[9];
  for (char *line = strchr(at, '\n') + 1; *line; line = strchr(line, '\n') + 1)
    if (sscanf(line, "%ld %ld %o %ld %u %u %u %u %u %u %u %u %u %u %ld", &key, &shmid, &mode, &size, u, u, u, u, u, u, u, u, u, u, &rss) == 15 && shmid == id) break;
  say("%s: size %lu attached %lu mode %o rss %ld", when, (unsigned long)ds.shm_segsz, (unsigned long)ds.shm_nattch, ds.shm_perm.mode, rss);
}
static void mapped(const char *when, char *p) {
  char *at = slurp("/proc/self/smaps");
  int inside = 0;
  say("%s:", when);
  for (char *line = at, *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to;
    char perms[8], name[64] = "";
    *end = 0;
    if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %63[^\n]", &from, &to, perms, name) >= 3 && strchr(line, '-') < strchr(line, ' ')) {
      inside = (unsigned long)p >= from && (unsigned long)p < to;
      if (inside) say("  %ld huge pages %s %s", (long)(to - from) / HP, perms, name);
    } else if (inside && (!strncmp(line, "Shared_Hugetlb", 14) || !strncmp(line, "Private_Hugetlb", 15) || !strncmp(line, "KernelPageSize", 14) || !strncmp(line, "Rss", 3)))
      say("  %s", line);
  }
}

int main(void) {
  MUST(unshare(CLONE_NEWIPC));
  put("/proc/sys/vm/nr_overcommit_hugepages", 0);
  put("/proc/sys/vm/nr_hugepages", 0);
  ERR("no pool", shmget(IPC_PRIVATE, HP, SHM_HUGETLB | RW));
  put("/proc/sys/vm/nr_hugepages", 4);
  pool("pool");
  ERR("no such size", shmget(IPC_PRIVATE, HP, SHM_HUGETLB | (22 << 26) | RW));
  ERR("more than there is", shmget(IPC_PRIVATE, 5 * HP, SHM_HUGETLB | RW));
  int id = shmget(IPC_PRIVATE, HP + 5, SHM_HUGETLB | HUGE_2M | RW);
  YES("made", id >= 0);
  pool("reserved");
  row("made", id);
  char *p = shmat(id, NULL, 0);
  YES("attached on a huge page", p != (void *)-1 && (unsigned long)p % HP == 0);
  mapped("attached", p);
  p[0] = 'a';
  p[HP + 7] = 'b';
  pool("written");
  row("written", id);
  mapped("written", p);
  char *q = shmat(id, NULL, SHM_RDONLY);
  say("%c%c", q[0], q[HP + 7]);
  char *place = mmap(NULL, 6 * HP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  place = (char *)(((unsigned long)place + HP - 1) & ~(unsigned long)(HP - 1));
  ERR("over a mapping", shmat(id, place, 0) == (void *)-1 ? -1 : 0);
  ERR("on a small page", shmat(id, place + PG, SHM_REMAP) == (void *)-1 ? -1 : 0);
  YES("on a huge page", shmat(id, place, SHM_REMAP) == place);
  say("%c", place[0]);
  row("three times", id);
  IN_CHILD("child", {
    say("%c", p[0]);
    p[0] = 'c';
    row("in the child", id);
  });
  say("%c", q[0]);
  NUM("lock", shmctl(id, SHM_LOCK, NULL));
  row("locked", id);
  NUM("remove", shmctl(id, IPC_RMID, NULL));
  row("removed", id);
  NUM("detach", shmdt(p));
  NUM("detach", shmdt(place));
  say("%c", q[HP + 7]);
  NUM("detach", shmdt(q));
  pool("gone");
  id = shmget(IPC_PRIVATE, 9 * HP, SHM_HUGETLB | SHM_NORESERVE | RW);
  YES("without a reservation", id >= 0);
  p = shmat(id, NULL, 0);
  YES("nor does an attachment reserve", p != (void *)-1);
  pool("attached");
  p[HP] = 'x';
  pool("written");
  row("written", id);
  NUM("detach", shmdt(p));
  pool("detached");
  MUST(shmctl(id, IPC_RMID, NULL));
  pool("gone");
  IN_CHILD("stranger", {
    if (setgroups(0, NULL) != 0 || setgid(1234) != 0 || setuid(1234) != 0) _exit(9);
    ERR("without CAP_IPC_LOCK", shmget(IPC_PRIVATE, HP, SHM_HUGETLB | RW));
  });
  put("/proc/sys/vm/hugetlb_shm_group", 1234);
  IN_CHILD("member", {
    if (setgroups(0, NULL) != 0 || setgid(1234) != 0 || setuid(1234) != 0) _exit(9);
    int mine = shmget(IPC_PRIVATE, HP, SHM_HUGETLB | RW);
    YES("of the group", mine >= 0);
    pool("reserved");
    NUM("remove", shmctl(mine, IPC_RMID, NULL));
  });
  pool("left");
  put("/proc/sys/vm/hugetlb_shm_group", 0);
  put("/proc/sys/vm/nr_hugepages", 0);
  return 0;
}
