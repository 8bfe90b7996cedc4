/* MADV_COLD and MADV_PAGEOUT of memory without a file on a disk, and MADV_POPULATE, on a machine without swap: what can go, goes; contents stay (mm/madvise.c, 6.18). */
#include "smaps.h"
#include <sched.h>
static void resident(const char *what, char *at, long pages) {
  unsigned char v[64];
  char text[65] = {0};
  MUST(mincore(at, (size_t)(pages * PG), v));
  for (long i = 0; i < pages; i++) text[i] = v[i] & 1 ? '1' : '0';
  say("%s: cached %s, Rss %ld, Referenced %ld", what, text, smaps_kib(at, "Rss"), smaps_kib(at, "Referenced"));
}
int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  /* Pages that the caller's CPU has in a batch are passed over: stay on it. */
  unsigned cpu = 0;
  syscall(SYS_getcpu, &cpu, NULL, NULL);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  MUST(sched_setaffinity(0, sizeof one, &one));
  int fd = memfd_create("f", 0);
  for (int i = 0; i < 8; i++) MUST(pwrite(fd, (char[]){(char)('a' + i)}, 1, i * PG));
  char *w = reserve(60);
  char *f = mmap(w, 8 * PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  for (int i = 0; i < 8; i++) MUST(f[i * PG] == 'a' + i ? 0 : -1);
  resident("file", f, 8);
  ERR("COLD", madvise(f, 8 * PG, MADV_COLD));
  resident("cold file", f, 8);
  ERR("PAGEOUT of 2 to 5", madvise(f + 2 * PG, 4 * PG, MADV_PAGEOUT));
  resident("paged out", f, 8);
  say("content %c%c%c", f[2 * PG], f[3 * PG], f[5 * PG]);
  f[6 * PG] = 'G';
  ERR("PAGEOUT of a page just written", madvise(f + 6 * PG, PG, MADV_PAGEOUT));
  resident("then", f, 8);
  say("content %c", f[6 * PG]);
  char *g = mmap(w + 10 * PG, 8 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  for (int i = 0; i < 8; i++) MUST(g[i * PG] == f[i * PG] ? 0 : -1);
  ERR("PAGEOUT of pages mapped twice", madvise(f, 2 * PG, MADV_PAGEOUT));
  resident("mapped twice", f, 2);
  ERR("COLD of pages mapped twice", madvise(f, 2 * PG, MADV_COLD));
  MUST(munmap(f, 8 * PG));

  char *a = mmap(w + 20 * PG, 4 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  memset(a, 'a', 4 * PG);
  resident("anonymous", a, 4);
  ERR("COLD", madvise(a, 4 * PG, MADV_COLD));
  resident("cold", a, 4);
  ERR("PAGEOUT", madvise(a, 4 * PG, MADV_PAGEOUT));
  resident("no swap", a, 4);
  say("content %c%c", a[0], a[3 * PG]);
  ERR("FREE", madvise(a, 2 * PG, MADV_FREE));
  ERR("PAGEOUT of lazily free pages", madvise(a, 4 * PG, MADV_PAGEOUT));
  resident("no swap", a, 4);
  say("content %d %c", a[0], a[3 * PG]);

  char *s = mmap(w + 26 * PG, 4 * PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  memset(s, 's', 4 * PG);
  resident("shared", s, 4);
  ERR("COLD", madvise(s, 4 * PG, MADV_COLD));
  resident("cold", s, 4);
  ERR("PAGEOUT", madvise(s, 4 * PG, MADV_PAGEOUT));
  resident("no swap", s, 4);
  say("content %c%c", s[0], s[3 * PG]);

  MUST(mlock(a, PG));
  ERR("COLD of a locked page", madvise(a, PG, MADV_COLD));
  ERR("PAGEOUT of a locked page", madvise(a, PG, MADV_PAGEOUT));
  ERR("DONTNEED of a locked page", madvise(a, PG, MADV_DONTNEED));
  ERR("DONTNEED_LOCKED", madvise(a, 2 * PG, 24));
  say("content %d %d", a[0], a[PG]);
  say("flags %s", vm_flags(a));
  MUST(munlock(a, PG));
  MUST(munmap(a + PG, PG));
  ERR("COLD over a hole", madvise(a, 4 * PG, MADV_COLD));
  ERR("PAGEOUT over a hole", madvise(a, 4 * PG, MADV_PAGEOUT));
  ERR("PAGEOUT of nothing", madvise(w, PG, MADV_PAGEOUT));
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int ro = open(link, O_RDONLY);
  char *q = mmap(w + 32 * PG, 4 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, ro, 0);
  say("content %c", q[PG]);
  ERR("PAGEOUT through a read-only descriptor", madvise(q, 4 * PG, MADV_PAGEOUT));

  /* Populate. */
  char *p = mmap(w + 40 * PG, 4 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  ERR("POPULATE_READ", madvise(p, 2 * PG, 22));
  NUM("Rss", smaps_kib(p, "Rss"));
  ERR("POPULATE_WRITE", madvise(p + PG, 2 * PG, 23));
  NUM("Rss", smaps_kib(p, "Rss"));
  MUST(mprotect(p + 3 * PG, PG, PROT_READ));
  ERR("POPULATE_WRITE without the right", madvise(p, 4 * PG, 23));
  NUM("Rss", smaps_kib(p, "Rss"));
  MUST(mprotect(p + 3 * PG, PG, PROT_NONE));
  ERR("POPULATE_READ without a right", madvise(p, 4 * PG, 22));
  MUST(munmap(p + 3 * PG, PG));
  ERR("POPULATE_READ over a hole", madvise(p, 4 * PG, 22));
  MUST(ftruncate(fd, PG + 10));
  ERR("POPULATE_READ past the end of the file", madvise(q, 4 * PG, 22));
  ERR("up to it", madvise(q, 2 * PG, 22));
  char *x = mmap(w + 46 * PG, 2 * PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  ERR("POPULATE_WRITE of a file", madvise(x, 2 * PG, 23));
  MUST(ftruncate(fd, 0));
  ERR("POPULATE_WRITE past its end", madvise(x, 2 * PG, 23));
  MUST(mprotect(x, PG, PROT_WRITE));
  ERR("POPULATE_READ of what can only be written", madvise(x, PG, 22));
  return 0;
}
