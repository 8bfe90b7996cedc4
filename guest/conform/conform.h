/*
 * Conformance cases: small programs in one file a call, each case in a forked child of its own.
 *
 * To add a case: write in guest/conform/CALL.c (a new file begins with #include "conform.h")
 *
 *   CASE("mmap", "MAP_FIXED_NOREPLACE", "over an existing mapping") {
 *     char *p = area(4);
 *     RESULT("map there", kmmap(p, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
 *     MAPS("after", p, 4);
 *   }
 *
 * then `npm run conform -- --record CALL` (on a Linux 6.18, writes expected/CALL.txt) and `npm run conform` (compares, writes
 * docs/conformance.md); commit all of it. The three texts are: the call; the flag, errno or fault code that the case is about
 * (rows of the document: one name each, "" for plain use); what the case does. A fatal signal is a result: its name, si_code and
 * place are printed. A case must print the same on every run and on every architecture: no addresses (MARK(p) makes the place of
 * a fault relative to p), pids, times, sizes of the address space; the k... functions below are system calls without a C library
 * in between. What changes /proc/sys goes into sysctl-NAME.c, which is run natively only with --sysctl, and uses set_sysctl(),
 * which is undone after the case. Where the native machine cannot decide (hardware, configuration of its kernel), the result that
 * is right for riscv64 and the reason stand in expected/explained.txt.
 */
#ifndef CONFORM_H
#define CONFORM_H
#include "../check.h"
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* ---- constants that an older C library may lack ---- */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif
#ifndef PROT_SEM
#define PROT_SEM 8
#endif
#ifndef PROT_GROWSDOWN
#define PROT_GROWSDOWN 0x01000000
#define PROT_GROWSUP 0x02000000
#endif
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* ---- system calls without a C library in between; -1 and errno as usual ---- */
static inline char *kmmap(void *at, size_t n, int prot, int flags, int fd, off_t off) {
  return (char *)syscall(SYS_mmap, at, n, (long)prot, (long)flags, (long)fd, off);
}
static inline long kmunmap(void *p, size_t n) { return syscall(SYS_munmap, p, n); }
static inline long kmprotect(void *p, size_t n, long prot) { return syscall(SYS_mprotect, p, n, prot); }
static inline char *kmremap(void *p, size_t old, size_t n, long flags, void *to) {
  return (char *)syscall(SYS_mremap, p, old, n, flags, to);
}
static inline long kmadvise(void *p, size_t n, long advice) { return syscall(SYS_madvise, p, n, advice); }
static inline long kmsync(void *p, size_t n, long flags) { return syscall(SYS_msync, p, n, flags); }
static inline long kmincore(void *p, size_t n, void *vec) { return syscall(SYS_mincore, p, n, vec); }
static inline long kmlock(void *p, size_t n) { return syscall(SYS_mlock, p, n); }
static inline long kmlock2(void *p, size_t n, long flags) { return syscall(SYS_mlock2, p, n, flags); }
static inline long kmunlock(void *p, size_t n) { return syscall(SYS_munlock, p, n); }
static inline long kmlockall(long flags) { return syscall(SYS_mlockall, flags); }
static inline long kmunlockall(void) { return syscall(SYS_munlockall); }
/* The break that results: the old one where the new one cannot be had. */
static inline char *kbrk(void *p) { return (char *)syscall(SYS_brk, p); }

/* ---- results ---- */
/* "what: ok" (0 or an address) or "what: ERRNO". */
#define RESULT(what, call) ERR(what, call)
/* "what: NUMBER" or "what: ERRNO". */
#define COUNT(what, call) RET(what, call)
/* Lines of /proc/self/maps in [p, p + pages), relative to p. */
#define MAPS(what, p, pages) show_maps(what, (char *)(p), pages)
/* Where a call put something, relative to an address: "what: +2 pages", or the errno. */
#define PLACE(what, call, base) do { errno = 0; char *p_ = (char *)(call); \
  if (p_ == (char *)-1) say("%s: %s", what, err_name(errno)); else if (p_ == (char *)(base)) say("%s: there", what); \
  else if (p_ > (char *)(base) - 1024 * PG && p_ < (char *)(base) + 1024 * PG) \
    say("%s: %+ld bytes", what, (long)(p_ - (char *)(base))); else say("%s: elsewhere", what); } while (0)
/* What a plain access does: READS(what, p), WRITES(what, p) of check.h; JUMPS runs the code there. */
#define JUMPS(what, p) say("jump to %s: %s", what, probe((char *)(p), 'x'))
/* "what: a" for a printable byte, "what: 0", "what: 0x7f". */
#define BYTE(what, p) do { unsigned char b_ = *(volatile unsigned char *)(p); \
  if (b_ > 32 && b_ < 127) say("%s: %c", what, b_); else if (b_ == 0) say("%s: 0", what); else say("%s: 0x%x", what, b_); } while (0)

static char *volatile conform_mark;
/* Addresses of fatal faults are printed relative to p. */
#define MARK(p) (conform_mark = (char *)(p))

/* n pages of anonymous memory, read-write, untouched, between two PROT_NONE neighbours with which nothing merges. */
static inline char *area(long pages) {
  char *p = reserve(pages);
  MUST(kmmap(p, (size_t)(pages * PG), RW, ANON | MAP_FIXED, -1, 0));
  return p;
}
/* n pages where nothing is mapped, and nothing will be unless asked for. */
static inline char *hole(long pages) {
  char *p = reserve(pages);
  MUST(kmunmap(p, (size_t)(pages * PG)));
  return p;
}

/* A new file of `pages` pages ("a", "b" ... pages of letters), open read-write: on the file system of /tmp, and in memory. */
static inline int disk(const char *name, long pages) { return letters(name, pages); }
static inline int shm(long pages) {
  int fd = (int)syscall(SYS_memfd_create, "shm", 3 /* CLOEXEC, ALLOW_SEALING */);
  char page[PG];
  for (long i = 0; i < pages; i++) {
    memset(page, 'a' + (int)(i % 26), sizeof page);
    if (write(fd, page, sizeof page) != PG) _exit(97);
  }
  return fd;
}
static inline long kpkey_mprotect(void *p, size_t n, long prot, long key) { return syscall(SYS_pkey_mprotect, p, n, prot, key); }

/* Becomes nobody: CAP_IPC_LOCK, CAP_SYS_RAWIO ... are gone. */
static inline void drop_root(void) { MUST(setresgid(65534, 65534, 65534)); MUST(setresuid(65534, 65534, 65534)); }
static inline void limit(int resource, rlim_t value) {
  struct rlimit now;
  MUST(getrlimit(resource, &now));
  now.rlim_cur = value;
  MUST(setrlimit(resource, &now));
}

static inline const char *signal_name(int sig) {
  static char other[16];
  switch (sig) {
  case SIGSEGV: return "SIGSEGV";
  case SIGBUS: return "SIGBUS";
  case SIGILL: return "SIGILL";
  case SIGFPE: return "SIGFPE";
  case SIGTRAP: return "SIGTRAP";
  case SIGKILL: return "SIGKILL";
  case SIGALRM: return "SIGALRM";
  case SIGSYS: return "SIGSYS";
  case SIGPIPE: return "SIGPIPE";
  case SIGABRT: return "SIGABRT";
  case SIGXFSZ: return "SIGXFSZ";
  }
  snprintf(other, sizeof other, "signal %d", sig);
  return other;
}
static inline const char *signal_code(int sig, int code) {
  static char other[16];
  if (code == SI_USER) return "SI_USER";
  if (code == SI_KERNEL) return "SI_KERNEL";
  if (sig == SIGSEGV && code == SEGV_MAPERR) return "SEGV_MAPERR";
  if (sig == SIGSEGV && code == SEGV_ACCERR) return "SEGV_ACCERR";
  if (sig == SIGBUS && code == BUS_ADRALN) return "BUS_ADRALN";
  if (sig == SIGBUS && code == BUS_ADRERR) return "BUS_ADRERR";
  if (sig == SIGBUS && code == BUS_OBJERR) return "BUS_OBJERR";
  if (sig == SIGILL) return "SIGILL";
  snprintf(other, sizeof other, "code %d", code);
  return other;
}

/* ---- /proc ---- */
/* The first number in a file, or -1. */
static inline long read_number(const char *path) {
  char text[64] = {0};
  int fd = open(path, O_RDONLY);
  if (fd == -1) return -1;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 0 ? strtol(text, NULL, 0) : -1;
}
/* The number of a line "NAME:   123 kB" of a file like /proc/self/status, or -1. */
static inline long read_field(const char *path, const char *name) {
  static char text[16384];
  int fd = open(path, O_RDONLY);
  if (fd == -1) return -1;
  ssize_t n = 0, got;
  while (n < (ssize_t)sizeof text - 1 && (got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  text[n] = 0;
  size_t length = strlen(name);
  for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (!strncmp(line, name, length) && line[length] == ':') return strtol(line + length + 1, NULL, 10);
  return -1;
}
/* A field of the mapping that holds p in /proc/self/smaps, as text after the colon without blanks before it; "" if none. Takes no
   memory: a C library's buffer could land in the hole that a case looks at. */
static inline const char *smaps_text(void *p, const char *name) {
  static char all[1 << 18], text[512];
  int inside = 0, fd = open("/proc/self/smaps", O_RDONLY);
  size_t length = strlen(name);
  long n = 0, got;
  while (fd != -1 && n < (long)sizeof all - 1 && (got = read(fd, all + n, sizeof all - 1 - (size_t)n)) > 0) n += got;
  if (fd != -1) close(fd);
  all[n] = 0;
  for (char *line = all, *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to;
    *end = 0;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2) inside = (unsigned long)p >= from && (unsigned long)p < to;
    else if (inside && !strncmp(line, name, length) && line[length] == ':') {
      char *value = line + length + 1;
      while (*value == ' ') value++;
      snprintf(text, sizeof text, "%s", value);
      return text;
    }
  }
  return "";
}
static inline long smaps_number(void *p, const char *name) { return strtol(smaps_text(p, name), NULL, 10); }
/* VmFlags of the mapping that holds p, without "sd" (a kernel without soft-dirty does not show it). */
static inline void show_flags(const char *what, void *p) {
  char shown[512] = "";
  char all[512];
  snprintf(all, sizeof all, "%s", smaps_text(p, "VmFlags"));
  for (char *flag = strtok(all, " "); flag; flag = strtok(NULL, " "))
    if (strcmp(flag, "sd")) { strcat(shown, " "); strcat(shown, flag); }
  say("%s:%s", what, shown);
}
#define FLAGS(what, p) show_flags(what, p)

/* ---- /proc/sys, put back by the parent after the case ---- */
struct conform_sysctl { char path[96], old[64]; };
static struct conform_shared { int count; struct conform_sysctl sysctls[16]; } *conform_shared;
static inline int write_sysctl(const char *path, const char *value) {
  int fd = open(path, O_WRONLY);
  if (fd == -1) return -1;
  ssize_t n = write(fd, value, strlen(value));
  int saved = errno;
  close(fd);
  errno = saved;
  return n == (ssize_t)strlen(value) ? 0 : -1;
}
/* set_sysctl("vm/max_map_count", "100"): 0, or -1 and errno. */
static inline int set_sysctl(const char *name, const char *value) {
  struct conform_sysctl *entry = &conform_shared->sysctls[conform_shared->count];
  snprintf(entry->path, sizeof entry->path, "/proc/sys/%s", name);
  int fd = open(entry->path, O_RDONLY);
  ssize_t n = fd == -1 ? -1 : read(fd, entry->old, sizeof entry->old - 1);
  if (fd != -1) close(fd);
  if (n > 0) { entry->old[n] = 0; conform_shared->count++; }
  return write_sysctl(entry->path, value);
}
static inline void undo_sysctls(void) {
  while (conform_shared->count > 0) {
    struct conform_sysctl *entry = &conform_shared->sysctls[--conform_shared->count];
    if (write_sysctl(entry->path, entry->old) != 0) say("MUST failed: %s cannot be put back", entry->path);
  }
}

/* ---- the cases ---- */
struct conform_case { const char *call, *topic, *text; void (*run)(void); int line; struct conform_case *next; };
static struct conform_case *conform_cases;
static inline void add_case(struct conform_case *entry) {
  struct conform_case **at = &conform_cases;
  while (*at && (*at)->line < entry->line) at = &(*at)->next;
  entry->next = *at;
  *at = entry;
}
#define CASE(call, topic, text) CASE_AT_(call, topic, text, __LINE__)
#define CASE_AT_(call, topic, text, line) CASE_NAMED_(call, topic, text, line)
#define CASE_NAMED_(call, topic, text, at_line) \
  static void case_##at_line(void); \
  static struct conform_case entry_##at_line = {call, topic, text, case_##at_line, at_line, NULL}; \
  __attribute__((constructor)) static void add_##at_line(void) { add_case(&entry_##at_line); } \
  static void case_##at_line(void)

static char conform_stack[65536];
static inline void conform_fatal(int sig, siginfo_t *info, void *context) {
  (void)context;
  char *mark = conform_mark, *at = info->si_addr;
  if (info->si_code <= 0 || mark == NULL) say("%s %s", signal_name(sig), signal_code(sig, info->si_code));
  else if (at > mark - 1024 * PG && at < mark + 1024 * PG)
    say("%s %s at %+ld", signal_name(sig), signal_code(sig, info->si_code), (long)(at - mark));
  else say("%s %s elsewhere", signal_name(sig), signal_code(sig, info->si_code));
  signal(sig, SIG_DFL);
  kill(getpid(), sig);
}
static inline void run_case(struct conform_case *entry) {
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
  stack_t stack = {.ss_sp = conform_stack, .ss_size = sizeof conform_stack};
  struct sigaction action = {0};
  setpgid(0, 0);
  sigaltstack(&stack, NULL);
  action.sa_sigaction = conform_fatal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) sigaction(fatal[i], &action, NULL);
  alarm(30);
  entry->run();
  _exit(0);
}

/* Plain files that a case left in the scratch folder. */
static inline void remove_files(void) {
  DIR *folder = opendir(".");
  for (struct dirent *entry; folder && (entry = readdir(folder));) (void)unlink(entry->d_name);
  if (folder) closedir(folder);
}

/* Runs the cases whose "call | topic | text" contains the argument, or all. */
int main(int argc, char **argv) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  scratch();
  conform_shared = (struct conform_shared *)map_anon(1, RW, MAP_SHARED);
  for (struct conform_case *entry = conform_cases; entry; entry = entry->next) {
    char name[256];
    snprintf(name, sizeof name, "%s | %s | %s", entry->call, entry->topic, entry->text);
    if (argc > 1 && !strstr(name, argv[1])) continue;
    say("== %s", name);
    pid_t pid = fork();
    if (pid == 0) run_case(entry);
    int status = 0;
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR) {}
    kill(-pid, SIGKILL); /* what the case left running */
    undo_sysctls();
    remove_files();
    if (WIFSIGNALED(status)) say("killed by %s", signal_name(WTERMSIG(status)));
    else if (status != 0) say("%s", status_text(status));
  }
  return 0;
}
#endif
