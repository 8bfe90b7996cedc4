/*
 * /sys/kernel/mm/ksm: what its files take and refuse, and PR_SET_MEMORY_MERGE. ksmd stays stopped.
 */
#include "check.h"
#include <sys/prctl.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#define PR_GET_MEMORY_MERGE 68
#endif

static char *read_file(const char *path) {
  static char text[64];
  int fd = open(path, O_RDONLY);
  MUST(fd);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  char *end = strchr(text, '\n');
  if (end != NULL) *end = 0;
  return text;
}

static char *knob(const char *name) {
  char path[100];
  snprintf(path, sizeof path, "/sys/kernel/mm/ksm/%s", name);
  return read_file(path);
}

static int put(const char *name, const char *text) {
  char path[100];
  snprintf(path, sizeof path, "/sys/kernel/mm/ksm/%s", name);
  int fd = open(path, O_WRONLY);
  if (fd < 0) return errno;
  errno = 0;
  int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
  close(fd);
  return error;
}

/* Tries each text, prints what happened and what is there then; puts the old value back. */
static void try_all(const char *name, const char *const *texts) {
  char old[64];
  strcpy(old, knob(name));
  say("-- %s", name);
  for (; *texts != NULL; texts++) {
    int error = put(name, *texts);
    char shown[64];
    strcpy(shown, *texts);
    for (char *c = shown; *c; c++) if (*c == '\n') *c = '.';
    say("\"%s\": %s, is %s", shown, error == 0 ? "ok" : err_name(error), knob(name));
  }
  put(name, old);
}

#define TRY(name, ...) do { static const char *const t_[] = {__VA_ARGS__, NULL}; try_all(name, t_); } while (0)

static void mode_of(const char *name) {
  char path[100];
  struct stat st;
  snprintf(path, sizeof path, "/sys/kernel/mm/ksm/%s", name);
  MUST(stat(path, &st));
  say("%s: mode %o, %ld bytes", name, (unsigned)(st.st_mode & 07777), (long)st.st_size);
}

static int is_mergeable(const void *p) {
  static char text[200000];
  char wanted[32];
  int fd = open("/proc/self/smaps", O_RDONLY);
  MUST(fd);
  long n = 0, got;
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  text[n] = 0;
  snprintf(wanted, sizeof wanted, "%lx-", (unsigned long)p);
  char *line = strstr(text, wanted);
  if (line == NULL || (line = strstr(line, "\nVmFlags:")) == NULL) return -1;
  char *end = strchr(line + 1, '\n');
  *end = 0;
  return strstr(line, " mg") != NULL;
}

static char *map(int flags) {
  char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
  MUST(p == MAP_FAILED ? -1 : 0);
  return p;
}

static void own(const char *what) {
  char text[300] = {0};
  int fd = open("/proc/self/ksm_stat", O_RDONLY);
  MUST(fd);
  MUST(read(fd, text, sizeof text - 1));
  close(fd);
  for (char *c = text; *c; c++) if (*c == '\n') *c = c[1] ? ',' : 0;
  say("%s: %s", what, text);
}

static void all_memory(void) {
  say("-- PR_SET_MEMORY_MERGE");
  own("at first");
  char *before = map(MAP_PRIVATE), *shared = map(MAP_SHARED);
  ERR("odd arguments", prctl(PR_SET_MEMORY_MERGE, 1, 1, 0, 0));
  ERR("on", prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
  RET("is", prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0));
  char *after = map(MAP_PRIVATE);
  NUM("a mapping from before", is_mergeable(before));
  NUM("a shared one", is_mergeable(shared));
  NUM("a new one", is_mergeable(after));
  own("then");
  ERR("MADV_UNMERGEABLE", madvise(after, 2 * PG, MADV_UNMERGEABLE));
  NUM("that one", is_mergeable(after));
  pid_t pid = fork();
  if (pid == 0) {
    RET("child", prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0));
    char *own_one = map(MAP_PRIVATE);
    NUM("child's new mapping", is_mergeable(own_one));
    _exit(0);
  }
  MUST(waitpid(pid, NULL, 0));
  ERR("off", prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
  RET("is", prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0));
  NUM("the first", is_mergeable(before));
  own("at last");
  say("ksm_merging_pages: %s", read_file("/proc/self/ksm_merging_pages"));
}

int main(void) {
  const char *const files[] = {"advisor_max_cpu", "advisor_max_pages_to_scan", "advisor_min_pages_to_scan", "advisor_mode",
                               "advisor_target_scan_time", "full_scans", "general_profit", "ksm_zero_pages",
                               "max_page_sharing", "merge_across_nodes", "pages_scanned", "pages_shared", "pages_sharing",
                               "pages_skipped", "pages_to_scan", "pages_unshared", "pages_volatile", "run",
                               "sleep_millisecs", "smart_scan", "stable_node_chains",
                               "stable_node_chains_prune_millisecs", "stable_node_dups", "use_zero_pages"};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) mode_of(files[i]);
  put("run", "2");
  put("run", "0");
  say("write to pages_shared: %s", err_name(put("pages_shared", "1")));
  TRY("run", "3", "-1", "x", "+0\n", "2", "0", "00", "0x0", "0 ");
  TRY("sleep_millisecs", "5", "5\n", " 5", "5 ", "0x10", "010", "-1", "+7", "x", "5\n\n", "4294967295", "4294967296");
  TRY("pages_to_scan", "7", "-7", "0", "4294967295", "4294967296", "1e3");
  TRY("use_zero_pages", "y", "n", "on", "of", "off", "o", "1", "0", "2", "Yes", "No", "t", "f", "x");
  TRY("smart_scan", "0", "1", "T", "F", "maybe");
  TRY("max_page_sharing", "1", "2", "-5", "x", "4294967296", "2147483648", "2147483647", "0x100");
  TRY("merge_across_nodes", "2", "0", "1", "x", "-1", "18446744073709551616");
  TRY("stable_node_chains_prune_millisecs", "0", "77", "-1", "4294967296");
  TRY("advisor_target_scan_time", "0", "1", "1000000", "-1", "18446744073709551616");
  TRY("advisor_max_cpu", "0", "90", "4294967297", "-1");
  TRY("advisor_min_pages_to_scan", "0", "90", "x");
  TRY("advisor_max_pages_to_scan", "0", "90", "");
  say("-- advisor_mode");
  static const char *const modes[] = {"scan-time", "scan", "none ", "none\n", "scan-time\n"};
  for (size_t i = 0; i < 5; i++) {
    int error = put("advisor_mode", modes[i]);
    say("%zu: %s, is %s", i, error == 0 ? "ok" : err_name(error), knob("advisor_mode"));
    say("pages_to_scan %s", knob("pages_to_scan"));
  }
  say("pages_to_scan of one's own: %s", err_name(put("pages_to_scan", "200")));
  say("or none at all: %s", err_name(put("pages_to_scan", "x")));
  put("advisor_mode", "none");
  say("pages_to_scan %s", knob("pages_to_scan"));
  all_memory();
  return 0;
}
