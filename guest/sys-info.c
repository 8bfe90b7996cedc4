/* uname, sysinfo, limits, names, affinity (uname(2), sysinfo(2), prlimit(2), prctl(2)). */
#include "check.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
int main(void) {
  struct utsname u;
  MUST(uname(&u));
  say("sysname %s, release starts with a digit %d", u.sysname, u.release[0] >= '0' && u.release[0] <= '9');
  struct sysinfo s;
  MUST(sysinfo(&s));
  YES("memory", s.totalram * s.mem_unit > 16 << 20 && s.freeram <= s.totalram && s.procs > 0);
  struct rlimit l = {1000, 2000}, g;
  ERR("setrlimit", setrlimit(RLIMIT_NPROC, &l));
  MUST(prlimit(0, RLIMIT_NPROC, NULL, &g));
  say("%ld %ld", (long)g.rlim_cur, (long)g.rlim_max);
  l.rlim_cur = 3000;
  ERR("soft above hard", setrlimit(RLIMIT_NPROC, &l));
  ERR("unknown limit", getrlimit(99, &g));
  char name[16] = {0};
  ERR("PR_SET_NAME", prctl(PR_SET_NAME, "a name longer than fifteen"));
  MUST(prctl(PR_GET_NAME, name));
  say("'%s'", name);
  ERR("unknown prctl", prctl(9999, 0, 0, 0, 0));
  cpu_set_t set;
  MUST(sched_getaffinity(0, sizeof set, &set));
  YES("CPUs", CPU_COUNT(&set) >= 1);
  ERR("sched_yield", sched_yield());
  ERR("unknown system call", syscall(9999));
  NUM("page size", sysconf(_SC_PAGESIZE));
  YES("ids", getuid() == geteuid() && getgid() == getegid() && getppid() > 0);
  return 0;
}
