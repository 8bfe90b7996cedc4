/* Whose entries of /proc/PID one may look at: __ptrace_may_access as fs/proc asks it (6.18). */
#include "check.h"

static const char *const files[] = {"maps", "smaps", "smaps_rollup", "pagemap", "mem", "environ", "auxv", "status", "stat", "statm",
  "cmdline", "comm", "limits", "oom_score_adj", "clear_refs", "io", "syscall", "personality"};
static const char *const links[] = {"exe", "cwd", "root", "fd/0"};
static const char *const folders[] = {"map_files", "fd", "fdinfo", "task"};

static void look(const char *who, pid_t pid) {
  char path[64], text[256];
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, files[i]);
    int mode = strcmp(files[i], "clear_refs") == 0 ? O_WRONLY : O_RDONLY;
    errno = 0;
    int fd = open(path, mode);
    ssize_t n = fd < 0 ? 0 : mode == O_WRONLY ? write(fd, "1", 1) : strcmp(files[i], "mem") == 0 ? 0 : read(fd, text, 8);
    say("%s, %s: %s", who, files[i], fd < 0 ? err_name(errno) : n < 0 ? err_name(errno) : "ok");
    if (fd >= 0) close(fd);
  }
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    struct stat s;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
    errno = 0;
    ssize_t n = readlink(path, text, sizeof text);
    int seen = errno;
    int followed = stat(path, &s) == 0 ? 0 : errno;
    say("%s, %s: %s, followed %s", who, links[i], n < 0 ? err_name(seen) : "ok", followed ? err_name(followed) : "ok");
  }
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    char what[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, folders[i]);
    snprintf(what, sizeof what, "%s, %s", who, folders[i]);
    int fd = open(path, O_RDONLY);
    ERR(what, fd);
    close(fd);
  }
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  static char line[4096];
  int fd = open(path, O_RDONLY);
  ssize_t n = read(fd, line, sizeof line - 1);
  close(fd);
  line[n > 0 ? n : 0] = 0;
  char *p = strrchr(line, ')');
  for (int field = 2; field < 26 && p; field++) p = strchr(p + 1, ' ');
  NUM("start of the code is told", p && strtoul(p, NULL, 10) > 1);
}

/* A process of that user, which looks at `pid`, or at itself where that is 0. */
static void as(const char *who, uid_t uid, pid_t pid) {
  pid_t child = fork();
  if (child == 0) {
    MUST(setresgid(uid, uid, uid));
    MUST(setresuid(uid, uid, uid));
    look(who, pid ? pid : getpid());
    _exit(0);
  }
  say("%s: %s", who, wait_text(child));
}

int main(void) {
  int go[2], ready[2];
  char c;
  MUST(pipe(go));
  MUST(pipe(ready));
  pid_t target = fork();
  if (target == 0) {
    (void)!read(go[0], &c, 1);
    MUST(setresgid(1000, 1000, 1000));
    MUST(setresuid(1000, 1000, 1000));
    (void)!write(ready[1], "r", 1);
    (void)!read(go[0], &c, 1);
    _exit(0);
  }
  look("root at root", target);
  as("another at root", 1000, target);
  (void)!write(go[1], "1", 1);
  (void)!read(ready[0], &c, 1);
  look("root at a user", target);
  as("the user, not dumpable", 1000, target);
  as("another user", 1001, target);
  as("at itself", 1000, 0);
  (void)!write(go[1], "2", 1);
  say("target: %s", wait_text(target));
  int io = open("/proc/iomem", O_RDONLY);
  static char text[65536];
  ssize_t n = read(io, text, sizeof text - 1);
  text[n > 0 ? n : 0] = 0;
  close(io);
  YES("iomem has RAM", strstr(text, "-") && strstr(text, " : System RAM\n"));
  return 0;
}
