/*
 * Memory cgroups as Documentation/admin-guide/cgroup-v2.rst and the kernel's own tests
 * (tools/testing/selftests/cgroup/test_memcontrol.c, test_core.c, test_pids.c) say that they are. Needs swap.
 */
#include "../../../guest/check.h"

#define ROOT "/sys/fs/cgroup"
#define MIB (1L << 20)

static char text[8192];

static const char *get(const char *path) {
  char full[512];
  snprintf(full, sizeof full, ROOT "/%s", path);
  int fd = open(full, O_RDONLY);
  if (fd < 0) return err_name(errno);
  ssize_t n = read(fd, text, sizeof text - 1);
  int error = errno;
  close(fd);
  if (n < 0) return err_name(error);
  text[n] = 0;
  while (n > 0 && text[n - 1] == '\n') text[--n] = 0;
  for (char *c = text; *c; c++)
    if (*c == '\n') *c = '|';
  return text;
}

static const char *put(const char *path, const char *what) {
  char full[512];
  snprintf(full, sizeof full, ROOT "/%s", path);
  int fd = open(full, O_WRONLY);
  if (fd < 0) return err_name(errno);
  ssize_t n = write(fd, what, strlen(what));
  int error = errno;
  close(fd);
  return n < 0 ? err_name(error) : "ok";
}

static int make(const char *path) {
  char full[512];
  snprintf(full, sizeof full, ROOT "/%s", path);
  return mkdir(full, 0755);
}

static int drop(const char *path) {
  char full[512];
  snprintf(full, sizeof full, ROOT "/%s", path);
  return rmdir(full);
}

static long number(const char *path) { return atol(get(path)); }

/* The value behind a key of a file of such lines; -1: there is none. */
static long value(const char *path, const char *key) {
  size_t length = strlen(key);
  for (const char *line = get(path); line && *line; line = strchr(line, '|') ? strchr(line, '|') + 1 : NULL)
    if (!strncmp(line, key, length) && line[length] == ' ') return atol(line + length + 1);
  return -1;
}

static char *take(long bytes) {
  char *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (long i = 0; i < bytes; i += PG) memory[i] = (char)(i / PG + 1);
  return memory;
}

/* Is what take wrote still there? */
static int holds(const char *memory, long bytes) {
  for (long i = 0; i < bytes; i += PG)
    if (memory[i] != (char)(i / PG + 1)) return 0;
  return 1;
}

/* Runs `body` in a process of the cgroup; how it ended. */
static int in(const char *group, int (*body)(void)) {
  char procs[256];
  snprintf(procs, sizeof procs, "%s/cgroup.procs", group);
  pid_t pid = fork();
  if (pid == 0) {
    if (strcmp(put(procs, "0"), "ok")) _exit(97);
    _exit(body());
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

static void controllers(void) {
  say("controllers: %s", get("cgroup.controllers"));
  say("handed down at boot: %s", get("cgroup.subtree_control"));
  MUST(make("a"));
  say("without the controller: %s", get("a/memory.max"));
  say("not handed down: %s", put("a/cgroup.subtree_control", "+memory"));
  say("handed down: %s", put("cgroup.subtree_control", "+memory +pids"));
  say("a has: %s", get("a/cgroup.controllers"));
  say("with it: %s", get("a/memory.max"));
  MUST(make("a/b"));
  pid_t pid = fork();
  if (pid == 0)
    for (;;) pause();
  char number[24];
  snprintf(number, sizeof number, "%d", pid);
  say("a process in a: %s", put("a/cgroup.procs", number));
  say("no internal processes: %s", put("a/cgroup.subtree_control", "+memory"));
  say("a process in b: %s", put("a/b/cgroup.procs", number));
  say("now: %s", put("a/cgroup.subtree_control", "+memory"));
  say("no process where children compete: %s", put("a/cgroup.procs", number));
  say("a child has it: %s", put("cgroup.subtree_control", "-memory"));
  say("taken back: %s", put("a/cgroup.subtree_control", "-memory"));
  say("its files are gone: %s", get("a/b/memory.max"));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  MUST(drop("a/b"));
  MUST(drop("a"));
}

static void tunables(void) {
  MUST(make("a"));
  say("max: %s", get("a/memory.max"));
  say("min low high: %s", get("a/memory.min"));
  say("low: %s", get("a/memory.low"));
  say("high: %s", get("a/memory.high"));
  say("swap.max: %s", get("a/memory.swap.max"));
  say("events: %s", get("a/memory.events"));
  say("events.local: %s", get("a/memory.events.local"));
  say("swap.events: %s", get("a/memory.swap.events"));
  say("oom.group: %s", get("a/memory.oom.group"));
  say("current: %s", get("a/memory.current"));
  say("write 10M: %s", put("a/memory.max", "10M\n"));
  say("max: %s", get("a/memory.max"));
  say("pages are whole: %s", put("a/memory.low", "5000"));
  say("low: %s", get("a/memory.low"));
  say("max again: %s", put("a/memory.max", "max"));
  say("no number: %s", put("a/memory.max", "abc"));
  say("a bad unit: %s", put("a/memory.max", "10Q"));
  say("oom.group 2: %s", put("a/memory.oom.group", "2"));
  say("root has no limit: %s", get("memory.max"));
  say("root has statistics: %s", value("memory.stat", "anon") > 0 ? "yes" : "no");
  MUST(drop("a"));
}

static int counted(void) {
  long before = number("a/memory.current");
  char *memory = take(4 * MIB);
  long more = number("a/memory.current") - before;
  YES("current grows by it", more >= 4 * MIB && more < 4 * MIB + MIB / 4);
  NUM("anon", value("a/memory.stat", "anon") >= 4 * MIB);
  YES("as the node says", strstr(get("a/memory.numa_stat"), "anon N0=") == text);
  YES("page tables count", value("a/memory.stat", "pagetables") >= 2 * PG);
  YES("slab objects count", value("a/memory.stat", "slab") > 1000);
  YES("faults count", value("a/memory.stat", "pgfault") >= 1024);
  int fd = open("/tmp/cgroup-file", O_CREAT | O_RDWR, 0644);
  for (int i = 0; i < 256; i++)
    if (write(fd, memory, PG) != PG) return 1;
  YES("shmem", value("a/memory.stat", "shmem") == MIB);
  YES("file", value("a/memory.stat", "file") == MIB);
  say("leaves: %s", put("cgroup.procs", "0"));
  YES("its charges stay", value("a/memory.stat", "anon") >= 4 * MIB);
  munmap(memory, 4 * MIB);
  YES("freed is freed", value("a/memory.stat", "anon") < MIB / 4);
  close(fd);
  return 0;
}

static void counting(void) {
  MUST(make("a"));
  NUM("status", in("a", counted));
  YES("the peak stays", number("a/memory.peak") >= 5 * MIB);
  YES("the file stays", value("a/memory.stat", "shmem") == MIB);
  long dying = value("cgroup.stat", "nr_dying_descendants");
  MUST(drop("a"));
  NUM("dying", value("cgroup.stat", "nr_dying_descendants") - dying);
  MUST(unlink("/tmp/cgroup-file"));
  NUM("gone", value("cgroup.stat", "nr_dying_descendants") - dying);
}

static int eight_mib(void) {
  char *memory = take(8 * MIB);
  return holds(memory, 8 * MIB) ? 0 : 1;
}

static void limiting(void) {
  MUST(make("a"));
  MUST(make("a/b"));
  put("a/cgroup.subtree_control", "+memory");
  say("max: %s", put("a/memory.max", "2M"));
  NUM("with swap it ends well", in("a/b", eight_mib));
  YES("within the limit", number("a/memory.peak") <= 2 * MIB);
  YES("events of the limit's owner", value("a/memory.events.local", "max") > 0);
  NUM("events of the one below", value("a/b/memory.events", "max"));
  YES("swapped", number("a/memory.swap.peak") >= 5 * MIB);
  NUM("and nothing is left", number("a/memory.swap.current"));
  NUM("killed", value("a/memory.events", "oom_kill"));
  say("no swap: %s", put("a/memory.swap.max", "0"));
  NUM("without swap it is killed", WTERMSIG(in("a/b", eight_mib)));
  NUM("oom of the limit's owner", value("a/memory.events.local", "oom"));
  NUM("oom of the one below", value("a/b/memory.events", "oom"));
  NUM("killed below", value("a/b/memory.events.local", "oom_kill"));
  NUM("killed above", value("a/memory.events", "oom_kill"));
  NUM("killed above, local", value("a/memory.events.local", "oom_kill"));
  MUST(drop("a/b"));
  MUST(drop("a"));
}

static int with_sleeper(void) {
  if (fork() == 0)
    for (;;) pause();
  return eight_mib();
}

static void group(void) {
  MUST(make("a"));
  put("a/memory.max", "2M");
  put("a/memory.swap.max", "0");
  say("oom.group: %s", put("a/memory.oom.group", "1"));
  NUM("killed", WTERMSIG(in("a", with_sleeper)));
  NUM("both", value("a/memory.events", "oom_kill"));
  NUM("as a group", value("a/memory.events", "oom_group_kill"));
  for (int i = 0; i < 1000 && value("a/cgroup.events", "populated"); i++) usleep(1000);
  NUM("populated", value("a/cgroup.events", "populated"));
  MUST(drop("a"));
}

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int three_mib(void) { return holds(take(3 * MIB), 3 * MIB) ? 0 : 1; }

/* total= of the first line, in us. */
static long stalled(const char *name) {
  const char *at = strstr(get(name), "total=");
  return at ? strtol(at + 6, NULL, 10) : -1;
}

static void high(void) {
  MUST(make("a"));
  say("high: %s", put("a/memory.high", "2M"));
  NUM("with swap", in("a", eight_mib));
  YES("is kept down", number("a/memory.peak") < 3 * MIB);
  YES("events", value("a/memory.events", "high") > 0);
  put("a/memory.swap.max", "0");
  long before = milliseconds();
  NUM("without swap it goes on", in("a", three_mib));
  YES("slowly", milliseconds() - before > 500);
  NUM("nobody is killed", value("a/memory.events", "oom_kill"));
  YES("some waited for memory", stalled("a/memory.pressure") > 500 * 1000);
  YES("and so the machine's tasks did", stalled("memory.pressure") >= stalled("a/memory.pressure"));
  NUM("for no disk", stalled("a/io.pressure"));
  MUST(drop("a"));
}

static int reclaimed(void) {
  char *memory = take(4 * MIB);
  long before = number("a/memory.current");
  say("reclaim 1M: %s", put("a/memory.reclaim", "1M"));
  YES("is gone", before - number("a/memory.current") >= MIB - 16 * PG);
  YES("to swap", number("a/memory.swap.current") >= MIB);
  say("more than there is: %s", put("a/memory.reclaim", "64M"));
  say("swappiness=0: %s", put("a/memory.reclaim", "1M swappiness=0"));
  say("a bad option: %s", put("a/memory.reclaim", "1M speed=3"));
  say("not read: %s", get("a/memory.reclaim"));
  NUM("proactive", value("a/memory.stat", "pgsteal_proactive") >= 256);
  return holds(memory, 4 * MIB) ? 0 : 1;
}

static void reclaiming(void) {
  MUST(make("a"));
  NUM("status", in("a", reclaimed));
  MUST(drop("a"));
}

static int forks(void) {
  pid_t first = fork();
  if (first == 0)
    for (;;) pause();
  pid_t second = fork();
  int error = errno;
  if (second == 0) _exit(0);
  say("a third: %s", second < 0 ? err_name(error) : "ok");
  kill(first, SIGKILL);
  waitpid(first, NULL, 0);
  pid_t again = fork();
  if (again == 0) _exit(0);
  waitpid(again, NULL, 0);
  say("then: %s", again < 0 ? "no" : "ok");
  return 0;
}

static void pids(void) {
  MUST(make("a"));
  say("pids.max: %s", get("a/pids.max"));
  say("0 is a limit, too: %s", put("a/pids.max", "0"));
  say("-1 is none: %s", put("a/pids.max", "-1"));
  say("2: %s", put("a/pids.max", "2"));
  NUM("status", in("a", forks));
  say("events: %s", get("a/pids.events"));
  NUM("current", number("a/pids.current"));
  NUM("peak", number("a/pids.peak"));
  MUST(drop("a"));
}

static int whose(void) {
  static const char kpage[] = "/proc/kpagecgroup";
  char *memory = take(PG);
  uint64_t entry = 0, ino = 0;
  struct stat st;
  int map = open("/proc/self/pagemap", O_RDONLY), owners = open(kpage, O_RDONLY);
  MUST(pread(map, &entry, 8, (off_t)((uintptr_t)memory / PG * 8)));
  MUST(pread(owners, &ino, 8, (off_t)((entry & ((1ULL << 55) - 1)) * 8)));
  MUST(stat(ROOT "/a", &st));
  YES("kpagecgroup has the directory's number", ino == st.st_ino);
  return 0;
}

static void owners(void) {
  MUST(make("a"));
  NUM("status", in("a", whose));
  MUST(drop("a"));
}

static int aged(void) {
  for (int i = 0; i < 3; i++)
    if (fork() == 0) _exit(0);
  for (int i = 0; i < 3; i++) wait(NULL);
  char *memory = take(MIB);
  pid_t child = fork();
  if (child == 0) {
    for (long i = 0; i < MIB; i += PG) memory[i]++;
    _exit(0);
  }
  waitpid(child, NULL, 0);
  return holds(memory, MIB) ? 0 : 1;
}

static void disabling(void) {
  MUST(make("a"));
  NUM("status", in("a", aged));
  pid_t pid = fork();
  int go[2];
  MUST(pipe(go));
  (void)pid;
  if (pid == 0) {
    put("a/cgroup.procs", "0");
    take(MIB);
    for (;;) pause();
  }
  for (int i = 0; i < 2000 && value("a/memory.stat", "anon") < MIB; i++) usleep(500);
  say("without the controllers: %s", put("cgroup.subtree_control", "-memory -pids"));
  say("controllers: '%s'", get("a/cgroup.controllers"));
  NUM("what was charged dies", value("cgroup.stat", "nr_dying_subsys_memory"));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  NUM("and is gone", value("cgroup.stat", "nr_dying_subsys_memory"));
  MUST(drop("a"));
}

int main(void) {
  controllers();
  tunables();
  counting();
  limiting();
  group();
  high();
  reclaiming();
  pids();
  owners();
  disabling();
  return 0;
}
