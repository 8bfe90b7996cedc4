/*
 * Runs sequences of memory-mapping calls on real Linux and prints, after each call, its result and the mappings of an arena
 * as /proc/self/maps has them. scripts: see vma-shapes.txt; test/fixtures/vma-shapes.json is made from the output by
 * make-vma-shapes.py. Build: gcc -O1 -o vma-shapes vma-shapes.c; run: ./vma-shapes < vma-shapes.txt
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE 0x200000000UL
#define PAGES 2048UL
static sigjmp_buf trap;
static int trapped;
static void on_signal(int s) { trapped = s; siglongjmp(trap, 1); }
static int file_fd, ro_fd;

static void shape(void) {
  FILE *maps = fopen("/proc/self/maps", "re");
  char line[512];
  while (fgets(line, sizeof line, maps)) {
    unsigned long a, b, off;
    char perms[8], dev[16], name[256] = "";
    unsigned long ino;
    sscanf(line, "%lx-%lx %7s %lx %15s %lu %255[^\n]", &a, &b, perms, &off, dev, &ino, name);
    if (b <= BASE || a >= BASE + PAGES * 4096) continue;
    char kind = ino == 0 ? 'a' : strstr(name, "/dev/zero") ? 's' : 'f';
    printf(" %lu-%lu%s%c%lu", (a - BASE) / 4096, (b - BASE) / 4096, perms, kind, off / 4096);
  }
  fclose(maps);
  printf("\n");
}

static long where(void *p) {
  if (p == MAP_FAILED) return -errno;
  unsigned long a = (unsigned long)p;
  return a >= BASE && a < BASE + PAGES * 4096 ? (long)((a - BASE) / 4096) : 9999999;
}

static void run(char *line) {
  char op[16], k[16];
  long a = 0, b = 0, c = 0, d = 0, e = 0;
  long result = 0;
  sscanf(line, "%15s", op);
  if (!strcmp(op, "map")) { /* map KIND page pages prot fileoff */
    sscanf(line, "%*s %15s %ld %ld %ld %ld", k, &a, &b, &c, &d);
    int flags = MAP_FIXED, fd = -1;
    for (char *q = k; *q; q++) {
      if (*q == 'p') flags |= MAP_PRIVATE | MAP_ANONYMOUS;
      if (*q == 's') flags |= MAP_SHARED | MAP_ANONYMOUS;
      if (*q == 'f') flags |= MAP_PRIVATE, fd = file_fd;
      if (*q == 'g') flags |= MAP_SHARED, fd = file_fd;
      if (*q == 'r') flags |= MAP_SHARED, fd = ro_fd;
      if (*q == 'd') flags |= MAP_GROWSDOWN;
      if (*q == 'n') flags |= MAP_NORESERVE;
      if (*q == 'o') flags = (flags & ~MAP_FIXED) | MAP_FIXED_NOREPLACE;
      if (*q == 'h') flags &= ~MAP_FIXED;
      if (*q == 'u') flags |= MAP_POPULATE;
      if (*q == 'k') flags |= MAP_STACK;
    }
    result = where(mmap((void *)(BASE + a * 4096), b * 4096, c, flags, fd, d * 4096));
  } else if (!strcmp(op, "unmap")) {
    sscanf(line, "%*s %ld %ld", &a, &b);
    result = munmap((void *)(BASE + a * 4096), b * 4096) ? -errno : 0;
  } else if (!strcmp(op, "protect")) {
    sscanf(line, "%*s %ld %ld %ld", &a, &b, &c);
    result = mprotect((void *)(BASE + a * 4096), b * 4096, c) ? -errno : 0;
  } else if (!strcmp(op, "advise")) {
    sscanf(line, "%*s %ld %ld %ld", &a, &b, &c);
    result = madvise((void *)(BASE + a * 4096), b * 4096, c) ? -errno : 0;
  } else if (!strcmp(op, "lock")) {
    sscanf(line, "%*s %ld %ld", &a, &b);
    result = mlock((void *)(BASE + a * 4096), b * 4096) ? -errno : 0;
  } else if (!strcmp(op, "unlock")) {
    sscanf(line, "%*s %ld %ld", &a, &b);
    result = munlock((void *)(BASE + a * 4096), b * 4096) ? -errno : 0;
  } else if (!strcmp(op, "sync")) {
    sscanf(line, "%*s %ld %ld %ld", &a, &b, &c);
    result = msync((void *)(BASE + a * 4096), b * 4096, c) ? -errno : 0;
  } else if (!strcmp(op, "remap")) { /* remap page oldpages newpages flags newpage */
    sscanf(line, "%*s %ld %ld %ld %ld %ld", &a, &b, &c, &d, &e);
    result = where(mremap((void *)(BASE + a * 4096), b * 4096, c * 4096, d, (void *)(BASE + e * 4096)));
  } else if (!strcmp(op, "write") || !strcmp(op, "read")) {
    sscanf(line, "%*s %ld %ld", &a, &b);
    for (long i = a; i < a + b && !result; i++) {
      trapped = 0;
      if (!sigsetjmp(trap, 1)) {
        volatile char *p = (char *)(BASE + i * 4096);
        if (op[0] == 'w') *p = (char)i; else (void)*p;
      } else result = trapped;
    }
  } else if (!strcmp(op, "fork")) { /* goes on in the child */
    fflush(stdout);
    pid_t pid = fork();
    if (pid) { int s; waitpid(pid, &s, 0); _exit(0); }
  } else { fprintf(stderr, "unknown: %s", line); exit(2); }
  line[strcspn(line, "\n")] = 0;
  printf("%s\t%ld\t", line, result);
  shape();
}

int main(void) {
  char line[256];
  char name[] = "/tmp/vma-shapes-XXXXXX";
  file_fd = mkstemp(name);
  if (ftruncate(file_fd, 256 * 4096)) return 1;
  ro_fd = open(name, O_RDONLY | O_CLOEXEC);
  unlink(name);
  stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&alt, 0);
  struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &sa, 0);
  sigaction(SIGBUS, &sa, 0);
  /* all lines of one sequence, then a child that runs them */
  static char lines[256][256];
  int count = 0, end = 0;
  while (!end) {
    end = !fgets(line, sizeof line, stdin);
    if (end || line[0] == '#') {
      if (count) {
        fflush(stdout);
        pid_t pid = fork();
        if (!pid) {
          printf("%s", lines[0]);
          for (int i = 1; i < count; i++) run(lines[i]);
          fflush(stdout);
          _exit(0);
        }
        int s;
        waitpid(pid, &s, 0);
      }
      count = 0;
      if (end) break;
    }
    if (line[0] == '\n') continue;
    strcpy(lines[count++], line);
  }
  return 0;
}
