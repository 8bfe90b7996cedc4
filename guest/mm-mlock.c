/* mlock, mlock2, mlockall: flags, counts in smaps and status, limits (mm/mlock.c, 6.18). */
#include "smaps.h"
#include <sched.h>
#include <linux/capability.h>
/* Pages wait in a batch of the CPU for their place on the lists; mlock of another page empties it. */
static char *dummy;
/* Is the page locked in memory? -1: there is none. */
static long page_locked(char *at) {
  MUST(mlock(dummy, PG));
  MUST(munlock(dummy, PG));
  int map = open("/proc/self/pagemap", O_RDONLY), flags = open("/proc/kpageflags", O_RDONLY);
  uint64_t word = 0, bits = 0;
  MUST(pread(map, &word, 8, (off_t)((unsigned long)at / PG * 8)));
  if (word >> 63) MUST(pread(flags, &bits, 8, (off_t)((word & ((1UL << 55) - 1)) * 8)));
  close(map);
  close(flags);
  return word >> 63 ? (long)(bits >> 33 & 1) : -1;
}
static void show(const char *what, char *at) {
  say("%s: %s; Rss %ld Locked %ld VmLck %ld page locked %ld", what, vm_flags(at), smaps_kib(at, "Rss"), smaps_kib(at, "Locked"),
    status_kib("VmLck"), page_locked(at));
}
static void show_size(const char *what, char *at) {
  say("%s: %s; Rss %ld Locked %ld page locked %ld", what, vm_flags(at), smaps_kib(at, "Rss"), smaps_kib(at, "Locked"), page_locked(at));
}
static char *anon(char *at, long pages) {
  return mmap(at, (size_t)(pages * PG), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
static void drop_caps(void) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  MUST(syscall(SYS_capget, &head, data));
  data[0].effective &= ~(1U << CAP_IPC_LOCK);
  MUST(syscall(SYS_capset, &head, data));
}
static void limit(rlim_t bytes) {
  struct rlimit l = {bytes, RLIM_INFINITY};
  getrlimit(RLIMIT_MEMLOCK, &l);
  l.rlim_cur = bytes;
  MUST(setrlimit(RLIMIT_MEMLOCK, &l));
}
int main(void) {
  unsigned cpu = 0;
  syscall(SYS_getcpu, &cpu, NULL, NULL);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  MUST(sched_setaffinity(0, sizeof one, &one));
  dummy = map_anon(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  char *w = (char *)(((unsigned long)reserve(120) + 15 * PG) & -(16 * PG)), *a = anon(w, 6);
  show("untouched", a);
  ERR("mlock 1 and 2", mlock(a + PG, 2 * PG));
  show_maps("split", a, 6);
  show("locked", a + PG);
  ERR("mlock 0 to 3", mlock(a, 4 * PG));
  show_maps("merged", a, 6);
  show("locked", a);
  ERR("mlock again", mlock(a, 4 * PG));
  show("the same", a);
  ERR("munlock 1", munlock(a + PG, PG));
  show("unlocked", a + PG);
  show_maps("split", a, 6);
  ERR("unaligned", mlock(a + PG + 100, 1));
  show("locked", a + PG);
  ERR("munlock all", munlock(a, 6 * PG));
  show_maps("whole", a, 6);
  show("unlocked", a);
  ERR("mlock2 ONFAULT", syscall(SYS_mlock2, a + 3 * PG, 3 * PG, 1));
  show("on fault", a + 3 * PG);
  a[5 * PG] = 1;
  show("touched", a + 5 * PG);
  ERR("mlock2 0 of one", syscall(SYS_mlock2, a + 4 * PG, PG, 0));
  show_maps("split", a, 6);
  show("at once", a + 4 * PG);
  ERR("mlock2 bad flag", syscall(SYS_mlock2, a, PG, 2));
  ERR("empty", mlock(a, 0));
  ERR("wraps", mlock(a, -PG));
  ERR("hole", (munmap(a + 2 * PG, PG), mlock(a, 4 * PG)));
  show("before the hole", a);
  ERR("munlock over the hole", munlock(a, 4 * PG));
  ERR("of nothing", mlock(w - (1L << 33), PG));

  /* Files, COW, fork. */
  scratch();
  int fd = letters("f", 4);
  char *f = mmap(w + 10 * PG, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  ERR("shared file", mlock(f, 2 * PG));
  show("shared file", f);
  char *g = mmap(w + 16 * PG, 4 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  YES("read", g[0] == 'a');
  show("another mapping of it", g);
  ERR("lock that, too", mlock(g, PG));
  ERR("unlock the first", munlock(f, PG));
  show("the second keeps it", g);
  ERR("unmap the second", munmap(g, 4 * PG));
  show("nobody keeps it", f);
  char *p = mmap(w + 22 * PG, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
  ERR("private file", mlock(p, 2 * PG));
  show("copied at once", p);
  char *r = mmap(w + 28 * PG, 4 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
  ERR("read-only private file", mlock(r, 2 * PG));
  show("the file's page", r);
  ERR("now writable", mprotect(r, PG, PROT_READ | PROT_WRITE));
  show("written to by mprotect", r);
  MUST(ftruncate(fd, PG));
  show("file cut, page 0", f);
  NUM("page 1", page_locked(f + PG));
  NUM("private page 1", page_locked(p + PG));
  ERR("past the end", mlock(f + 2 * PG, PG));
  show("past the end", f + 2 * PG);
  MUST(munlock(f, 4 * PG));
  memset(a, 'a', 2 * PG);
  MUST(mlock(a, 2 * PG));
  IN_CHILD("child", {
    show("in the child", a);
    a[0] = 'c';
    show("its copy", a);
  });
  show("in the parent", a);
  a[0] = 'p';
  show("written", a);
  ERR("DONTNEED", madvise(a, PG, MADV_DONTNEED));
  ERR("DONTNEED_LOCKED", madvise(a, PG, 24));
  show("gone", a);
  a[0] = 'q';
  show("back", a);
  char *m = mremap(a, 2 * PG, 4 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, w + 40 * PG);
  YES("moved", m == w + 40 * PG);
  show("moved and longer", m);
  ERR("shrink", mremap(m, 4 * PG, PG, 0) == MAP_FAILED ? -1 : 0);
  show("shorter", m);
  char *n = mremap(m, PG, PG, MREMAP_MAYMOVE | 4);
  YES("DONTUNMAP", n != MAP_FAILED);
  show("what stays", m);
  show("what moved", n);
  ERR("PROT_NONE", mlock(w + 50 * PG, PG));
  show("no rights", w + 50 * PG);
  char *l = mmap(w + 52 * PG, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_FIXED, -1, 0);
  show("MAP_LOCKED", l);
  char *s = mmap(w + 56 * PG, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  ERR("shared memory", mlock(s, 2 * PG));
  show("shared memory", s);
  ERR("REMOVE", madvise(s, PG, MADV_REMOVE));
  ERR("munlockall", munlockall());
  NUM("VmLck", status_kib("VmLck"));
  show("unlocked", s);

  /* mlockall. */
  ERR("mlockall 0", mlockall(0));
  ERR("mlockall 8", mlockall(8));
  ERR("mlockall ONFAULT", mlockall(4));
  IN_CHILD("future", {
    ERR("mlockall FUTURE", mlockall(MCL_FUTURE));
    show("what was there", s);
    char *c = anon(w + 60 * PG, 2);
    show("what comes", c);
    ERR("mlockall FUTURE|ONFAULT", mlockall(MCL_FUTURE | 4));
    c = anon(w + 64 * PG, 2);
    show("what comes", c);
    c[0] = 1;
    show("touched", c);
    IN_CHILD("not inherited", { char *d = anon(w + 66 * PG, 1); show("there", d); show("of the parent's", c); });
    ERR("munlockall", munlockall());
    show("unlocked", c);
  });
  IN_CHILD("current", {
    MUST(munmap(w + 53 * PG, PG));
    char *c = anon(w + 60 * PG, 2);
    ERR("mlockall CURRENT|ONFAULT", mlockall(MCL_CURRENT | 4));
    show_size("on fault", c);
    ERR("mlockall CURRENT", mlockall(MCL_CURRENT));
    show_size("at once", c);
    show_size("no rights", w + 70 * PG);
    c = anon(w + 64 * PG, 2);
    show_size("not what comes", c);
    ERR("mlockall CURRENT|FUTURE", mlockall(MCL_CURRENT | MCL_FUTURE));
    show_size("that, too", c);
  });

  /* Limits. */
  IN_CHILD("limits", {
    char *c = anon(w + 60 * PG, 8);
    limit(2 * PG);
    ERR("beyond the limit with CAP_IPC_LOCK", mlock(c, 4 * PG));
    MUST(munlock(c, 8 * PG));
    drop_caps();
    ERR("within", mlock(c, 2 * PG));
    ERR("the same again", mlock(c, 2 * PG));
    ERR("another", mlock(c + 2 * PG, PG));
    ERR("overlapping", mlock(c + PG, PG));
    ERR("MAP_LOCKED", syscall(SYS_mmap, NULL, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
    ERR("mlockall CURRENT", mlockall(MCL_CURRENT));
    ERR("mlockall FUTURE", mlockall(MCL_FUTURE));
    ERR("mmap then", (long)mmap(NULL, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ERR("mremap to more", (long)mremap(c, 2 * PG, 3 * PG, MREMAP_MAYMOVE));
    long top = syscall(SYS_brk, 0);
    YES("brk", syscall(SYS_brk, top + 100 * PG) == top);
    ERR("munlockall", munlockall());
    limit(0);
    ERR("mlock with limit 0", mlock(c, PG));
    ERR("munlock", munlock(c, PG));
    ERR("MAP_LOCKED", syscall(SYS_mmap, NULL, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
    ERR("mlockall", mlockall(MCL_FUTURE));
    ERR("mlock2 with a bad flag", syscall(SYS_mlock2, c, PG, 2));
    ERR("mlockall with a bad flag", mlockall(9));
    ERR("munlockall", munlockall());
  });
  unlink("f");
  return 0;
}
