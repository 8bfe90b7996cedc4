/* The counters of /proc/PID/status, stat and statm: what moves them, and how they hang together. */
#include "conform.h"
#include <sched.h>
#include <sys/times.h>
#ifndef MADV_NOHUGEPAGE
#define MADV_NOHUGEPAGE 15
#endif

static char text[16384];
static char *slurp(const char *path) {
  long n = 0, got;
  int fd = open(path, O_RDONLY);
  while (fd >= 0 && (got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  if (fd >= 0) close(fd);
  text[n] = 0;
  return text;
}
static long status_of(const char *pid, const char *name) {
  char path[64], key[40];
  snprintf(path, sizeof path, "/proc/%s/status", pid);
  char *at = slurp(path);
  snprintf(key, sizeof key, "\n%s:", name);
  at = strstr(at, key);
  return at ? strtol(at + strlen(key), NULL, 10) : -1;
}
static long row(const char *name) { return status_of("self", name); }
/* Field N of /proc/PID/stat, as proc(5) counts them, from 3 on. */
static long stat_of(const char *pid, int n) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  char *at = strrchr(slurp(path), ')');
  if (!at) return -1;
  at += 2;
  for (int i = 3; i < n; i++) at = strchr(at, ' ') + 1;
  return strtol(at, NULL, 10);
}
static long field(int n) { return stat_of("self", n); }
static char state_of(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  char *at = strrchr(slurp(path), ')');
  return at ? at[2] : '?';
}
static long statm(int n) {
  char *at = slurp("/proc/self/statm");
  for (int i = 1; i < n; i++) at = strchr(at, ' ') + 1;
  return strtol(at, NULL, 10);
}
static char *anon(long pages, int prot, int flags) {
  char *p = mmap(NULL, (size_t)(pages * PG), prot, MAP_ANONYMOUS | flags, -1, 0);
  if (p == MAP_FAILED) { say("mmap: %s", err_name(errno)); _exit(98); }
  madvise(p, (size_t)(pages * PG), MADV_NOHUGEPAGE);
  return p;
}
static void touch(char *p, long pages) { for (long i = 0; i < pages; i++) p[i * PG] = 1; }
/* The first reading makes the library's own buffers. */
static void warm(void) { row("VmRSS"); field(3); statm(1); }
#define DELTA(name, what) do { long before_ = row(name); what; say("%s %+ld", name, row(name) - before_); } while (0)

CASE("status", "RssAnon", "pages of memory, the zero page is none; a private copy of a file") {
  warm();
  char *p = anon(20, RW, MAP_PRIVATE);
  DELTA("RssAnon", touch(p, 10));
  DELTA("RssAnon", { volatile char c = p[15 * PG]; (void)c; });
  DELTA("RssAnon", MUST(madvise(p, 4 * PG, MADV_DONTNEED)));
  int fd = open("/proc/self/exe", O_RDONLY);
  char *q = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0);
  DELTA("RssFile", { volatile char c = q[0]; c = q[PG]; c = q[2 * PG]; c = q[3 * PG]; (void)c; });
  DELTA("RssAnon", q[PG] = 'x');
  DELTA("RssFile", q[2 * PG] = 'x');
  DELTA("RssFile", munmap(q, 4 * PG));
  DELTA("RssAnon", munmap(p, 20 * PG));
}
CASE("status", "RssShmem", "shared memory, also where a private mapping reads it") {
  warm();
  char *p = anon(10, RW, MAP_SHARED);
  DELTA("RssShmem", touch(p, 6));
  DELTA("RssAnon", touch(p, 8));
  int fd = (int)syscall(SYS_memfd_create, "counters", 0);
  MUST(ftruncate(fd, 4 * PG));
  char *q = mmap(NULL, 4 * PG, RW, MAP_PRIVATE, fd, 0);
  DELTA("RssShmem", { volatile char c = q[0]; (void)c; });
  DELTA("RssShmem", q[0] = 1);
  DELTA("RssAnon", q[PG] = 1);
}
CASE("status", "VmRSS", "the sum of its parts; statm and stat tell the same") {
  warm();
  touch(anon(30, RW, MAP_PRIVATE), 30);
  touch(anon(30, RW, MAP_SHARED), 20);
  long all = row("VmRSS");
  YES("sum", all == row("RssAnon") + row("RssFile") + row("RssShmem"));
  YES("statm resident", statm(2) * 4 == all);
  YES("statm shared", statm(3) * 4 == row("RssFile") + row("RssShmem"));
  YES("stat rss, give or take what other processors have not told", labs(field(24) * 4 - all) < 1024);
}
CASE("status", "VmHWM", "the most that was there; clear_refs 5 sets it back") {
  warm();
  char *p = anon(2000, RW, MAP_PRIVATE);
  touch(p, 2000);
  long at = row("VmRSS");
  munmap(p, 2000 * PG);
  YES("stays", row("VmHWM") >= at - 1024);
  YES("less now", row("VmRSS") <= at - 8000);
  int fd = open("/proc/self/clear_refs", O_WRONLY);
  NUM("reset", write(fd, "5", 1));
  YES("as little as now", row("VmHWM") < at - 6000);
  YES("not less than now", row("VmHWM") >= row("VmRSS") - 1024);
}
CASE("status", "VmPeak", "the most that was mapped") {
  warm();
  long size = row("VmSize");
  char *p = anon(5000, PROT_NONE, MAP_PRIVATE);
  NUM("size", row("VmSize") - size);
  YES("peak", row("VmPeak") >= row("VmSize"));
  munmap(p, 5000 * PG);
  NUM("size", row("VmSize") - size);
  YES("peak stays", row("VmPeak") >= size + 20000);
  YES("stat vsize", field(23) / 1024 == row("VmSize"));
  YES("statm size", statm(1) * 4 == row("VmSize"));
}
CASE("status", "VmLck", "locked mappings, whole ones too that are not there yet") {
  warm();
  char *p = anon(10, RW, MAP_PRIVATE);
  DELTA("VmLck", mlock(p, 6 * PG));
  DELTA("VmLck", mlock(p + 3 * PG, 5 * PG));
  DELTA("VmLck", munlock(p + PG, PG));
  DELTA("VmLck", syscall(SYS_mlock2, p, 10 * PG, 1));
  DELTA("VmLck", munmap(p + 5 * PG, PG));
  DELTA("VmLck", munlockall());
  NUM("VmPin", row("VmPin"));
}
CASE("status", "VmData", "private and writable; rights move it, stacks and shared memory are not in it") {
  warm();
  char *p;
  DELTA("VmData", p = anon(8, RW, MAP_PRIVATE));
  DELTA("VmData", anon(8, PROT_READ, MAP_PRIVATE));
  DELTA("VmData", anon(8, RW, MAP_SHARED));
  DELTA("VmData", mprotect(p, 3 * PG, PROT_READ));
  DELTA("VmData", mprotect(p, 2 * PG, PROT_READ | PROT_WRITE));
  DELTA("VmData", mmap(NULL, 4 * PG, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
  char *end = kbrk(NULL);
  DELTA("VmData", kbrk(end + 3 * PG));
  DELTA("VmData", kbrk(end));
  YES("statm data", statm(6) * 4 == row("VmData") + row("VmStk"));
  NUM("statm lib", statm(5));
  NUM("statm dirty", statm(7));
}
CASE("status", "VmStk", "mappings that grow down, as they grow") {
  warm();
  char *w = mmap(NULL, 700 * PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;
  munmap(w, 700 * PG);
  DELTA("VmStk", p = mmap(w + 600 * PG, 4 * PG, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0));
  DELTA("VmStk", p[-PG] = 1);
  DELTA("VmStk", p[-10 * PG] = 1);
  DELTA("VmSize", p[-12 * PG] = 1);
  DELTA("VmStk", munmap(p + PG, PG));
}
CASE("status", "VmLib", "executable mappings of files; VmExe is the program's own") {
  warm();
  int fd = open("/proc/self/exe", O_RDONLY);
  DELTA("VmLib", mmap(NULL, 3 * PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
  DELTA("VmLib", mmap(NULL, 3 * PG, PROT_READ, MAP_PRIVATE, fd, 0));
  DELTA("VmLib", anon(3, PROT_READ | PROT_EXEC, MAP_PRIVATE));
  DELTA("VmExe", mmap(NULL, 3 * PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
  long pages = (field(27) + PG - 1) / PG - field(26) / PG;
  YES("VmExe is end_code less start_code", row("VmExe") == pages * 4);
  YES("statm text", statm(4) == pages);
}
CASE("status", "VmPTE", "a table for each 2 MiB that are used, until they are unmapped") {
  warm();
  long size = 128L << 20;
  char *w = mmap(NULL, (size_t)size, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *p = (char *)(((unsigned long)w + (64L << 20)) & ~((64UL << 20) - 1));
  madvise(w, (size_t)size, MADV_NOHUGEPAGE);
  p[0] = 1;
  DELTA("VmPTE", for (long i = 1; i < 32; i++) p[i << 21] = 1);
  DELTA("VmPTE", for (long i = 1; i < 32; i++) p[(i << 21) + PG] = 1);
  DELTA("VmPTE", mprotect(p, 64UL << 20, PROT_NONE));
  DELTA("VmPTE", munmap(p + (2L << 20), 60UL << 20));
  NUM("VmSwap", row("VmSwap"));
  NUM("HugetlbPages", row("HugetlbPages"));
}
CASE("status", "THP_enabled", "PR_SET_THP_DISABLE takes it away") {
  NUM("THP_enabled", row("THP_enabled"));
  RESULT("disable", prctl(41, 1, 0, 0, 0));
  NUM("THP_enabled", row("THP_enabled"));
  RESULT("enable", prctl(41, 0, 0, 0, 0));
  NUM("THP_enabled", row("THP_enabled"));
  RESULT("but where advised", prctl(41, 1, 2, 0, 0));
  NUM("THP_enabled", row("THP_enabled"));
  NUM("CoreDumping", row("CoreDumping"));
}
CASE("status", "zombie", "no memory is told; State and stat") {
  warm();
  pid_t child = fork();
  if (child == 0) _exit(7);
  siginfo_t info;
  waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
  char pid[16];
  snprintf(pid, sizeof pid, "%d", child);
  NUM("VmSize", status_of(pid, "VmSize"));
  NUM("VmPTE", status_of(pid, "VmPTE"));
  say("state %c", state_of(pid));
  NUM("Threads", status_of(pid, "Threads"));
  NUM("vsize", stat_of(pid, 23));
  NUM("rss", stat_of(pid, 24));
  NUM("exit_code", stat_of(pid, 52));
  YES("flags: PF_EXITING", (stat_of(pid, 9) & 4) != 0);
  NUM("FDSize", status_of(pid, "FDSize"));
  snprintf(text, sizeof text, "/proc/%d/statm", child);
  char *path = strdup(text);
  say("statm %s", strtok(slurp(path), "\n"));
  waitpid(child, NULL, 0);
}
CASE("stat", "minflt", "one for each page; a child's when it was waited for") {
  warm();
  char *p = anon(64, RW, MAP_PRIVATE);
  long before = field(10), major = field(12);
  touch(p, 64);
  long after = field(10);
  YES("64 faults", after - before >= 64 && after - before < 80);
  NUM("majflt", field(12) - major);
  before = field(11);
  pid_t child = fork();
  if (child == 0) { touch(anon(300, RW, MAP_PRIVATE), 300); _exit(0); }
  siginfo_t info;
  waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
  NUM("cminflt before", field(11) - before);
  waitpid(child, NULL, 0);
  YES("cminflt after", field(11) - before >= 300);
}
CASE("stat", "priority", "nice and policy") {
  warm();
  say("%ld %ld", field(18), field(19));
  MUST(setpriority(PRIO_PROCESS, 0, 5));
  say("%ld %ld", field(18), field(19));
  MUST(setpriority(PRIO_PROCESS, 0, -7));
  say("%ld %ld", field(18), field(19));
  struct sched_param param = {10};
  MUST(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
  say("%ld %ld rt %ld policy %ld", field(18), field(19), field(40), field(41));
  param.sched_priority = 0;
  MUST(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &param));
  say("%ld %ld rt %ld policy %ld", field(18), field(19), field(40), field(41));
}
CASE("stat", "layout", "code, data, heap, stack, arguments lie in order") {
  warm();
  YES("code", field(26) < field(27) && field(26) <= (long)&slurp && (long)&slurp < field(27));
  YES("stack", field(28) > (long)&text);
  YES("data", field(45) < field(46) && field(45) <= (long)text + sizeof text);
  YES("start_brk", field(47) > 0 && field(47) <= (long)sbrk(0));
  YES("arguments", field(48) < field(49) && field(49) <= field(50) && field(50) <= field(51));
  YES("arguments are on the stack", field(48) > field(28));
  YES("group and session", field(5) == getpgrp() && field(6) == getsid(0) && field(4) == getppid());
  NUM("threads", field(20));
  NUM("itrealvalue", field(21));
  YES("rsslim", (unsigned long)field(25) >= 1UL << 62);
  NUM("exit_signal", field(38));
  NUM("nswap", field(36) + field(37));
}
static void nothing(int signo) { (void)signo; }
CASE("stat", "signals", "pending, blocked, ignored, caught") {
  warm();
  sigset_t set;
  for (int signo = 1; signo < 32; signo++) signal(signo, SIG_DFL);
  signal(SIGUSR1, SIG_IGN);
  signal(SIGUSR2, nothing);
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_SETMASK, &set, NULL);
  raise(SIGUSR2);
  say("pending %lx blocked %lx ignored %lx caught %lx", field(31), field(32), field(33), field(34));
}
CASE("status", "another process", "a child that is stopped; its counters are its own") {
  warm();
  char *p = anon(100, RW, MAP_PRIVATE);
  touch(p, 50);
  pid_t child = fork();
  if (child == 0) {
    touch(p, 100);
    mlock(p, 3 * PG);
    raise(SIGSTOP);
    _exit(0);
  }
  waitpid(child, NULL, WUNTRACED);
  char pid[16];
  snprintf(pid, sizeof pid, "%d", child);
  NUM("VmSize", status_of(pid, "VmSize") - row("VmSize"));
  NUM("VmLck", status_of(pid, "VmLck"));
  YES("RssAnon", status_of(pid, "RssAnon") >= 400);
  say("state %c", state_of(pid));
  YES("PPid", status_of(pid, "PPid") == getpid());
  NUM("not ours", row("VmLck"));
  kill(child, SIGCONT);
  waitpid(child, NULL, 0);
}
