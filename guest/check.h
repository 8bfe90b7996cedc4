/*
 * Small helpers of the guest programs. Each check prints one line; what a line says is the same on every Linux machine:
 * no addresses, pids, times or C library texts (error names come from the table below, not from strerror).
 */
#ifndef CHECK_H
#define CHECK_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PG 4096L

static inline const char *err_name(int e) {
#define E_(n) case n: return #n;
  switch (e) {
  E_(EPERM) E_(ENOENT) E_(ESRCH) E_(EINTR) E_(EIO) E_(ENXIO) E_(E2BIG) E_(ENOEXEC) E_(EBADF) E_(ECHILD) E_(EAGAIN)
  E_(ENOMEM) E_(EACCES) E_(EFAULT) E_(EBUSY) E_(EEXIST) E_(EXDEV) E_(ENODEV) E_(ENOTDIR) E_(EISDIR) E_(EINVAL)
  E_(ENFILE) E_(EMFILE) E_(ENOTTY) E_(ETXTBSY) E_(EFBIG) E_(ENOSPC) E_(ESPIPE) E_(EROFS) E_(EMLINK) E_(EPIPE)
  E_(EDOM) E_(ERANGE) E_(EDEADLK) E_(ENAMETOOLONG) E_(ENOSYS) E_(ENOTEMPTY) E_(ELOOP) E_(ETIMEDOUT) E_(EOVERFLOW)
  E_(EOPNOTSUPP) E_(EOWNERDEAD) E_(ENOTRECOVERABLE)
  }
#undef E_
  static char other[16];
  snprintf(other, sizeof other, "errno %d", e);
  return other;
}

/* One line, written at once: output of parent and child never mixes inside a line, and fork copies no buffer. */
static inline void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void say(const char *format, ...) {
  char line[1024];
  int saved = errno;
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line - 1, format, list);
  va_end(list);
  if (n > (int)sizeof line - 2) n = sizeof line - 2;
  line[n++] = '\n';
  if (write(1, line, (size_t)n) != n) _exit(99);
  errno = saved;
}

#define YES(what, condition) say("%s: %s", what, (condition) ? "yes" : "NO")
#define NUM(what, value) say("%s: %ld", what, (long)(value))

/* A call's success ("ok") or its error's name; the value itself may differ between machines. */
#define ERR(what, call) do { errno = 0; long r_ = (long)(call); if (r_ == -1) say("%s: %s", what, err_name(errno)); \
  else say("%s: ok", what); } while (0)
/* The same with the value of a successful call. */
#define RET(what, call) do { errno = 0; long r_ = (long)(call); if (r_ == -1) say("%s: %s", what, err_name(errno)); \
  else say("%s: %ld", what, r_); } while (0)
/* Setup that must work for the program to make sense. */
#define MUST(call) must_((long)(call), #call)
static inline void must_(long result, const char *call) {
  if (result != -1) return;
  say("MUST failed: %s: %s", call, err_name(errno));
  _exit(98);
}

/* Keeps the compiler from knowing where a pointer points. */
static inline void *hide(void *p) { __asm__ volatile("" : "+r"(p)); return p; }

/* ---- memory ---- */
static inline char *map_anon(long pages, int prot, int flags) {
  void *p = mmap(NULL, (size_t)(pages * PG), prot, flags | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) { say("map_anon: %s", err_name(errno)); _exit(98); }
  return p;
}
/* A region of our own that no neighbour merges with, so that lines of maps in it are predictable. */
static inline char *reserve(long pages) { return map_anon(pages + 2, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE) + PG; }

/* The lines of /proc/self/maps inside [base, base + pages), in pages relative to base: "[0,4) rw-p @0". */
static inline void show_maps(const char *title, char *base, long pages) {
  static char text[65536];
  long n = 0, got;
  int fd = open("/proc/self/maps", O_RDONLY);
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  text[n] = 0;
  say("%s:", title);
  unsigned long lo = (unsigned long)base, hi = lo + (unsigned long)(pages * PG);
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to, off;
    char perms[8];
    *end = 0;
    if (sscanf(line, "%lx-%lx %7s %lx", &from, &to, perms, &off) != 4 || to <= lo || from >= hi) continue;
    if (from < lo) from = lo;
    if (to > hi) to = hi;
    const char *path = strchr(line, '/');
    const char *name = path ? strrchr(path, '/') + 1 : "";
    say("  [%ld,%ld) %s @%lx%s%s", (long)(from - lo) / PG, (long)(to - lo) / PG, perms, off / PG, *name ? " " : "", name);
  }
}

static inline long minflt(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/* ---- faults: what an access does, as text ---- */
static sigjmp_buf probe_env;
static volatile int probe_sig, probe_code;
static char *volatile probe_addr;
static inline void probe_handler(int sig, siginfo_t *info, void *context) {
  (void)context;
  probe_sig = sig;
  probe_code = info->si_code;
  probe_addr = info->si_addr;
  siglongjmp(probe_env, 1);
}
static inline const char *code_text(int sig, int code) {
  if (sig == SIGSEGV) return code == SEGV_MAPERR ? "SIGSEGV MAPERR" : code == SEGV_ACCERR ? "SIGSEGV ACCERR" : "SIGSEGV ?";
  if (sig == SIGBUS) return code == BUS_ADRERR ? "SIGBUS ADRERR" : code == BUS_ADRALN ? "SIGBUS ADRALN" : "SIGBUS ?";
  return "other signal";
}
static inline const char *probe(char *address, char access) {
  static char text[64];
  struct sigaction action = {0}, old_segv, old_bus;
  action.sa_sigaction = probe_handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &old_segv);
  sigaction(SIGBUS, &action, &old_bus);
  volatile char *p = hide(address);
  if (sigsetjmp(probe_env, 1) == 0) {
    if (access == 'r') (void)*p;
    else if (access == 'w') *p = 1;
    else ((void (*)(void))hide(address))();
    snprintf(text, sizeof text, "ok");
  } else {
    snprintf(text, sizeof text, "%s%s", code_text(probe_sig, probe_code), probe_addr == address ? "" : " (other address)");
  }
  sigaction(SIGSEGV, &old_segv, NULL);
  sigaction(SIGBUS, &old_bus, NULL);
  return text;
}
#define READS(what, p) say("read %s: %s", what, probe((char *)(p), 'r'))
#define WRITES(what, p) say("write %s: %s", what, probe((char *)(p), 'w'))

/* ---- processes ---- */
static inline const char *status_text(int status) {
  static char text[64];
  if (WIFEXITED(status)) snprintf(text, sizeof text, "exit %d", WEXITSTATUS(status));
  else if (WIFSIGNALED(status)) snprintf(text, sizeof text, "signal %d", WTERMSIG(status));
  else if (WIFSTOPPED(status)) snprintf(text, sizeof text, "stopped by %d", WSTOPSIG(status));
  else if (WIFCONTINUED(status)) snprintf(text, sizeof text, "continued");
  else snprintf(text, sizeof text, "status %x", status);
  return text;
}
static inline const char *wait_text(pid_t pid) {
  int status = 0;
  pid_t got;
  while ((got = waitpid(pid, &status, 0)) == -1 && errno == EINTR) {}
  return got == -1 ? err_name(errno) : status_text(status);
}
/* Runs the statement in a child that exits 0 after it; waits. */
#define IN_CHILD(what, ...) do { pid_t pid_ = fork(); if (pid_ == 0) { __VA_ARGS__; _exit(0); } \
  say("%s: %s", what, wait_text(pid_)); } while (0)

static inline void sleep_ms(long ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&t, &t) == -1 && errno == EINTR) {}
}
static inline long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- files: a folder of our own under /tmp, entered, and removed at the end with the plain files in it ---- */
static char scratch_path[64];
static pid_t scratch_owner;
static inline void scratch_remove(void) {
  char command[128];
  if (getpid() != scratch_owner || chdir("/") != 0) return;
  snprintf(command, sizeof command, "%s", scratch_path);
  (void)rmdir(command);
}
static inline void scratch(void) {
  strcpy(scratch_path, "/tmp/guest.XXXXXX");
  if (!mkdtemp(scratch_path) || chdir(scratch_path) != 0) { say("no /tmp: %s", err_name(errno)); _exit(98); }
  scratch_owner = getpid();
  atexit(scratch_remove);
}
/* A new file of `pages` pages, page i filled with the letter 'a' + i; open read-write. */
static inline int letters(const char *name, long pages) {
  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
  char page[PG];
  for (long i = 0; i < pages; i++) {
    memset(page, 'a' + (int)(i % 26), sizeof page);
    if (write(fd, page, sizeof page) != PG) _exit(97);
  }
  return fd;
}
#endif
