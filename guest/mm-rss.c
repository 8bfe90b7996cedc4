/* statm and status follow the touched pages (proc_pid_statm(5), proc_pid_status(5)). */
#include "check.h"
static long field(const char *name) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  long value = -1;
  size_t n = strlen(name);
  while (fgets(line, sizeof line, f)) if (!strncmp(line, name, n) && line[n] == ':') value = atol(line + n + 1);
  fclose(f);
  return value;
}
int main(void) {
  long size[2], resident[2], vm = field("VmSize");
  FILE *f = fopen("/proc/self/statm", "r");
  if (fscanf(f, "%ld %ld", &size[0], &resident[0]) != 2) return 1;
  fclose(f);
  char *p = map_anon(400, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  NUM("VmSize grows by KiB", field("VmSize") - vm);
  memset(p, 1, 300 * PG);
  f = fopen("/proc/self/statm", "r");
  if (fscanf(f, "%ld %ld", &size[1], &resident[1]) != 2) return 1;
  fclose(f);
  NUM("statm size grows by pages", size[1] - size[0]);
  long grown = resident[1] - resident[0];
  YES("resident grows by about 300 pages", grown >= 290 && grown <= 364);
  YES("VmSize is statm size", field("VmSize") == size[1] * 4);
  YES("VmHWM >= VmRSS > 1200", field("VmHWM") >= field("VmRSS") && field("VmRSS") > 1200);
  YES("VmPeak >= VmSize", field("VmPeak") >= field("VmSize"));
  YES("VmRSS = RssAnon + RssFile + RssShmem", field("VmRSS") == field("RssAnon") + field("RssFile") + field("RssShmem"));
  MUST(munmap(p, 400 * PG));
  NUM("VmSize after munmap", field("VmSize") - vm);
  NUM("Threads", field("Threads"));
  return 0;
}
