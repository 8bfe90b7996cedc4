/* /proc files: what opens, reads, writes and links answer, for a live, a dead and a reaped process (fs/proc, 6.18). */
#include "check.h"
#include <dirent.h>
#include <pthread.h>

static char text[262144];

static long slurp(const char *path, size_t chunk) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -errno;
  long n = 0, got;
  while ((got = read(fd, text + n, chunk)) > 0) n += got;
  int e = errno;
  close(fd);
  text[n] = 0;
  return got < 0 ? -e : n;
}
static const char *result(long r) { return r < 0 ? err_name((int)-r) : r == 0 ? "empty" : "text"; }

/* Digits become N, runs of blanks one blank: what is left is the format. */
static const char *shape(const char *line) {
  static char out[512];
  char *o = out;
  for (const char *p = line; *p && *p != '\n' && o < out + 500; p++) {
    if (*p >= '0' && *p <= '9') { if (o == out || o[-1] != 'N') *o++ = 'N'; }
    else if (*p == ' ') { if (o == out || o[-1] != ' ') *o++ = ' '; }
    else *o++ = *p;
  }
  *o = 0;
  return out;
}
static char *line_of(const char *name) {
  size_t n = strlen(name);
  for (char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : p) if (!strncmp(p, name, n)) return p;
  return NULL;
}

static void chunks(const char *path) {
  static char whole[65536];
  long n = slurp(path, 65536);
  memcpy(whole, text, (size_t)(n > 0 ? n : 0) + 1);
  long m = slurp(path, 7), one = slurp(path, 1);
  say("%s in chunks: %s", path, n > 0 && n == m && m == one && !memcmp(whole, text, (size_t)n) ? "same" : "DIFFERENT NO");
}

static void formats(void) {
  static const char *const status[] = {"Name:", "Umask:", "State:", "Tgid:", "Ngid:", "Pid:", "PPid:", "TracerPid:", "Uid:", "Gid:",
    "FDSize:", "Kthread:", "VmPeak:", "VmSize:", "VmLck:", "VmPin:", "VmHWM:", "VmRSS:", "RssAnon:", "RssFile:", "RssShmem:",
    "VmData:", "VmStk:", "VmExe:", "VmLib:", "VmPTE:", "VmSwap:", "CoreDumping:", "untag_mask:", "Threads:", "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:",
    "SigCgt:", "CapInh:", "NoNewPrivs:", "Seccomp:", "Cpus_allowed_list:", "voluntary_ctxt_switches:"};
  slurp("/proc/self/status", 65536);
  long last = -1;
  for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
    char *line = line_of(status[i]);
    long at = line ? line - text : -1;
    if (at <= last) say("status %s: NO", status[i]);
    last = at;
    if (!strncmp(status[i], "Vm", 2) || !strncmp(status[i], "Rss", 3)) {
      char *unit = line ? strstr(line, " kB\n") : NULL;
      if (!unit || unit - strchr(line, '\t') != 9) say("width of %s: NO", status[i]);
    }
  }
  say("status lines in order");
  YES("status width of sets", line_of("SigBlk:") && strlen("SigBlk:\t0000000000000000") == strcspn(line_of("SigBlk:"), "\n"));
  slurp("/proc/self/stat", 65536);
  char *after = strrchr(text, ')');
  long fields = 2;
  for (char *p = after; *p; p++) if (*p == ' ') fields++;
  NUM("stat fields", fields);
  slurp("/proc/self/statm", 65536);
  say("statm: %s", shape(text));
  slurp("/proc/self/smaps_rollup", 65536);
  YES("rollup width", line_of("Rss:") && strcspn(line_of("Rss:"), "\n") == 27);
  slurp("/proc/self/limits", 65536);
  say("limits: %.*s|", (int)strcspn(text, "\n"), text);
  say("limits: %.*s|", (int)strcspn(line_of("Max nice"), "\n"), line_of("Max nice"));
  slurp("/proc/meminfo", 65536);
  say("meminfo: %s, %ld", shape(text), (long)strcspn(text, "\n"));
  slurp("/proc/uptime", 65536);
  say("uptime: %s", shape(text));
  slurp("/proc/loadavg", 65536);
  say("loadavg: %s", shape(text));
  slurp("/proc/self/fdinfo/1", 65536);
  say("fdinfo: %s", shape(text));
  slurp("/proc/swaps", 65536);
  say("swaps: %.*s", (int)strcspn(text, "\n"), text);
  slurp("/proc/sys/kernel/ostype", 65536);
  say("ostype: %.*s", (int)strcspn(text, "\n"), text);
  slurp("/proc/sys/kernel/random/uuid", 65536);
  YES("uuid", strlen(text) == 37 && text[8] == '-' && text[14] == '4');
}

static void errors(void) {
  static const char *const written[] = {"/proc/self/maps", "/proc/self/stat", "/proc/meminfo", "/proc/version", "/proc/self/cmdline", "/proc/sys/kernel/version",
    "/proc/sys/kernel/ostype"};
  for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
    int fd = open(written[i], O_WRONLY);
    if (fd < 0) { say("write %s: open %s", written[i], err_name(errno)); continue; }
    errno = 0;
    long n = write(fd, "1\n", 2);
    say("write %s: %s", written[i], n < 0 ? err_name(errno) : "ok");
    close(fd);
  }
  ERR("open /proc/nothing", open("/proc/nothing", O_RDONLY));
  ERR("create /proc/nothing", open("/proc/nothing", O_RDWR | O_CREAT, 0644));
  ERR("mkdir /proc/dir", mkdir("/proc/dir", 0755));
  ERR("unlink /proc/version", unlink("/proc/version"));
  ERR("open /proc/0", open("/proc/0", O_RDONLY));
  ERR("open /proc/01", open("/proc/01", O_RDONLY));
  ERR("open /proc/self/fd/77", open("/proc/self/fd/77", O_RDONLY));
  ERR("read drop_caches", open("/proc/sys/vm/drop_caches", O_RDONLY));
  int fd = open("/proc/self/maps", O_RDONLY);
  RET("seek to the end", lseek(fd, 0, SEEK_END));
  RET("seek", lseek(fd, 5, SEEK_SET));
  RET("read 10", read(fd, text, 10));
  RET("pread at 0", pread(fd, text, 4, 0));
  close(fd);
  fd = open("/proc/sys/kernel/ngroups_max", O_RDONLY);
  RET("ngroups_max", read(fd, text, 100));
  RET("again", read(fd, text, 100));
  RET("number at 1", pread(fd, text, 100, 1));
  close(fd);
  struct stat st;
  MUST(stat("/proc/version", &st));
  say("version: mode %o size %ld nlink %ld", st.st_mode, (long)st.st_size, (long)st.st_nlink);
  MUST(stat("/proc/self/fd", &st));
  say("fd: mode %o", st.st_mode);
  MUST(lstat("/proc/self", &st));
  say("self: mode %o size %ld", st.st_mode, (long)st.st_size);
  MUST(lstat("/proc/self/exe", &st));
  say("exe: mode %o", st.st_mode);
  MUST(stat("/proc", &st));
  say("proc: mode %o ino %ld", st.st_mode, (long)st.st_ino);
}

static void dead(void) {
  static const char *const files[] = {"stat", "status", "statm", "maps", "smaps", "cmdline", "environ", "auxv", "mem", "pagemap",
    "smaps_rollup", "limits", "comm", "fd", "exe", "cwd", "root"};
  int stop[2];
  MUST(pipe(stop));
  pid_t pid = fork();
  if (pid == 0) { char c; close(stop[1]); (void)!read(stop[0], &c, 1); _exit(0); }
  char path[64];
  snprintf(path, sizeof path, "/proc/%d", pid);
  int folder = open(path, O_RDONLY | O_DIRECTORY);
  int maps = openat(folder, "maps", O_RDONLY), status = openat(folder, "status", O_RDONLY), mem = openat(folder, "mem", O_RDONLY);
  int cmdline = openat(folder, "cmdline", O_RDONLY), pagemap = openat(folder, "pagemap", O_RDONLY);
  close(stop[1]);
  close(stop[0]);
  siginfo_t info;
  MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
    char target[64];
    if (i >= 14) { errno = 0; say("zombie %s: %s", files[i], readlink(path, target, 64) < 0 ? err_name(errno) : "ok"); continue; }
    say("zombie %s: %s", files[i], result(slurp(path, 4096)));
  }
  errno = 0;
  long n = pread(mem, text, 8, (long)text);
  say("zombie's open mem: %ld", n);
  n = read(pagemap, text, 8);
  say("zombie's open pagemap: %ld", n);
  say("wait: %s", wait_text(pid));
  RET("reaped maps", read(maps, text, 100));
  RET("reaped status", read(status, text, 100));
  RET("reaped cmdline", read(cmdline, text, 100));
  RET("reaped mem", read(mem, text, 100));
  ERR("reaped openat", openat(folder, "stat", O_RDONLY));
  RET("reaped getdents", syscall(SYS_getdents64, folder, text, 4096));
  struct stat st;
  ERR("reaped fstat", fstat(folder, &st));
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  RET("reaped stat", slurp(path, 100) < 0 ? (errno = ENOENT, -1) : 0);
}

static void *in_thread(void *arg) {
  (void)arg;
  char target[64], own[64], comm[32];
  long n = readlink("/proc/thread-self", target, 63);
  target[n > 0 ? n : 0] = 0;
  snprintf(own, sizeof own, "%d/task/%ld", getpid(), syscall(SYS_gettid));
  YES("thread-self", !strcmp(target, own));
  int fd = open("/proc/thread-self/comm", O_WRONLY);
  RET("write comm", write(fd, "a-name-that-is-too-long\n", 24));
  close(fd);
  slurp("/proc/thread-self/comm", 64);
  say("comm of the thread: %s", strtok(text, "\n"));
  long tasks = 0;
  DIR *dir = opendir("/proc/self/task");
  for (struct dirent *e; (e = readdir(dir));) if (e->d_name[0] != '.') tasks++;
  closedir(dir);
  NUM("tasks", tasks);
  snprintf(own, sizeof own, "/proc/%ld/status", syscall(SYS_gettid));
  slurp(own, 65536);
  YES("a thread's number in /proc", line_of("Pid:") && atol(line_of("Pid:") + 5) == syscall(SYS_gettid));
  YES("its process", line_of("Tgid:") && atol(line_of("Tgid:") + 6) == getpid());
  (void)comm;
  return NULL;
}

static void links(void) {
  char target[4096];
  long n = readlink("/proc/self/cwd", target, sizeof target - 1);
  target[n] = 0;
  YES("cwd", !strcmp(target, scratch_path));
  int fd = letters("file", 1);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  struct stat st;
  MUST(lstat(path, &st));
  say("fd link: mode %o size %ld", st.st_mode, (long)st.st_size);
  n = readlink(path, target, sizeof target - 1);
  target[n] = 0;
  say("fd link: %s", strrchr(target, '/') + 1);
  unlink("file");
  n = readlink(path, target, sizeof target - 1);
  target[n] = 0;
  say("unlinked: %s", strrchr(target, '/') + 1);
  int again = open(path, O_RDONLY);
  RET("read through the link", read(again, target, 3));
  say("%.3s", target);
  int ro = open(path, O_RDONLY);
  char ropath[64];
  snprintf(ropath, sizeof ropath, "/proc/self/fd/%d", ro);
  MUST(lstat(ropath, &st));
  say("read-only link: mode %o", st.st_mode);
  int p[2];
  MUST(pipe(p));
  snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
  n = readlink(path, target, sizeof target - 1);
  target[n] = 0;
  say("pipe: %s", shape(target));
  ERR("nofollow", open("/proc/self/exe", O_RDONLY | O_NOFOLLOW));
  n = readlink("/proc/self/exe", target, sizeof target - 1);
  target[n] = 0;
  YES("exe", strstr(target, "procfs-files") || n > 0);
  slurp("/proc/self/comm", 64);
  NUM("comm length", strlen(text) > 1);
}

int main(int argc, char **argv) {
  (void)argc;
  (void)argv;
  scratch();
  formats();
  chunks("/proc/self/maps");
  chunks("/proc/self/limits");
  chunks("/proc/self/cmdline");
  chunks("/proc/filesystems");
  errors();
  dead();
  links();
  pthread_t thread;
  MUST(pthread_create(&thread, NULL, in_thread, NULL));
  pthread_join(thread, NULL);
  return 0;
}
