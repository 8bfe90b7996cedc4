/* The clocks as the C library reads them (through the vdso) and as the system call does: one time. */
#include "check.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>

static long long ns_of(struct timespec t) { return (long long)t.tv_sec * 1000000000 + t.tv_nsec; }
static long long by_libc(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) == 0 ? ns_of(t) : -1;
}
static long long by_call(clockid_t clock) {
  struct timespec t;
  return syscall(SYS_clock_gettime, clock, &t) == 0 ? ns_of(t) : -1;
}

static void one_clock(const char *name, clockid_t clock) {
  int backwards = 0, bad = 0;
  long long last = 0, apart = 0;
  for (int i = 0; i < 200; i++) {
    struct timespec t;
    long long now = i % 2 ? by_call(clock) : by_libc(clock);
    if (now < last) backwards++;
    if (i && now - last > apart) apart = now - last;
    last = now;
    clock_gettime(clock, &t);
    if (t.tv_nsec < 0 || t.tv_nsec >= 1000000000) bad++;
    if (ns_of(t) < last) backwards++;
    last = ns_of(t);
  }
  say("%s: %s, %s, steps below a second: %s", name, backwards ? "goes BACK" : "never back", bad ? "BAD ns" : "normal",
      apart < 1000000000 ? "yes" : "NO");
  struct timespec a = {1, 1}, b = {2, 2};
  NUM("resolution", clock_getres(clock, &a));
  syscall(SYS_clock_getres, clock, &b);
  YES("the same by call", ns_of(a) == ns_of(b));
  NUM("resolution of nowhere", clock_getres(clock, NULL));
}

int main(void) {
  one_clock("REALTIME", CLOCK_REALTIME);
  one_clock("MONOTONIC", CLOCK_MONOTONIC);
  one_clock("MONOTONIC_RAW", CLOCK_MONOTONIC_RAW);
  one_clock("BOOTTIME", CLOCK_BOOTTIME);
  one_clock("TAI", CLOCK_TAI);
  one_clock("REALTIME_COARSE", CLOCK_REALTIME_COARSE);
  one_clock("MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE);
  one_clock("PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID);
  one_clock("THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID);
  struct timespec t;
  ERR("clock 8", clock_gettime(8 + 50, &t));
  ERR("clock 16", clock_gettime(16, &t));
  ERR("clock huge", clock_gettime(0x7fffffff, &t));
  ERR("clock -1", clock_gettime(-1, &t));
  YES("coarse is not ahead", by_libc(CLOCK_MONOTONIC_COARSE) <= by_libc(CLOCK_MONOTONIC));
  YES("coarse is close", by_libc(CLOCK_MONOTONIC) - by_libc(CLOCK_MONOTONIC_COARSE) < 100000000);
  struct timeval tv = {0, 0};
  struct timezone zone = {5, 5};
  long long before = by_libc(CLOCK_REALTIME);
  NUM("gettimeofday", gettimeofday(&tv, &zone));
  long long after = by_libc(CLOCK_REALTIME), day = ((long long)tv.tv_sec * 1000000 + tv.tv_usec) * 1000;
  YES("between", before / 1000 * 1000 <= day && day <= after);
  long passed = now_ms();
  sleep_ms(30);
  YES("time passes in sleep", now_ms() - passed >= 30 && now_ms() - passed < 10000);
  /* The object itself */
  unsigned long base = getauxval(AT_SYSINFO_EHDR);
  YES("AT_SYSINFO_EHDR", base != 0);
  const Elf64_Ehdr *header = (void *)base;
  YES("is an ELF object", memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_type == ET_DYN);
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  while (fgets(line, sizeof line, maps)) {
    unsigned long from, to;
    char perms[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3) continue;
    if (strstr(line, "[vdso]")) say("[vdso] %s, %s", perms, from == base ? "there" : "ELSEWHERE");
    if (strstr(line, "[vvar]")) {
      say("[vvar] %s, %ld pages, %s the vdso", perms, (long)(to - from) / PG, from < base ? "before" : "BEHIND");
      ERR("make it writable", mprotect((void *)from, PG, PROT_READ | PROT_WRITE));
      ERR("write it by /proc/self/mem", pwrite(open("/proc/self/mem", O_RDWR), "x", 1, (off_t)from));
      ERR("lock it", mlock((void *)from, PG));
      ERR("not at fork", madvise((void *)from, PG, MADV_DOFORK));
      ERR("forget it", madvise((void *)from, PG, MADV_DONTNEED));
    }
  }
  fclose(maps);
  IN_CHILD("child", {
    long long child = by_libc(CLOCK_MONOTONIC);
    YES("goes on in a child", child >= (long long)passed * 1000000 && by_call(CLOCK_MONOTONIC) >= child);
  });
  return 0;
}
