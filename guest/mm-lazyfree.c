/* MADV_FREE: clean anonymous pages that stay until memory is short; a store makes them ordinary again (mm/madvise.c, 6.18). */
#include "smaps.h"
#include <sched.h>
static long vmstat(const char *name) {
  static char text[32768];
  char line[64];
  text[0] = '\n';
  slurp_into("/proc/vmstat", text + 1, sizeof text - 1);
  snprintf(line, sizeof line, "\n%s ", name);
  char *found = strstr(text, line);
  return found ? strtol(found + strlen(line), NULL, 10) : -1;
}
/* Twice: the second call drains the CPU's batch, in which the first leaves the pages. */
static int lazy(char *at, size_t length) {
  madvise(at, length, MADV_FREE);
  return madvise(at, length, MADV_FREE);
}
static void show(const char *what, char *at) {
  static const char *fields[] = {"Rss", "Anonymous", "LazyFree", "Private_Dirty", "Private_Clean", "Shared_Clean", "Shared_Dirty",
    "Referenced"};
  char line[256];
  int n = 0;
  for (int i = 0; i < 8; i++) n += snprintf(line + n, sizeof line - (size_t)n, " %s %ld", fields[i], smaps_kib(at, fields[i]));
  say("%s:%s", what, line);
}

int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  unsigned cpu = 0;
  syscall(SYS_getcpu, &cpu, NULL, NULL);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  MUST(sched_setaffinity(0, sizeof one, &one));
  char *w = reserve(60), *a = mmap(w, 8 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  memset(a, 'a', 6 * PG);
  MUST(madvise(a, 8 * PG, MADV_NOHUGEPAGE));
  show("written", a);
  long before = vmstat("pglazyfree");
  ERR("free 0 to 3 and two that are not there", (lazy(a, 4 * PG) | lazy(a + 6 * PG, 2 * PG)));
  show("lazily free", a);
  YES("pglazyfree rose by 4", vmstat("pglazyfree") - before >= 4);
  say("content %c%c%c%c%c%c", a[0], a[PG], a[2 * PG], a[3 * PG], a[4 * PG], a[5 * PG]);
  show("read", a);
  a[PG] = 'b';
  show("page 1 written", a);
  ERR("free again", lazy(a, 4 * PG));
  show("lazily free", a);

  /* A child shares them; both then have clean pages. */
  IN_CHILD("child", { show("in the child", a); a[0] = 'c'; show("written there", a); });
  show("parent", a);
  a[0] = 'd';
  show("parent wrote", a);
  ERR("free what a child had", lazy(a, 8 * PG));
  show("all", a);
  ERR("mprotect to reading", mprotect(a, 2 * PG, PROT_READ));
  ERR("free without the right to write", lazy(a, 2 * PG));
  ERR("mprotect back", mprotect(a, 2 * PG, rw));
  a[PG] = 'e';
  show("written after mprotect", a);

  int ends[2];
  pid_t pid;
  MUST(pipe(ends));
  memset(a, 's', 4 * PG);
  if ((pid = fork()) == 0) {
    char c;
    close(ends[1]);
    read(ends[0], &c, 1);
    _exit(0);
  }
  close(ends[0]);
  ERR("free pages that are shared", lazy(a, 4 * PG));
  show("shared with a child", a);
  say("content %c", a[0]);
  close(ends[1]);
  wait_text(pid);

  char *s = mmap(w + 10 * PG, PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  *s = 1;
  ERR("shared memory", lazy(s, PG));
  scratch();
  int fd = letters("f", 2);
  char *p = mmap(w + 12 * PG, 2 * PG, rw, MAP_PRIVATE | MAP_FIXED, fd, 0);
  p[0] = 'P';
  ERR("private file", lazy(p, PG));
  char *l = mmap(w + 16 * PG, 2 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  MUST(mlock(l, PG));
  ERR("locked", lazy(l, PG));
  ERR("across a locked one", lazy(l, 2 * PG));
  char *z = mmap(w + 20 * PG, 2 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  YES("zero page", z[0] == 0);
  ERR("free the zero page", lazy(z, PG));
  show("zero page", z);
  MUST(munmap(a + PG, PG));
  ERR("over a hole", lazy(a, 4 * PG));
  show("behind the hole", a + 2 * PG);
  char *moved = mremap(a + 2 * PG, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, w + 30 * PG);
  YES("moved", moved == w + 30 * PG);
  show("moved", moved);
  fd = open("/dev/zero", O_RDONLY);
  RET("the kernel writes it", read(fd, moved, 3));
  show("written by the kernel", moved);
  say("content %d %c", moved[0], moved[3]);
  unlink("f");
  return 0;
}
