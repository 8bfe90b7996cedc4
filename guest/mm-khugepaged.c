/* khugepaged: small pages that become a huge one by themselves, what its limits keep small, and PR_SET_THP_DISABLE. Needs root. */
#include "text-file.h"
#include <sys/prctl.h>

#define HP (2L << 20)
#define THP "/sys/kernel/mm/transparent_hugepage/"
#define KHD THP "khugepaged/"

static long number(const char *path) { return strtol(slurp(path), NULL, 10); }
static int set(const char *path, long value) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%ld", value);
  return word(path, buffer);
}
static long huge_kib(char *p) {
  int inside = 0;
  long sum = 0;
  for (char *line = slurp("/proc/self/smaps"), *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to;
    *end = 0;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' ')) {
      inside = (unsigned long)p < to && (unsigned long)p + HP > from;
      continue;
    }
    if (inside && strncmp(line, "AnonHugePages:", 14) == 0) sum += strtol(line + 14, NULL, 10);
  }
  return sum;
}
/* Until khugepaged has been everywhere once more, from its beginning, or ten seconds. */
static void a_round(void) {
  long from = number(KHD "full_scans");
  for (int i = 0; i < 1000 && number(KHD "full_scans") < from + 2; i++) usleep(10000);
}
static char *room(void) {
  char *all = mmap(NULL, 3 * HP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *at = (char *)(((unsigned long)all + HP) / HP * HP);
  if (mmap(at, HP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) _exit(97);
  return at;
}
static char *touched(long every) {
  char *p = room();
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  for (long i = 0; i < HP / PG; i += every) p[i * PG] = (char)(i + 1);
  return p;
}
static void collapsing(void) {
  char *p = touched(1);
  NUM("small", huge_kib(p));
  a_round();
  NUM("not asked for", huge_kib(p));
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  a_round();
  NUM("asked for", huge_kib(p));
  YES("kept", p[0] == 1 && p[5 * PG] == 6 && p[511 * PG] == 0 && p[510 * PG] == (char)511);
  MUST(munmap(p, HP));
  p = touched(64);
  ERR("none of them may lack", set(KHD "max_ptes_none", 0));
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  a_round();
  NUM("most are not there", huge_kib(p));
  ERR("any may lack", set(KHD "max_ptes_none", 511));
  a_round();
  NUM("that does not matter", huge_kib(p));
  YES("kept", p[0] == 1 && p[PG] == 0 && p[64 * PG] == 65);
  MUST(munmap(p, HP));
}
static void sharing(void) {
  char *p = touched(1);
  int fds[2];
  char byte;
  MUST(pipe(fds));
  pid_t child = fork();
  if (child == 0) {
    close(fds[1]);
    (void)!read(fds[0], &byte, 1);
    _exit(p[9 * PG] == 10 ? 3 : 4);
  }
  close(fds[0]);
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  a_round();
  NUM("all shared", huge_kib(p));
  ERR("all may be shared", set(KHD "max_ptes_shared", 511));
  for (int i = 0; i < HP / PG; i += 2) p[i * PG]++;
  a_round();
  NUM("half of them", huge_kib(p));
  YES("kept", p[9 * PG] == 10 && p[10 * PG] == 12);
  p[9 * PG] = 77;
  close(fds[1]);
  int status;
  MUST(waitpid(child, &status, 0));
  NUM("the child's are its own", WEXITSTATUS(status));
  MUST(munmap(p, HP));
}
static void disabling(void) {
  MUST(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
  char *p = room();
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  p[0] = 1;
  NUM("disabled", huge_kib(p));
  ERR("collapse", madvise(p, HP, 25));
  MUST(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
  ERR("collapse", madvise(p, HP, 25));
  NUM("enabled", huge_kib(p));
  MUST(munmap(p, HP));
}

int main(void) {
  static const char *const names[] = {KHD "scan_sleep_millisecs", KHD "pages_to_scan", KHD "max_ptes_none", KHD "max_ptes_shared"};
  long before[4];
  for (int i = 0; i < 4; i++) before[i] = number(names[i]);
  char mode[64];
  strncpy(mode, slurp(THP "enabled"), sizeof mode - 1);
  mode[63] = 0;
  char *chosen = strtok(strchr(mode, '[') + 1, "]");
  MUST(word(THP "enabled", "madvise"));
  MUST(set(names[0], 1));
  MUST(set(names[1], 1 << 22));
  MUST(set(names[2], 511));
  MUST(set(names[3], 256));
  say("defrag %s", strtok(slurp(THP "defrag"), "\n"));
  NUM("defrag of khugepaged", number(KHD "defrag"));
  ERR("scan nothing", set(KHD "pages_to_scan", 0));
  ERR("too many lack", set(KHD "max_ptes_none", 512));
  ERR("a negative number", set(KHD "scan_sleep_millisecs", -1));
  ERR("no number", word(KHD "alloc_sleep_millisecs", "soon"));
  ERR("full_scans", open(KHD "full_scans", O_WRONLY));
  collapsing();
  sharing();
  disabling();
  for (int i = 0; i < 4; i++) MUST(set(names[i], before[i]));
  MUST(word(THP "enabled", chosen));
  return 0;
}
