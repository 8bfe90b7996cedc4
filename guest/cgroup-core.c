/*
 * cgroup2 without controllers: directories, who is in them, and what the files of cgroups as such say and refuse.
 * The hierarchy is wherever it is mounted; all happens below one directory of this program's own.
 */
#include "check.h"
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/inotify.h>

static char base[512], path_[1024];

static char *at(const char *rest) {
  snprintf(path_, sizeof path_, "%s%s", base, rest);
  return path_;
}

/* What a read gives, line breaks as '|'; or the error's name. */
static const char *get(const char *rest) {
  static char text[2048];
  int fd = open(at(rest), O_RDONLY);
  if (fd < 0) return err_name(errno);
  ssize_t n = read(fd, text, sizeof text - 1);
  int error = errno;
  close(fd);
  if (n < 0) return err_name(error);
  text[n] = 0;
  for (char *c = text; *c; c++)
    if (*c == '\n') *c = '|';
  return text;
}

static const char *put(const char *rest, const char *text) {
  int fd = open(at(rest), O_WRONLY);
  if (fd < 0) return err_name(errno);
  ssize_t n = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  return n < 0 ? err_name(error) : n == (ssize_t)strlen(text) ? "ok" : "short";
}

static const char *put_pid(const char *rest, pid_t pid) {
  char text[24];
  snprintf(text, sizeof text, "%d\n", pid);
  return put(rest, text);
}

/* Until the file says so; what tasks do takes them a moment. */
static int becomes(const char *rest, const char *wanted) {
  for (int i = 0; i < 2000; i++) {
    if (strstr(get(rest), wanted)) return 1;
    usleep(1000);
  }
  return 0;
}

/* The end of the path in /proc/PID/cgroup, from our own directory on. */
static const char *where(pid_t pid) {
  static char text[1024];
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/cgroup", pid);
  int fd = open(name, O_RDONLY);
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  char *line = strstr(text, "0::");
  char *end = line ? strchr(line, '\n') : NULL;
  if (end) *end = 0;
  char *own = line ? strstr(line, "/fl-core") : NULL;
  return own ? own : "outside";
}

static int find_mount(void) {
  char line[1024], type[64];
  FILE *f = fopen("/proc/self/mounts", "r");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "%*s %511s %63s", base, type) == 2 && !strcmp(type, "cgroup2")) {
      fclose(f);
      return 1;
    }
  return 0;
}

/* A child that waits until it is killed. */
static pid_t sleeper(void) {
  pid_t pid = fork();
  if (pid == 0)
    for (;;) pause();
  return pid;
}

static void names(void) {
  static const char *const files[] = {"cgroup.type", "cgroup.procs", "cgroup.threads", "cgroup.controllers",
    "cgroup.subtree_control", "cgroup.events", "cgroup.max.descendants", "cgroup.max.depth", "cgroup.stat",
    "cgroup.stat.local", "cgroup.freeze", "cgroup.kill", "cgroup.pressure", "cpu.stat", "cpu.stat.local", "memory.pressure"};
  struct stat st;
  char rest[64];
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(rest, sizeof rest, "/%s", files[i]);
    if (stat(at(rest), &st) < 0) say("%s: %s", files[i], err_name(errno));
    else say("%s: %o %ld %ld", files[i], st.st_mode, (long)st.st_size, (long)st.st_nlink);
  }
  MUST(stat(at(""), &st));
  say("directory: %o, links %ld", st.st_mode, (long)st.st_nlink);
  say("type: %s", get("/cgroup.type"));
  say("procs: %s", get("/cgroup.procs"));
  say("threads: %s", get("/cgroup.threads"));
  say("events: %s", get("/cgroup.events"));
  say("subtree_control: %s", get("/cgroup.subtree_control"));
  say("max.depth: %s", get("/cgroup.max.depth"));
  say("max.descendants: %s", get("/cgroup.max.descendants"));
  say("freeze: %s", get("/cgroup.freeze"));
  say("stat.local: %s", get("/cgroup.stat.local"));
  say("kill is not read: %s", get("/cgroup.kill"));
  say("cpu.stat: %s", get("/cpu.stat"));
  say("cpu.stat.local: %s", get("/cpu.stat.local"));
  say("controllers is not written: %s", put("/cgroup.controllers", "memory"));
}

static long field(const char *text, const char *name) {
  const char *at_ = strstr(text, name);
  return at_ ? atol(at_ + strlen(name)) : -1;
}

/* What a child takes is counted where it ran, and above, also when its directory is gone. */
static void processor(void) {
  MUST(mkdir(at("/cpu"), 0755));
  pid_t pid = fork();
  if (pid == 0) {
    MUST(strcmp(put("/cpu/cgroup.procs", "0"), "ok") ? -1 : 0);
    MUST(setpriority(PRIO_PROCESS, 0, 5));
    for (volatile unsigned long n = 0; n < 30000000; n++) {}
    _exit(0);
  }
  MUST(waitpid(pid, NULL, 0));
  const char *text = get("/cpu/cpu.stat");
  long user = field(text, "user_usec "), nice_ = field(text, "nice_usec "), usage = field(text, "usage_usec ");
  YES("time was used", user > 1000 && usage >= user && nice_ > 0);
  YES("usage is both", labs(usage - user - field(text, "system_usec ")) <= 1);
  for (int i = 0; i < 2000 && rmdir(at("/cpu")) != 0; i++) usleep(1000);
  text = get("/cpu.stat");
  YES("the parent keeps it", field(text, "user_usec ") >= user && field(text, "nice_usec ") >= nice_);
}

static void refusals(void) {
  char other[1024];
  ERR("mkdir of what is there", mkdir(at(""), 0755));
  ERR("mkdir of a file's name", mkdir(at("/cgroup.procs"), 0755));
  ERR("mkdir with a line break", mkdir(at("/a\nb"), 0755));
  ERR("unlink of a file", unlink(at("/cgroup.procs")));
  ERR("create of a file", open(at("/own"), O_CREAT | O_WRONLY, 0644));
  ERR("symlink", symlink("x", at("/link")));
  MUST(mkdir(at("/sub"), 0755));
  snprintf(other, sizeof other, "%s/sub2", base);
  ERR("rename", rename(at("/sub"), other));
  ERR("rmdir with a directory in it", rmdir(at("")));
  say("procs, no number: %s", put("/cgroup.procs", "abc"));
  say("procs, negative: %s", put("/cgroup.procs", "-1"));
  say("procs, nobody: %s", put("/cgroup.procs", "4194304000"));
  say("procs, nobody: %s", put("/cgroup.procs", "4194303"));
  say("subtree_control, unknown: %s", put("/cgroup.subtree_control", "+nosuch"));
  say("subtree_control, no sign: %s", put("/cgroup.subtree_control", "nosuch"));
  say("subtree_control, nothing: %s", put("/cgroup.subtree_control", "\n"));
  say("kill, not 1: %s", put("/cgroup.kill", "2"));
  say("kill, no number: %s", put("/cgroup.kill", "x"));
  say("freeze, not 0 or 1: %s", put("/cgroup.freeze", "2"));
  say("freeze, no number: %s", put("/cgroup.freeze", "x"));
  say("max.depth, negative: %s", put("/cgroup.max.depth", "-1"));
  say("max.depth, no number: %s", put("/cgroup.max.depth", "x"));
  say("max.depth 1: %s", put("/cgroup.max.depth", "1"));
  ERR("one level down", mkdir(at("/sub3"), 0755));
  ERR("two levels down", mkdir(at("/sub/deep"), 0755));
  say("max.depth: %s", get("/cgroup.max.depth"));
  say("max.depth max: %s", put("/cgroup.max.depth", "max"));
  say("max.descendants 2: %s", put("/cgroup.max.descendants", "2"));
  ERR("a third one", mkdir(at("/sub4"), 0755));
  say("max.descendants max: %s", put("/cgroup.max.descendants", " max \n"));
  ERR("rmdir", rmdir(at("/sub3")));
  ERR("rmdir", rmdir(at("/sub")));
}

static void members(void) {
  MUST(mkdir(at("/in"), 0755));
  int events = open(at("/in/cgroup.events"), O_RDONLY);
  char text[256];
  MUST(read(events, text, sizeof text));
  int watcher = inotify_init1(IN_NONBLOCK);
  MUST(inotify_add_watch(watcher, at("/in/cgroup.events"), IN_MODIFY));
  struct pollfd quiet = {.fd = events, .events = POLLPRI};
  RET("nothing to tell", poll(&quiet, 1, 0));
  pid_t pid = sleeper();
  say("is outside: %s", where(pid));
  say("moves: %s", put_pid("/in/cgroup.procs", pid));
  say("is in: %s", where(pid));
  YES("is listed", atoi(get("/in/cgroup.procs")) == pid);
  YES("and as a thread", atoi(get("/in/cgroup.threads")) == pid);
  say("events: %s", get("/in/cgroup.events"));
  say("events above: %s", get("/cgroup.events"));
  say("procs above: %s", get("/cgroup.procs"));
  RET("poll tells", poll(&quiet, 1, 2000));
  YES("as exceptional", (quiet.revents & (POLLPRI | POLLERR)) == (POLLPRI | POLLERR));
  struct pollfd noted = {.fd = watcher, .events = POLLIN};
  RET("inotify tells", poll(&noted, 1, 2000));
  ERR("rmdir while it is in", rmdir(at("/in")));
  MUST(kill(pid, SIGKILL));
  MUST(waitpid(pid, NULL, 0));
  YES("gone", becomes("/in/cgroup.events", "populated 0"));
  close(events);
  close(watcher);
  MUST(rmdir(at("/in")));
}

static void inheritance(void) {
  int ready[2], go[2];
  char c;
  MUST(pipe(ready));
  MUST(pipe(go));
  MUST(mkdir(at("/in"), 0755));
  pid_t pid = fork();
  if (pid == 0) {
    say("moves itself: %s", put("/in/cgroup.procs", "0"));
    pid_t child = fork();
    if (child == 0) {
      say("child is in: %s", where(getpid()));
      _exit(0);
    }
    waitpid(child, NULL, 0);
    (void)!write(ready[1], "r", 1);
    (void)!read(go[0], &c, 1);
    _exit(0);
  }
  MUST(read(ready[0], &c, 1));
  /* A zombie is in no list, and in no way. */
  MUST(write(go[1], "g", 1));
  siginfo_t info;
  MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  YES("a zombie does not populate", becomes("/in/cgroup.events", "populated 0"));
  say("zombie was in: %s", where(pid));
  ERR("rmdir under a zombie", rmdir(at("/in")));
  say("zombie was in: %s", where(pid));
  MUST(waitpid(pid, NULL, 0));
  for (int i = 0; i < 2; i++) {
    close(ready[i]);
    close(go[i]);
  }
}

static void removed(void) {
  MUST(mkdir(at("/in"), 0755));
  int procs = open(at("/in/cgroup.procs"), O_RDWR);
  int dir = open(at("/in"), O_RDONLY | O_DIRECTORY);
  MUST(rmdir(at("/in")));
  char text[16];
  ERR("read of a removed one", read(procs, text, sizeof text));
  ERR("write to a removed one", write(procs, "0", 1));
  ERR("open in a removed one", openat(dir, "cgroup.procs", O_RDONLY));
  ERR("mkdir in a removed one", mkdirat(dir, "x", 0755));
  close(procs);
  close(dir);
}

static void freezing(void) {
  volatile long *shared = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MUST(mkdir(at("/cold"), 0755));
  MUST(mkdir(at("/cold/in"), 0755));
  say("empty, frozen: %s", put("/cold/cgroup.freeze", "1"));
  YES("at once", becomes("/cold/cgroup.events", "frozen 1"));
  say("thawed: %s", put("/cold/cgroup.freeze", "0"));
  YES("at once", becomes("/cold/cgroup.events", "frozen 0"));
  pid_t pid = fork();
  if (pid == 0)
    for (;;) {
      shared[0]++;
      usleep(500);
    }
  MUST(strcmp(put_pid("/cold/in/cgroup.procs", pid), "ok") ? -1 : 0);
  while (shared[0] == 0) usleep(500);
  say("frozen from above: %s", put("/cold/cgroup.freeze", "1"));
  YES("frozen above", becomes("/cold/cgroup.events", "frozen 1"));
  YES("frozen below", becomes("/cold/in/cgroup.events", "frozen 1"));
  say("not by its own will: %s", get("/cold/in/cgroup.freeze"));
  long before = shared[0];
  usleep(20000);
  YES("stands still", shared[0] == before);
  say("thawed: %s", put("/cold/cgroup.freeze", "0"));
  YES("frozen no more", becomes("/cold/in/cgroup.events", "frozen 0"));
  for (int i = 0; i < 2000 && shared[0] == before; i++) usleep(500);
  YES("goes on", shared[0] > before);
  put("/cold/cgroup.freeze", "1");
  YES("frozen", becomes("/cold/cgroup.events", "frozen 1"));
  int status = 0;
  MUST(kill(pid, SIGKILL));
  MUST(waitpid(pid, &status, 0));
  say("a frozen one can be killed: %d", WTERMSIG(status));
  MUST(rmdir(at("/cold/in")));
  MUST(rmdir(at("/cold")));
}

static void killing(void) {
  MUST(mkdir(at("/doomed"), 0755));
  MUST(mkdir(at("/doomed/in"), 0755));
  pid_t a = sleeper(), b = sleeper();
  say("moves: %s", put_pid("/doomed/cgroup.procs", a));
  say("moves: %s", put_pid("/doomed/in/cgroup.procs", b));
  say("kill: %s", put("/doomed/cgroup.kill", "1"));
  int status = 0;
  MUST(waitpid(a, &status, 0));
  NUM("killed", WTERMSIG(status));
  MUST(waitpid(b, &status, 0));
  NUM("killed", WTERMSIG(status));
  YES("empty", becomes("/doomed/cgroup.events", "populated 0"));
  MUST(rmdir(at("/doomed/in")));
  MUST(rmdir(at("/doomed")));
}

static void threads(void) {
  MUST(mkdir(at("/tr"), 0755));
  MUST(mkdir(at("/tr/one"), 0755));
  MUST(mkdir(at("/tr/two"), 0755));
  say("there is no way to a domain: %s", put("/tr/one/cgroup.type", "domain"));
  say("threaded: %s", put("/tr/one/cgroup.type", "threaded"));
  say("one: %s", get("/tr/one/cgroup.type"));
  say("above: %s", get("/tr/cgroup.type"));
  say("beside: %s", get("/tr/two/cgroup.type"));
  say("procs of a threaded one: %s", get("/tr/one/cgroup.procs"));
  pid_t pid = sleeper();
  say("into an invalid one: %s", put_pid("/tr/two/cgroup.procs", pid));
  say("into the domain: %s", put_pid("/tr/cgroup.procs", pid));
  say("as a thread: %s", put_pid("/tr/one/cgroup.threads", pid));
  say("is in: %s", where(pid));
  YES("the domain lists it", atoi(get("/tr/cgroup.procs")) == pid);
  YES("the domain has no thread", get("/tr/cgroup.threads")[0] == 0);
  MUST(mkdir(at("/out"), 0755));
  say("as a thread to another domain: %s", put_pid("/out/cgroup.threads", pid));
  say("as a process: %s", put_pid("/out/cgroup.procs", pid));
  MUST(kill(pid, SIGKILL));
  MUST(waitpid(pid, NULL, 0));
  MUST(becomes("/out/cgroup.events", "populated 0") ? 0 : -1);
  MUST(rmdir(at("/out")));
  MUST(rmdir(at("/tr/one")));
  MUST(rmdir(at("/tr/two")));
  MUST(rmdir(at("/tr")));
}

/* struct clone_args, 88 bytes. */
struct clone_arguments {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
#define INTO_CGROUP 0x200000000ULL

static long clone_into(uint64_t fd, size_t size) {
  struct clone_arguments args = {.flags = INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = fd};
  long pid = syscall(SYS_clone3, &args, size);
  if (pid == 0) {
    say("born in: %s", where(getpid()));
    _exit(0);
  }
  if (pid > 0) waitpid((pid_t)pid, NULL, 0);
  return pid;
}

static void cloning(void) {
  MUST(mkdir(at("/born"), 0755));
  int dir = open(at("/born"), O_RDONLY | O_DIRECTORY);
  ERR("clone into", clone_into((uint64_t)dir, sizeof(struct clone_arguments)));
  ERR("without the field", clone_into((uint64_t)dir, 80));
  ERR("no descriptor", clone_into(999, sizeof(struct clone_arguments)));
  ERR("a number that is none", clone_into(1ULL << 31, sizeof(struct clone_arguments)));
  int other = open("/tmp", O_RDONLY | O_DIRECTORY);
  ERR("no cgroup", clone_into((uint64_t)other, sizeof(struct clone_arguments)));
  close(other);
  YES("empty", becomes("/born/cgroup.events", "populated 0"));
  MUST(rmdir(at("/born")));
  ERR("removed", clone_into((uint64_t)dir, sizeof(struct clone_arguments)));
  close(dir);
}

/* What a process of a namespace of its own sees: where it is now is the root. */
static const char *shown(const char *name) {
  static char line[1024];
  int fd = open(name, O_RDONLY);
  ssize_t n = read(fd, line, sizeof line - 1);
  close(fd);
  line[n > 0 ? n : 0] = 0;
  char *own = strstr(line, "0::");
  char *end = own ? strchr(own, '\n') : NULL;
  if (end) *end = 0;
  return own ? own : "none";
}

static void namespaces(void) {
  struct stat before, after;
  MUST(mkdir(at("/ns"), 0755));
  MUST(mkdir(at("/ns/in"), 0755));
  pid_t other = sleeper();
  MUST(strcmp(put_pid("/cgroup.procs", other), "ok") ? -1 : 0);
  pid_t pid = fork();
  if (pid == 0) {
    MUST(strcmp(put("/ns/cgroup.procs", "0"), "ok") ? -1 : 0);
    MUST(stat("/proc/self/ns/cgroup", &before));
    RET("unshare", unshare(CLONE_NEWCGROUP));
    MUST(stat("/proc/self/ns/cgroup", &after));
    YES("another one", before.st_ino != after.st_ino);
    say("is the root: %s", shown("/proc/self/cgroup"));
    MUST(strcmp(put("/ns/in/cgroup.procs", "0"), "ok") ? -1 : 0);
    say("below: %s", shown("/proc/self/cgroup"));
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/cgroup", other);
    say("above: %s", shown(name));
    MUST(strcmp(put("/cgroup.procs", "0"), "ok") ? -1 : 0);
    say("it leaves: %s", shown("/proc/self/cgroup"));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  MUST(kill(other, SIGKILL));
  MUST(waitpid(other, NULL, 0));
  YES("empty", becomes("/cgroup.events", "populated 0"));
  MUST(rmdir(at("/ns/in")));
  MUST(rmdir(at("/ns")));
}

int main(void) {
  if (!find_mount()) {
    say("there is no cgroup2");
    return 1;
  }
  strcat(base, "/fl-core");
  rmdir(base);
  MUST(mkdir(base, 0755));
  names();
  processor();
  refusals();
  members();
  inheritance();
  removed();
  freezing();
  killing();
  threads();
  cloning();
  namespaces();
  ERR("the end", rmdir(base));
  return 0;
}
