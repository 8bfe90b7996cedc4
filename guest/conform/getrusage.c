/* What a process and its children took: faults, the largest resident set; sums and maxima over threads and children. */
#include "conform.h"
#include <pthread.h>

static struct rusage usage_of(int who) {
  struct rusage usage;
  MUST(getrusage(who, &usage));
  return usage;
}
static char *no_huge(long pages) {
  char *p = area(pages);
  (void)kmadvise(p, (size_t)(pages * PG), MADV_NOHUGEPAGE);
  return p;
}

CASE("getrusage", "ru_minflt", "one for each page of memory, one for a copy") {
  char *p = no_huge(64);
  long before = usage_of(RUSAGE_SELF).ru_minflt;
  for (int i = 0; i < 64; i++) p[i * PG] = 1;
  NUM("stores", usage_of(RUSAGE_SELF).ru_minflt - before);
  before = usage_of(RUSAGE_SELF).ru_minflt;
  for (int i = 0; i < 64; i++) p[i * PG] = 2;
  NUM("again", usage_of(RUSAGE_SELF).ru_minflt - before);
  char *z = no_huge(8);
  before = usage_of(RUSAGE_SELF).ru_minflt;
  for (int i = 0; i < 8; i++) (void)*(volatile char *)(z + i * PG);
  NUM("loads", usage_of(RUSAGE_SELF).ru_minflt - before);
  for (int i = 0; i < 8; i++) z[i * PG] = 1;
  NUM("loads, then stores", usage_of(RUSAGE_SELF).ru_minflt - before);
}

CASE("getrusage", "ru_minflt", "accesses of the kernel count, those of mlock too") {
  char *p = no_huge(16);
  int fd = disk("f", 4);
  long before = usage_of(RUSAGE_SELF).ru_minflt;
  COUNT("read into", pread(fd, p, 4 * PG, 0));
  YES("one a page at least", usage_of(RUSAGE_SELF).ru_minflt - before >= 4);
  before = usage_of(RUSAGE_SELF).ru_minflt;
  RESULT("mlock", kmlock(p + 4 * PG, 4 * PG));
  NUM("faults", usage_of(RUSAGE_SELF).ru_minflt - before);
}

CASE("getrusage", "ru_maxrss", "stays after munmap, in KiB") {
  char *p = no_huge(4096);
  long before = usage_of(RUSAGE_SELF).ru_maxrss;
  for (long i = 0; i < 4096; i++) p[i * PG] = 1;
  long peak = usage_of(RUSAGE_SELF).ru_maxrss;
  YES("grew by 16 MiB", peak - before > 15 * 1024 && peak - before < 17 * 1024);
  MUST(kmunmap(p, 4096 * PG));
  YES("stays", usage_of(RUSAGE_SELF).ru_maxrss >= peak);
  YES("as VmHWM says", labs(read_field("/proc/self/status", "VmHWM") - usage_of(RUSAGE_SELF).ru_maxrss) < 1024);
}

CASE("getrusage", "RUSAGE_CHILDREN", "the largest child, not their sum; only those waited for") {
  long self = usage_of(RUSAGE_SELF).ru_maxrss;
  NUM("at first", usage_of(RUSAGE_CHILDREN).ru_maxrss + usage_of(RUSAGE_CHILDREN).ru_minflt);
  for (int child = 1; child <= 3; child++)
    IN_CHILD("child", char *p = no_huge(4096); for (long i = 0; i < 1024 * (3 - child % 3) + 512; i++) p[i * PG] = 1);
  struct rusage sum = usage_of(RUSAGE_CHILDREN);
  YES("the largest", sum.ru_maxrss > 14 * 1024 && sum.ru_maxrss < self + 18 * 1024);
  YES("faults of all", sum.ru_minflt > 3 * 512 + (3 + 2 + 1) * 1024);
  int ready[2];
  char c = 0;
  MUST(pipe(ready));
  pid_t pid = fork();
  if (pid == 0) {
    char *p = no_huge(1024);
    for (long i = 0; i < 1024; i++) p[i * PG] = 1;
    if (write(ready[1], &c, 1) == 1) pause();
  }
  MUST(read(ready[0], &c, 1));
  YES("one that runs does not count", usage_of(RUSAGE_CHILDREN).ru_minflt == sum.ru_minflt);
  kill(pid, SIGKILL);
  siginfo_t info;
  MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  YES("one that ended neither", usage_of(RUSAGE_CHILDREN).ru_minflt == sum.ru_minflt);
  say("waited: %s", wait_text(pid));
  YES("now it counts", usage_of(RUSAGE_CHILDREN).ru_minflt > sum.ru_minflt);
}

CASE("getrusage", "RUSAGE_CHILDREN", "children of children; an ignored SIGCHLD loses them") {
  IN_CHILD("child", IN_CHILD("grandchild", char *p = no_huge(1024); for (long i = 0; i < 1024; i++) p[i * PG] = 1));
  YES("grandchild counts", usage_of(RUSAGE_CHILDREN).ru_minflt >= 1024);
  long before = usage_of(RUSAGE_CHILDREN).ru_minflt;
  signal(SIGCHLD, SIG_IGN);
  pid_t pid = fork();
  if (pid == 0) {
    char *p = no_huge(1024);
    for (long i = 0; i < 1024; i++) p[i * PG] = 1;
    _exit(0);
  }
  say("wait: %s", wait_text(pid));
  YES("lost", usage_of(RUSAGE_CHILDREN).ru_minflt == before);
}

static void *toucher(void *p) {
  long before = usage_of(RUSAGE_THREAD).ru_minflt;
  for (int i = 0; i < 64; i++) ((char *)p)[i * PG] = 1;
  NUM("faults of the thread", usage_of(RUSAGE_THREAD).ru_minflt - before);
  return NULL;
}
CASE("getrusage", "RUSAGE_THREAD", "each thread's own faults, one resident set") {
  char *p = no_huge(64);
  pthread_t thread;
  long self = usage_of(RUSAGE_SELF).ru_minflt;
  MUST(pthread_create(&thread, NULL, toucher, p));
  MUST(pthread_join(thread, NULL));
  struct rusage mine = usage_of(RUSAGE_THREAD), all = usage_of(RUSAGE_SELF);
  YES("those of the process hold those of a thread that ended", all.ru_minflt - self >= 64);
  YES("mine do not", all.ru_minflt - mine.ru_minflt >= 64);
  YES("the same maxrss", mine.ru_maxrss == all.ru_maxrss);
}

CASE("getrusage", "EINVAL", "who is none") {
  struct rusage usage;
  RESULT("2", getrusage(2, &usage));
  RESULT("-2", getrusage(-2, &usage));
}
CASE("getrusage", "EFAULT", "no room") {
  RESULT("hole", syscall(SYS_getrusage, RUSAGE_SELF, hole(1)));
  RESULT("hole, children", syscall(SYS_getrusage, RUSAGE_CHILDREN, hole(1)));
}
CASE("wait4", "", "the usage of a child") {
  struct rusage usage;
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    char *p = no_huge(2048);
    for (long i = 0; i < 2048; i++) p[i * PG] = 1;
    _exit(3);
  }
  YES("pid", wait4(pid, &status, 0, &usage) == pid);
  say("%s", status_text(status));
  YES("faults", usage.ru_minflt >= 2048 && usage.ru_minflt < 3000);
  YES("maxrss", usage.ru_maxrss >= 8192);
}
