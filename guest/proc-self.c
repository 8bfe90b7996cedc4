/* /proc/self: cmdline, environ, exe, cwd, fd, stat, mem, meminfo, vmstat (proc(5)). */
#include "check.h"
#include <dirent.h>
static char text[65536];
static long slurp(const char *path) {
  int fd = open(path, O_RDONLY);
  long n = 0, got;
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  text[n] = 0;
  close(fd);
  return n;
}
static void has(const char *key) {
  char with[64];
  size_t n = strlen(key);
  int found = !strncmp(text, key, n);
  snprintf(with, sizeof with, "\n%s", key);
  say("%s %s", key, found || strstr(text, with) ? "yes" : "NO");
}
int main(int argc, char **argv) {
  (void)argv;
  if (argc == 1) {
    char *a[] = {"title", "x y", "", "z", NULL}, *e[] = {"K=V", "L=", NULL};
    execve("/proc/self/exe", a, e);
    return 1;
  }
  scratch();
  long n = slurp("/proc/self/cmdline");
  for (long i = 0; i < n; i++) if (!text[i]) text[i] = '|';
  say("cmdline %s", text);
  n = slurp("/proc/self/environ");
  for (long i = 0; i < n; i++) if (!text[i]) text[i] = '|';
  say("environ %s", text);
  char link[512] = {0}, cwd[512];
  MUST(readlink("/proc/self/cwd", link, 511));
  YES("cwd", getcwd(cwd, 512) && !strcmp(link, cwd));
  memset(link, 0, 512);
  MUST(readlink("/proc/self/exe", link, 511));
  YES("exe is absolute", link[0] == '/' && access(link, X_OK) == 0);
  int fd = letters("f", 1);
  dup2(fd, 33);
  memset(link, 0, 512);
  MUST(readlink("/proc/self/fd/33", link, 511));
  say("fd/33 ends in %s", strrchr(link, '/'));
  slurp("/proc/self/stat");
  YES("stat starts with the pid", atoi(text) == getpid());
  char *after = strrchr(text, ')');
  int fields = 2;
  for (char *p = after; *p; p++) fields += *p == ' ';
  NUM("stat fields", fields);
  say("state %c", after[2]);
  slurp("/proc/self/statm");
  fields = 1;
  for (char *p = text; *p; p++) fields += *p == ' ';
  NUM("statm fields", fields);
  static volatile int target = 1234;
  int value = 0, mem = open("/proc/self/mem", O_RDWR);
  RET("mem read", pread(mem, &value, 4, (off_t)(uintptr_t)&target));
  NUM("value", value);
  value = 99;
  RET("mem write", pwrite(mem, &value, 4, (off_t)(uintptr_t)&target));
  NUM("target", target);
  char *ro = map_anon(1, PROT_READ, MAP_PRIVATE);
  RET("mem write to a read-only private page", pwrite(mem, &value, 4, (off_t)(uintptr_t)ro));
  NUM("it holds", ro[0]);
  RET("mem read of a hole", pread(mem, &value, 4, 16));
  slurp("/proc/meminfo");
  has("MemTotal:"); has("MemFree:"); has("MemAvailable:"); has("Buffers:"); has("Cached:"); has("Active:"); has("AnonPages:");
  has("Mapped:"); has("Shmem:"); has("Slab:"); has("PageTables:"); has("CommitLimit:"); has("Committed_AS:");
  slurp("/proc/vmstat");
  has("nr_free_pages "); has("nr_anon_pages "); has("nr_file_pages "); has("pgfault "); has("pgmajfault "); has("pgalloc_normal "); has("pgfree ");
  slurp("/proc/self/status");
  has("Name:"); has("State:"); has("Tgid:"); has("Pid:"); has("PPid:"); has("VmPeak:"); has("VmSize:"); has("VmRSS:"); has("VmData:");
  has("VmStk:"); has("VmExe:"); has("VmPTE:"); has("Threads:"); has("SigBlk:"); has("SigCgt:");
  slurp("/proc/self/maps");
  YES("maps has [stack]", strstr(text, "[stack]") != NULL);
  ERR("not a process", open("/proc/999999/maps", O_RDONLY));
  unlink("f");
  return 0;
}
