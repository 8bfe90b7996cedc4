/* SHM_LOCK keeps a segment in memory: its pages are unevictable and not swapped; others are, and say so. Needs root. */
#include "swaparea.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#define PAGES 64
#define LENGTH 6
static const char *const name = "swapfile-shm-lock";
static char text[1 << 16];

/* Of each page: not there, in swap, there; of those that are there, whether kpageflags calls them unevictable and mlocked. */
static void pages(const char *what, const char *at) {
  uint64_t words[LENGTH], flags;
  char line[LENGTH * 3 + 1] = "";
  int maps = open("/proc/self/pagemap", O_RDONLY), kinds = open("/proc/kpageflags", O_RDONLY);
  MUST(pread(maps, words, sizeof words, (off_t)((uintptr_t)at / PG * 8)));
  for (int i = 0; i < LENGTH; i++) {
    if (!(words[i] >> 63)) { strcat(line, words[i] >> 62 & 1 ? "s " : "- "); continue; }
    MUST(pread(kinds, &flags, 8, (off_t)((words[i] & ((1ULL << 55) - 1)) * 8)));
    strcat(line, flags >> 18 & 1 ? flags >> 33 & 1 ? "m " : "u " : "p ");
  }
  close(maps);
  close(kinds);
  say("%s: %s", what, line);
}
static void row(const char *what, int id) {
  long n = 0, got, key, shmid, size, rss = -1, swap = -1;
  unsigned mode, u[9];
  int fd = open("/proc/sysvipc/shm", O_RDONLY);
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  text[n] = 0;
  for (char *line = strchr(text, '\n') + 1; *line; line = strchr(line, '\n') + 1)
    if (sscanf(line, "%ld %ld %o %ld %u %u %u %u %u %u %u %u %u %u %ld %ld", &key, &shmid, &mode, &size, u, u, u, u, u, u, u, u, u, u, &rss, &swap) == 16 && shmid == id) break;
  say("%s: mode %o, %ld pages, %ld in swap", what, mode, rss / PG, swap / PG);
}
/* Also drains what this processor has put aside for its lists. */
static void out(char *p) {
  for (int i = 0; i < 8; i++) MUST(madvise(p, LENGTH * PG, MADV_PAGEOUT));
}
static void fill(char *p, int from, int to) { for (int i = from; i < to; i++) memset(p + i * PG, 'a' + i, PG); }
static int holds(const char *p) { for (int i = 0; i < LENGTH; i++) if (p[i * PG + 77] != 'a' + i) return 0; return 1; }

int main(void) {
  unsigned cpu = 0;
  cpu_set_t one;
  syscall(SYS_getcpu, &cpu, NULL, NULL);
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  MUST(sched_setaffinity(0, sizeof one, &one));
  MUST(unshare(CLONE_NEWIPC));
  swap_area(name, PAGES, 101);
  int id = shmget(IPC_PRIVATE, LENGTH * PG, 0600);
  char *p = shmat(id, NULL, 0);
  fill(p, 0, 3);
  pages("touched", p);
  NUM("lock", shmctl(id, SHM_LOCK, NULL));
  fill(p, 3, LENGTH);
  out(p);
  for (int i = 0; i < LENGTH; i++) *(volatile char *)(p + i * PG);
  pages("locked", p);
  row("locked", id);
  NUM("mlock", mlock(p, 2 * PG));
  pages("locked twice", p);
  NUM("munlock", munlock(p, 2 * PG));
  pages("locked once", p);
  NUM("unlock", shmctl(id, SHM_UNLOCK, NULL));
  pages("unlocked", p);
  out(p);
  pages("out", p);
  row("out", id);
  NUM("lock", shmctl(id, SHM_LOCK, NULL));
  YES("contents", holds(p));
  out(p);
  for (int i = 0; i < LENGTH; i++) *(volatile char *)(p + i * PG);
  row("came back locked", id);
  NUM("remove", shmctl(id, IPC_RMID, NULL));
  NUM("detach", shmdt(p));
  MUST(swapoff(name));
  unlink(name);
  return 0;
}
