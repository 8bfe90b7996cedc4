/*
 * What a walk of memory calls is run with, natively and in Faultline: processes that take turns, one step at a time, and a
 * report after each step: what it returned or which signal it raised, the page faults it took, and the mappings of the places
 * that the walk uses, with all counters of /proc/self/smaps.
 *
 * Always true:
 *  - One process acts at a time; the next step begins when the process that acts has said so. Nothing depends on a scheduler.
 *  - Addresses are printed as places and pages: A is an arena that is free at the start and lies across a boundary of page
 *    tables at every level up to 1 GiB; T is what lies under mmap_base, where the kernel puts what it may choose; H is the heap.
 *  - Nothing here allocates memory after the start: no malloc, no stdio. So sizes are relative to the start, and exact.
 */
#ifndef FUZZ_RUNTIME_H
#define FUZZ_RUNTIME_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define PG 4096L
#define A_BASE (0x2000000000L - 32 * PG)
#define A_BELOW 512L
#define A_PAGES 2048L
#define T_PAGES 4096L
#define H_PAGES 1024L
#define FILES 12
#define SLOTS 4
#define SEGMENTS 3

/* In shared memory outside all places: who lives in which slot. */
struct board {
  volatile int pid[SLOTS];
  volatile int parent[SLOTS];
  /** System V segments by number; 0 none, else the identifier and one. */
  volatile int segment[SEGMENTS];
};
#define BOARD ((struct board *)0x1000000000L)
#define TLB_PAGES ((char *)0x1000100000L)

static long t_base, h_base;
static int fd[FILES];
static int slot;
static int uffd = -1;
static int command_pipe[SLOTS][2], done_pipe[2];
static long base_size, base_data, base_stk;
static char io_buffer[64 * 1024];
static char text[512 * 1024];
static char out[256 * 1024];
static int out_length;

/* ---- output: gathered, then written at once ---- */
static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *format, ...) {
  va_list list;
  va_start(list, format);
  out_length += vsnprintf(out + out_length, sizeof out - (size_t)out_length - 1, format, list);
  va_end(list);
  if (out_length > (int)sizeof out - 2) out_length = sizeof out - 2;
}
static void flush_out(void) {
  for (int done = 0; done < out_length;) {
    long n = write(1, out + done, (size_t)(out_length - done));
    if (n <= 0) _exit(97);
    done += (int)n;
  }
  out_length = 0;
}

/* An address as place and page, with bytes where it is inside a page. */
static const char *place(unsigned long address) {
  static char texts[4][32];
  static int turn;
  char *to = texts[turn++ & 3];
  long a = (long)address;
  long base;
  char name;
  if (a >= A_BASE - A_BELOW * PG && a <= A_BASE + A_PAGES * PG) { name = 'A'; base = A_BASE; }
  else if (a >= t_base && a <= t_base + T_PAGES * PG) { name = 'T'; base = t_base; }
  else if (a >= h_base - PG && a <= h_base + H_PAGES * PG) { name = 'H'; base = h_base; }
  else return "far";
  long page = (a - base) >> 12, rest = (a - base) & 4095;
  if (rest) snprintf(to, 32, "%c%ld+%ld", name, page, rest);
  else snprintf(to, 32, "%c%ld", name, page);
  return to;
}

/* ---- what is to be seen of the address space ---- */
static char status_text[8192];
static long read_into(const char *path, char *to, long size) {
  int file = open(path, O_RDONLY);
  long n = 0, got;
  if (file < 0) _exit(96);
  while (n < size - 1 && (got = read(file, to + n, (size_t)(size - 1 - n))) > 0) n += got;
  close(file);
  to[n] = 0;
  return n;
}
static long read_text(const char *path) { return read_into(path, text, sizeof text); }
static void read_status(void) { read_into("/proc/self/status", status_text, sizeof status_text); }
static long status_kib(const char *name) {
  char *at = strstr(status_text, name);
  return at ? atol(at + strlen(name)) : -1;
}
/* A line of smaps is the first of a mapping, a counter, or VmFlags; read without sscanf, because most of a walk's time is here. */
static int is_range_line(const char *line) { return *line >= 'a' || (*line >= '0' && *line <= '9'); }
struct range_line {
  unsigned long from, to;
  const char *rights, *offset, *name;
  int inside;
};
static struct range_line read_range_line(char *line) {
  struct range_line range;
  char *at;
  range.from = strtoul(line, &at, 16);
  range.to = strtoul(at + 1, &at, 16);
  range.rights = at + 1;
  range.offset = at + 6;
  range.name = strrchr(line, '/');
  range.name = range.name ? range.name + 1 : strchr(line, '[');
  range.inside = strcmp(place(range.from), "far") != 0 && strcmp(place(range.to), "far") != 0;
  return range;
}
/* What is locked of the program itself (mlockall) is left out of VmLck: programs differ in size. Takes smaps in `text`. */
static void observe_sizes(void) {
  struct range_line range = {0};
  long locked_outside = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    if (is_range_line(line)) range = read_range_line(line);
    else if (!range.inside && line[0] == 'V' && strstr(line, " lo ")) locked_outside += (long)(range.to - range.from) / 1024;
    *end = '\n';
  }
  read_status();
  put(" size=%ld data=%ld stk=%ld lck=%ld\n", status_kib("VmSize:") - base_size, status_kib("VmData:") - base_data,
      status_kib("VmStk:") - base_stk, status_kib("VmLck:") - locked_outside);
}
/* Left out of smaps: Size is the range's, KernelPageSize and MMUPageSize are 4 kB where nothing else is said. */
static void observe(void) {
  read_text("/proc/self/smaps");
  observe_sizes();
  int inside = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    if (is_range_line(line)) {
      struct range_line range = read_range_line(line);
      if (inside) put("\n");
      inside = range.inside;
      if (inside)
        put(" %s-%s %.4s @%lx%s%s", place(range.from), place(range.to), range.rights, strtoul(range.offset, NULL, 16),
            range.name ? " " : "", range.name ? range.name : "");
      continue;
    }
    if (!inside) continue;
    char *colon = strchr(line, ':');
    *colon = 0;
    if (strcmp(line, "VmFlags") == 0) { put(" [%s]", colon + 2); continue; }
    long value = atol(colon + 1);
    if (value != 0 && strcmp(line, "Size") != 0 && !(strstr(line, "PageSize") && value == 4)) put(" %s=%ld", line, value);
  }
  if (inside) put("\n");
}

/* ---- faults ---- */
static sigjmp_buf fault_env;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;
static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)context;
  fault_signal = signal;
  fault_code = info->si_code;
  fault_address = info->si_addr;
  siglongjmp(fault_env, 1);
}
static const char *fault_text(void) {
  static char line[64];
  snprintf(line, sizeof line, "%s code=%d at %s", fault_signal == SIGSEGV ? "SIGSEGV" : "SIGBUS", fault_code,
           place((unsigned long)fault_address));
  return line;
}

/*
 * ---- page faults that one call or access takes: what the counting itself writes is written before, because after a fork each
 * first write to a page of our own is a fault, too ----
 */
static struct rusage usage_before, usage_after;
static void count_start(void) {
  volatile char stack[8192];
  for (int i = 0; i < (int)sizeof stack; i += 1024) stack[i] = 0;
  for (int i = 0; i < (int)sizeof io_buffer; i += PG) ((volatile char *)io_buffer)[i] = io_buffer[i];
  errno = 0;
  getrusage(RUSAGE_SELF, &usage_after);
  getrusage(RUSAGE_SELF, &usage_before);
}
static void count_end(void) { getrusage(RUSAGE_SELF, &usage_after); }
static void put_faults(void) {
  put(" flt=%ld/%ld", usage_after.ru_minflt - usage_before.ru_minflt, usage_after.ru_majflt - usage_before.ru_majflt);
}

/* An access: 'r' and 'w' of 8 bytes, 'x' a jump. c3 returns on x86-64; for riscv64 it begins an fmadd.s, then 8082 returns. */
#define RETURN_CODE 0x00008082000000c3UL
static void access_at(char how, unsigned long address, unsigned long value) {
  volatile unsigned long got = 0;
  if (sigsetjmp(fault_env, 1) == 0) {
    count_start();
#ifdef __riscv
    if (how == 'x') __asm__ volatile("fence.i" ::: "memory");
#endif
    if (how == 'r') got = *(volatile unsigned long *)address;
    else if (how == 'w') *(volatile unsigned long *)address = value;
    else ((void (*)(void))address)();
    count_end();
    if (how == 'r') put(" %lx", got);
    put_faults();
  } else {
    put(" %s", fault_text());
  }
}

/*
 * A jump, where a return is there or the page has no rights; other contents are another machine's code, and of a page beyond the
 * end of a file x86-64 finds that out before it looks at the right to execute, riscv64 after.
 */
static void jump_to(unsigned long address) {
  if (sigsetjmp(fault_env, 1) == 0) {
    if (*(volatile unsigned long *)address != RETURN_CODE) {
      put(" no code");
      return;
    }
  } else if (fault_signal == SIGBUS) {
    put(" %s", fault_text());
    return;
  }
  access_at('x', address, 0);
}

/* ---- calls ---- */
static const char *error_name(int e) {
#define E_(n) case n: return #n;
  switch (e) {
  E_(EPERM) E_(ENOENT) E_(ESRCH) E_(EINTR) E_(EIO) E_(ENXIO) E_(E2BIG) E_(EBADF) E_(ECHILD) E_(EAGAIN) E_(ENOMEM) E_(EACCES)
  E_(EFAULT) E_(EBUSY) E_(EEXIST) E_(EXDEV) E_(ENODEV) E_(ENOTDIR) E_(EISDIR) E_(EINVAL) E_(EFBIG) E_(ENOSPC) E_(ESPIPE)
  E_(EROFS) E_(EPIPE) E_(ERANGE) E_(EDEADLK) E_(ENOSYS) E_(EOVERFLOW) E_(EOPNOTSUPP) E_(ETXTBSY) E_(EIDRM) E_(EDOM)
  }
#undef E_
  static char other[16];
  snprintf(other, sizeof other, "errno %d", e);
  return other;
}
static void put_result(long result) {
  if (result < 0 && result >= -4095) put(" %s", error_name((int)-result));
  else if (result >= 1L << 22 || result < 0) put(" %s", place((unsigned long)result));
  else put(" %ld", result);
}
/* A system call, its result and its page faults. What mlockall faults in is the program itself, too: no count. */
static long call(long number, long a, long b, long c, long d, long e, long f) {
  count_start();
  long result = syscall(number, a, b, c, d, e, f);
  if (result == -1) result = -errno;
  count_end();
  put_result(result);
  if (number != SYS_mlockall) put_faults();
  return result;
}
/* mmap and mremap: what the kernel put beyond the places goes away again. */
static void call_mapping(long number, long a, long b, long c, long d, long e, long f, long size) {
  long result = call(number, a, b, c, d, e, f);
  if (result > 0 && strcmp(place((unsigned long)result), "far") == 0) munmap((void *)result, (size_t)size);
}
static void call_mincore(long address, long length) {
  long pages = (length + 4095) >> 12;
  if (call(SYS_mincore, address, length, (long)io_buffer, 0, 0, 0) != 0) return;
  put(" ");
  for (long i = 0; i < pages && i < 4096; i++) put("%d", io_buffer[i] & 1);
}
/* /proc/self/mem: the kernel's own way in, which overrides rights as ptrace does. */
static void call_mem(const char *path, char how, long address, long length, int value) {
  int file = open(path, O_RDWR);
  if (how == 'w') memset(io_buffer, value, (size_t)length);
  long number = how == 'w' ? SYS_pwrite64 : SYS_pread64;
  long got = call(number, file, (long)io_buffer, length, address, 0, 0);
  unsigned long hash = 14695981039346656037UL;
  for (long i = 0; how == 'r' && i < got; i++) hash = (hash ^ (unsigned char)io_buffer[i]) * 1099511628211UL;
  if (how == 'r' && got > 0) put(" %lx", hash);
  close(file);
}
static void fill_io(int value) { memset(io_buffer, value, sizeof io_buffer); }

/* pagemap: bits 56 (exclusive), 57 (uffd write-protected), 58 (guard region), 61 (file page), 62 (swap), 63 (present) of each page. */
static void call_pagemap(long address, long pages) {
  int file = open("/proc/self/pagemap", O_RDONLY);
  long got = pread(file, io_buffer, (size_t)pages * 8, address / PG * 8);
  close(file);
  put(" ");
  for (long i = 0; i < got / 8; i++) {
    unsigned long entry = ((unsigned long *)io_buffer)[i];
    put("%lx.", (entry >> 60 & 0xe) | (entry >> 56 & 7) << 4);
  }
}
/* PAGEMAP_SCAN of all categories but SOFT_DIRTY, which not every kernel has. */
#define SCAN_CATEGORIES 0x17fUL
static void call_scan(long address, long length, long flags, long mask, long inverted, long max_pages) {
  struct { unsigned long start, end, categories; } *regions = (void *)io_buffer;
  unsigned long argument[12] = {sizeof argument, (unsigned long)flags, (unsigned long)address, (unsigned long)(address + length), 0,
    (unsigned long)regions, 64, (unsigned long)max_pages, (unsigned long)inverted, (unsigned long)mask, 0, SCAN_CATEGORIES};
  int file = open("/proc/self/pagemap", O_RDONLY);
  long found = call(SYS_ioctl, file, (long)(3UL << 30 | sizeof argument << 16 | 'f' << 8 | 16), (long)argument, 0, 0, 0);
  put(" to %s", place(argument[4]));
  for (long i = 0; i < found; i++) put(" %s-%s:%lx", place(regions[i].start), place(regions[i].end), regions[i].categories);
  close(file);
}
/* The TLB may keep "accessed" of an entry that clear_refs has cleared: taking a right from 64 touched pages empties it. */
static void empty_tlb(void) {
  for (long i = 0; i < 64; i++) ((volatile char *)TLB_PAGES)[i * PG] = 1;
  if (mprotect(TLB_PAGES, 64 * PG, PROT_READ) != 0 || mprotect(TLB_PAGES, 64 * PG, PROT_READ | PROT_WRITE) != 0) _exit(83);
}
static void call_clear_refs(const char *what) {
  int file = open("/proc/self/clear_refs", O_WRONLY);
  put_result(write(file, what, strlen(what)) < 0 ? -errno : 0);
  close(file);
  empty_tlb();
}

/* ---- contents ---- */
static void hash_words(unsigned long *hash, unsigned long address) {
  const volatile unsigned long *words = (const volatile unsigned long *)address;
  for (long i = 0; i < PG / 8; i++) *hash = (*hash ^ words[i]) * 1099511628211UL;
}
/* Every page of the places that may be read ('a'), or that is in the page tables already ('p'): how many, how many SIGBUS, hash. */
static void hash_all(char which) {
  static unsigned long ranges[512][2];
  int count = 0;
  read_text("/proc/self/maps");
  for (char *line = text, *end; (end = strchr(line, '\n')) && count < 512; line = end + 1) {
    unsigned long from, to;
    char perms[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3 || perms[0] != 'r') continue;
    if (strcmp(place(from), "far") == 0 || strcmp(place(to), "far") == 0) continue;
    ranges[count][0] = from;
    ranges[count++][1] = to;
  }
  int pagemap = open("/proc/self/pagemap", O_RDONLY);
  static volatile long pages, buses;
  static unsigned long hash;
  pages = buses = 0;
  hash = 14695981039346656037UL;
  for (volatile int i = 0; i < count; i++)
    for (volatile unsigned long at = ranges[i][0]; at < ranges[i][1]; at += PG) {
      unsigned long entry = 0;
      if (which == 'p' && (pread(pagemap, &entry, 8, (long)(at / PG * 8)) != 8 || !(entry >> 63))) continue;
      if (sigsetjmp(fault_env, 1) == 0) {
        for (const char *c = place(at); *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211UL;
        hash_words(&hash, at);
        pages++;
      } else {
        buses++;
      }
    }
  close(pagemap);
  put(" pages=%ld bus=%ld %lx", pages, buses, hash);
}
static void hash_file(int file) {
  unsigned long hash = 14695981039346656037UL;
  struct stat about;
  fstat(file, &about);
  long at = 0, got;
  while ((got = pread(file, io_buffer, sizeof io_buffer, at)) > 0) {
    for (long i = 0; i < got; i++) hash = (hash ^ (unsigned char)io_buffer[i]) * 1099511628211UL;
    at += got;
  }
  put(" size=%ld blocks=%ld read=%ld %lx", (long)about.st_size, (long)about.st_blocks, got < 0 ? -(long)errno : at, hash);
}

/* ---- limits: relative to what is used, because programs differ in size ---- */
static void limit(const char *what, long pages) {
  struct rlimit value;
  int resource = what[0] == 'a' ? RLIMIT_AS : what[0] == 'd' ? RLIMIT_DATA : what[0] == 's' ? RLIMIT_STACK : RLIMIT_MEMLOCK;
  read_status();
  long used = 0;
  if (resource == RLIMIT_AS) used = status_kib("VmSize:") * 1024;
  if (resource == RLIMIT_DATA) used = status_kib("VmData:") * 1024;
  if (resource == RLIMIT_MEMLOCK) used = status_kib("VmLck:") * 1024;
  getrlimit(resource, &value);
  value.rlim_cur = pages < 0 ? value.rlim_max : (rlim_t)(used + pages * PG);
  put_result(setrlimit(resource, &value) < 0 ? -errno : 0);
}
/* CAP_IPC_LOCK, with which RLIMIT_MEMLOCK does not bind: given up. */
static void drop_ipc_lock(void) {
  struct { unsigned version; int pid; } header = {0x20080522, 0};
  struct { unsigned effective, permitted, inheritable; } data[2];
  long result = syscall(SYS_capget, &header, data);
  data[0].effective &= ~(1u << 14);
  if (result == 0) result = syscall(SYS_capset, &header, data);
  put_result(result < 0 ? -errno : 0);
}

/* ---- threads: each writes its own word of every page, all at once; a SIGSEGV or SIGBUS ends none of them ---- */
#define THREADS 3
static char stacks[THREADS][32 * 1024] __attribute__((aligned(4096)));
static struct { long address, pages, value; } race_of;
static sigjmp_buf race_env[THREADS];
static __thread int race_index = -1;
static volatile int race_faults[THREADS];
static void on_race_fault(int signal, siginfo_t *info, void *context) {
  (void)context, (void)signal, (void)info;
  race_faults[race_index]++;
  siglongjmp(race_env[race_index], 1);
}
static void *race_thread(void *argument) {
  race_index = (int)(long)argument;
  for (volatile long i = 0; i < race_of.pages; i++)
    if (sigsetjmp(race_env[race_index], 1) == 0)
      ((volatile long *)(race_of.address + i * PG))[race_index] = race_of.value + race_index;
  return NULL;
}
static void install_handler(void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}
static void race(long address, long pages, long value) {
  pthread_t threads[THREADS];
  race_of.address = address;
  race_of.pages = pages;
  race_of.value = value;
  install_handler(on_race_fault);
  for (long i = 0; i < THREADS; i++) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stacks[i], sizeof stacks[i]);
    race_faults[i] = 0;
    if (pthread_create(&threads[i], &attributes, race_thread, (void *)i) != 0) _exit(95);
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  install_handler(on_fault);
  put(" faulted=%d,%d,%d", race_faults[0], race_faults[1], race_faults[2]);
}

/* ---- processes: slot 0 says who acts; `run_step` is the interpreter's or the reproducer's ---- */
static void run_step(int step);
static void report_step(int step);
static void serve(void) {
  int step;
  while (read(command_pipe[slot][0], &step, sizeof step) == sizeof step) {
    report_step(step);
    if (write(done_pipe[1], "", 1) != 1) _exit(94);
  }
  _exit(93);
}
static void act(int who, int step) {
  char byte;
  if (who == slot) { report_step(step); return; }
  if (write(command_pipe[who][1], &step, sizeof step) != sizeof step || read(done_pipe[0], &byte, 1) != 1) _exit(92);
}
/* The child takes its turn when it is told to. */
static void fork_into(int child_slot) {
  int pid = (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    slot = child_slot;
    out_length = 0;
    if (uffd >= 0) close(uffd);
    uffd = -1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve();
  }
  if (pid > 0) {
    BOARD->pid[child_slot] = pid;
    BOARD->parent[child_slot] = slot;
  }
  put(" %s", pid > 0 ? "child" : error_name(errno));
}
static void reap(int child_slot) {
  int status = 0;
  kill(BOARD->pid[child_slot], SIGKILL);
  long pid = waitpid(BOARD->pid[child_slot], &status, 0);
  put(" %s %x", pid == BOARD->pid[child_slot] ? "reaped" : "lost", status);
}

/* ---- System V shared memory: segments are known by number, because identifiers are the machine's ---- */
static void make_segment(long number, long size, long flags) {
  if (BOARD->segment[number]) { put(" there"); return; }
  int id = shmget(IPC_PRIVATE, (size_t)size, (int)flags | 0600);
  if (id >= 0) BOARD->segment[number] = id + 1;
  put(" %s", id < 0 ? error_name(errno) : "made");
}
static void attach_segment(long number, long address, long flags) {
  call_mapping(SYS_shmat, BOARD->segment[number] - 1, address, flags, 0, 0, 0, 0);
}
static void control_segment(long number, long command) {
  struct shmid_ds about;
  memset(&about, 0, sizeof about);
  long result = call(SYS_shmctl, BOARD->segment[number] - 1, command, command == IPC_STAT ? (long)&about : 0, 0, 0, 0);
  if (result == 0 && command == IPC_STAT)
    put(" size=%ld attached=%ld mode=%o", (long)about.shm_segsz, (long)about.shm_nattch, (unsigned)about.shm_perm.mode);
  if (result == 0 && command == IPC_RMID) BOARD->segment[number] = 0;
}

/* ---- another process's memory ---- */
static void call_other(char how, long other, long address, long length, int value) {
  struct iovec local = {io_buffer, (size_t)length}, remote = {(void *)address, (size_t)length};
  if (how == 'w') memset(io_buffer, value, (size_t)length);
  long pid = other == 0 && BOARD->pid[0] == 0 ? getpid() : BOARD->pid[other];
  long got = call(how == 'w' ? SYS_process_vm_writev : SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
  unsigned long hash = 14695981039346656037UL;
  for (long i = 0; how == 'r' && i < got; i++) hash = (hash ^ (unsigned char)io_buffer[i]) * 1099511628211UL;
  if (how == 'r' && got > 0) put(" %lx", hash);
}
static void advise_other(long other, long address, long length, long advice) {
  struct iovec range = {(void *)address, (size_t)length};
  int process = (int)syscall(SYS_pidfd_open, BOARD->pid[other], 0);
  call(SYS_process_madvise, process, (long)&range, 1, advice, 0, 0);
  close(process);
}

/* /proc/PID/mem of another process, which overrides rights; ptrace does, too, and stops it meanwhile. */
static void call_other_mem(char how, long other, long address, long length, int value) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/mem", BOARD->pid[other]);
  call_mem(path, how, address, length, value);
}
static void trace_other(char how, long other, long address, long value) {
  int pid = BOARD->pid[other], status;
  if (pid == getpid()) { put(" itself"); return; }
  if (syscall(SYS_ptrace, 16 /* ATTACH */, pid, 0, 0) != 0 || waitpid(pid, &status, __WALL) != pid) { put(" not traced"); return; }
  long peeked = 0;
  long result = call(SYS_ptrace, how == 'r' ? 1 : 4, pid, address, how == 'r' ? (long)&peeked : value, 0, 0);
  if (how == 'r' && result == 0) put(" %lx", peeked);
  syscall(SYS_ptrace, 17 /* DETACH */, pid, 0, 0);
}

/*
 * ---- userfaultfd: faults raise SIGBUS (UFFD_FEATURE_SIGBUS), so nobody has to answer them; or write protection resolves itself
 * (UFFD_FEATURE_WP_ASYNC). A child has none, because a descriptor belongs to the address space that made it ----
 */
#define UFFD_CALL(number, size, direction) ((unsigned)(direction) << 30 | (unsigned)(size) << 16 | 0xaa << 8 | (number))
static void open_uffd(long features) {
  if (uffd >= 0) close(uffd);
  uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
  unsigned long api[3] = {0xaa, (unsigned long)features, 0};
  if (uffd < 0) { put(" %s", error_name(errno)); return; }
  call(SYS_ioctl, uffd, UFFD_CALL(0x3f, sizeof api, 3), (long)api, 0, 0, 0);
}
static void close_uffd(void) {
  put_result(close(uffd) < 0 ? -errno : 0);
  uffd = -1;
}
/* Every call takes a structure of longs; what the kernel puts at `answer` is printed, unless that is -1. */
static void call_uffd(int number, int direction, unsigned long *structure, int longs, int answer) {
  call(SYS_ioctl, uffd, UFFD_CALL(number, longs * 8, direction), (long)structure, 0, 0, 0);
  long got = answer < 0 ? 0 : (long)structure[answer];
  if (got < 0 && got >= -4095) put(" answer=-%s", error_name((int)-got));
  else if (answer >= 0) put(" answer=%lx", got);
}
static void register_uffd(long at, long length, long mode) {
  unsigned long s[4] = {(unsigned long)at, (unsigned long)length, (unsigned long)mode, 0};
  call_uffd(0, 3, s, 4, 3);
}
static void unregister_uffd(long at, long length) {
  unsigned long s[2] = {(unsigned long)at, (unsigned long)length};
  call_uffd(1, 2, s, 2, -1);
}
static void copy_uffd(long at, long length, long mode, long from) {
  unsigned long s[5] = {(unsigned long)at, (unsigned long)from, (unsigned long)length, (unsigned long)mode, 0};
  call_uffd(3, 3, s, 5, 4);
}
static void zero_uffd(long at, long length, long mode) {
  unsigned long s[4] = {(unsigned long)at, (unsigned long)length, (unsigned long)mode, 0};
  call_uffd(4, 3, s, 4, 3);
}
static void move_uffd(long at, long from, long length, long mode) {
  unsigned long s[5] = {(unsigned long)at, (unsigned long)from, (unsigned long)length, (unsigned long)mode, 0};
  call_uffd(5, 3, s, 5, 4);
}
static void protect_uffd(long at, long length, long mode) {
  unsigned long s[3] = {(unsigned long)at, (unsigned long)length, (unsigned long)mode};
  call_uffd(6, 3, s, 3, -1);
}
static void continue_uffd(long at, long length, long mode) {
  unsigned long s[4] = {(unsigned long)at, (unsigned long)length, (unsigned long)mode, 0};
  call_uffd(7, 3, s, 4, 3);
}
static void poison_uffd(long at, long length, long mode) {
  unsigned long s[4] = {(unsigned long)at, (unsigned long)length, (unsigned long)mode, 0};
  call_uffd(8, 3, s, 4, 3);
}

/* ---- frames: how often each page's is mapped, and its flags (the LRU's among them); the zero page is the machine's ---- */
#define PAGE_FLAGS (1UL << 2 | 1UL << 3 | 1UL << 4 | 1UL << 5 | 1UL << 6 | 1UL << 11 | 1UL << 12 | 1UL << 14 | 1UL << 18 | 1UL << 33)
static void call_frames(long address, long pages) {
  int pagemap = open("/proc/self/pagemap", O_RDONLY), counts = open("/proc/kpagecount", O_RDONLY), flags = open("/proc/kpageflags", O_RDONLY);
  put(" ");
  for (long i = 0; i < pages; i++) {
    unsigned long entry, count, flag;
    if (pread(pagemap, &entry, 8, (address / PG + i) * 8) != 8 || !(entry >> 63)) { put("."); continue; }
    long at = (long)(entry & ((1UL << 55) - 1)) * 8;
    if (pread(counts, &count, 8, at) != 8 || pread(flags, &flag, 8, at) != 8) { put("?"); continue; }
    if (flag >> 24 & 1) put("z,");
    else put("%ld:%lx,", (long)count, flag & PAGE_FLAGS);
  }
  close(pagemap);
  close(counts);
  close(flags);
}

/* ---- all steps by name ---- */
static const struct { const char *name; long number; } CALLS[] = {
#define C_(n) {#n, SYS_##n},
  C_(munmap) C_(mprotect) C_(brk) C_(madvise) C_(mlock) C_(mlock2) C_(munlock) C_(mlockall) C_(munlockall) C_(msync)
  C_(ftruncate) C_(fallocate) C_(pread64) C_(pwrite64) C_(fcntl) C_(fsync) C_(fdatasync) C_(lseek) C_(prctl) C_(mseal)
  C_(remap_file_pages) C_(shmdt) C_(pkey_mprotect) C_(sync_file_range) C_(readahead) C_(personality) C_(write) C_(read)
#undef C_
};

/* ---- a step that another thread of the process takes, while the first one waits ---- */
static void run_call(const char *word, const long *a);
static struct { const char *word; const long *arguments; } threads_call;
static void *call_in_thread(void *unused) {
  (void)unused;
  run_call(threads_call.word, threads_call.arguments);
  return NULL;
}
static void run_in_thread(const char *word, const long *arguments) {
  static char stack[128 * 1024] __attribute__((aligned(4096)));
  pthread_t thread;
  pthread_attr_t attributes;
  threads_call.word = word;
  threads_call.arguments = arguments;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack, sizeof stack);
  if (pthread_create(&thread, &attributes, call_in_thread, NULL) != 0) _exit(82);
  pthread_join(thread, NULL);
}

/* A step by its name, as the walks write it; @ before the name: in a thread. */
static void run_call(const char *word, const long *a) {
  if (*word == '@') { run_in_thread(word + 1, a); return; }
  if (!strcmp(word, "mmap")) call_mapping(SYS_mmap, a[0], a[1], a[2], a[3], a[4], a[5], a[1]);
  else if (!strcmp(word, "mremap")) call_mapping(SYS_mremap, a[0], a[1], a[2], a[3], a[4], 0, a[2]);
  else if (!strcmp(word, "load")) access_at('r', (unsigned long)a[0], 0);
  else if (!strcmp(word, "store")) access_at('w', (unsigned long)a[0], (unsigned long)a[1]);
  else if (!strcmp(word, "code")) access_at('w', (unsigned long)a[0], RETURN_CODE);
  else if (!strcmp(word, "jump")) jump_to((unsigned long)a[0]);
  else if (!strcmp(word, "mincore")) call_mincore(a[0], a[1]);
  else if (!strcmp(word, "memread")) call_mem("/proc/self/mem", 'r', a[0], a[1], 0);
  else if (!strcmp(word, "memwrite")) call_mem("/proc/self/mem", 'w', a[0], a[1], (int)a[2]);
  else if (!strcmp(word, "pagemap")) call_pagemap(a[0], a[1]);
  else if (!strcmp(word, "scan")) call_scan(a[0], a[1], a[2], a[3], a[4], a[5]);
  else if (!strcmp(word, "clear")) call_clear_refs((char[]){(char)('0' + a[0]), 0});
  else if (!strcmp(word, "hash")) hash_all('p');
  else if (!strcmp(word, "touch")) hash_all('a');
  else if (!strcmp(word, "file")) hash_file((int)a[0]);
  else if (!strcmp(word, "fill")) fill_io((int)a[0]);
  else if (!strcmp(word, "limit-as")) limit("as", a[0]);
  else if (!strcmp(word, "limit-data")) limit("data", a[0]);
  else if (!strcmp(word, "limit-stack")) limit("stack", a[0]);
  else if (!strcmp(word, "limit-memlock")) limit("memlock", a[0]);
  else if (!strcmp(word, "drop")) drop_ipc_lock();
  else if (!strcmp(word, "race")) race(a[0], a[1], a[2]);
  else if (!strcmp(word, "fork")) fork_into((int)a[0]);
  else if (!strcmp(word, "reap")) reap((int)a[0]);
  else if (!strcmp(word, "segment")) make_segment(a[0], a[1], a[2]);
  else if (!strcmp(word, "shmat")) attach_segment(a[0], a[1], a[2]);
  else if (!strcmp(word, "shmctl")) control_segment(a[0], a[1]);
  else if (!strcmp(word, "otherread")) call_other('r', a[0], a[1], a[2], 0);
  else if (!strcmp(word, "otherwrite")) call_other('w', a[0], a[1], a[2], (int)a[3]);
  else if (!strcmp(word, "otheradvice")) advise_other(a[0], a[1], a[2], a[3]);
  else if (!strcmp(word, "othermemread")) call_other_mem('r', a[0], a[1], a[2], 0);
  else if (!strcmp(word, "othermemwrite")) call_other_mem('w', a[0], a[1], a[2], (int)a[3]);
  else if (!strcmp(word, "otherpeek")) trace_other('r', a[0], a[1], 0);
  else if (!strcmp(word, "otherpoke")) trace_other('w', a[0], a[1], a[2]);
  else if (!strcmp(word, "uffd")) open_uffd(a[0]);
  else if (!strcmp(word, "uffd-close")) close_uffd();
  else if (!strcmp(word, "uffd-register")) register_uffd(a[0], a[1], a[2]);
  else if (!strcmp(word, "uffd-unregister")) unregister_uffd(a[0], a[1]);
  else if (!strcmp(word, "uffd-copy")) copy_uffd(a[0], a[1], a[2], a[3]);
  else if (!strcmp(word, "uffd-zero")) zero_uffd(a[0], a[1], a[2]);
  else if (!strcmp(word, "uffd-move")) move_uffd(a[0], a[1], a[2], a[3]);
  else if (!strcmp(word, "uffd-protect")) protect_uffd(a[0], a[1], a[2]);
  else if (!strcmp(word, "uffd-continue")) continue_uffd(a[0], a[1], a[2]);
  else if (!strcmp(word, "uffd-poison")) poison_uffd(a[0], a[1], a[2]);
  else if (!strcmp(word, "frames")) call_frames(a[0], a[1]);
  else if (!strcmp(word, "look")) put(" ");
  else {
    for (unsigned i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
      if (!strcmp(word, CALLS[i].name)) {
        call(CALLS[i].number, a[0], a[1], a[2], a[3], a[4], a[5]);
        return;
      }
    _exit(84);
  }
}

/* ---- the start ---- */
static void fill_file(int file, long pages, long more) {
  unsigned long page[512];
  for (long i = 0; i < pages; i++) {
    for (long j = 0; j < 512; j++) page[j] = (unsigned long)(i << 16 | j);
    if (write(file, page, PG) != PG) _exit(91);
  }
  if (more > 0 && write(file, page, (size_t)more) != more) _exit(90);
}
static int open_file(const char *name, int flags) {
  int file = open(name, flags, 0644);
  if (file < 0) _exit(89);
  return file;
}
/* Deep enough for all that follows: RLIMIT_STACK may be lowered. */
static void use_stack(void) {
  volatile char stack[96 * 1024];
  for (int i = 0; i < (int)sizeof stack; i += 1024) stack[i] = 0;
}
static void start(void) {
  use_stack();
  struct rlimit memlock = {8L << 20, 8L << 20};
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof one, &one);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  if (setrlimit(RLIMIT_MEMLOCK, &memlock) != 0) _exit(88);
  mmap(BOARD, PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap(TLB_PAGES, 64 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  BOARD->pid[0] = getpid();
  install_handler(on_fault);
  for (int i = 0; i < SLOTS; i++)
    if (pipe(command_pipe[i]) != 0) _exit(87);
  if (pipe(done_pipe) != 0) _exit(86);
  fd[0] = memfd_create("m0", 0);
  fill_file(fd[0], 20, 100);
  fd[1] = open_file("t1", O_RDWR | O_CREAT | O_TRUNC);
  fill_file(fd[1], 16, 0);
  fd[2] = open_file("t1", O_RDONLY);
  fd[3] = memfd_create("m3", MFD_ALLOW_SEALING);
  if (ftruncate(fd[3], 8 * PG) != 0) _exit(85);
  fd[4] = open_file("/dev/zero", O_RDWR);
  fd[5] = open_file("t5", O_WRONLY | O_CREAT | O_TRUNC);
  fill_file(fd[5], 4, 0);
  fd[6] = open_file("t6", O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
  fill_file(fd[6], 3, 1234);
  fd[7] = open_file("t7", O_RDWR | O_CREAT | O_TRUNC);
  fd[8] = done_pipe[0];
  fd[9] = 999;
  fd[10] = open_file("/dev/null", O_RDWR);
  fd[11] = open_file("t1", O_RDWR);
  unlink("t5"); unlink("t6"); unlink("t7");
  /* T ends at a multiple of 2 MiB, as it ends nowhere by chance: what is mapped around a fault depends on that. */
  long top = (long)mmap(NULL, PG, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  long aligned = top & -(512 * PG);
  if (top > aligned) mmap((void *)aligned, (size_t)(top - aligned), PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  t_base = aligned - T_PAGES * PG;
  h_base = (syscall(SYS_brk, 0) + PG - 1) & -PG;
  read_status();
  base_size = status_kib("VmSize:");
  base_data = status_kib("VmData:");
  base_stk = status_kib("VmStk:");
  alarm(60);
}
/*
 * Linux keeps the last folios of a CPU aside until there are enough of them; PG_referenced and PG_active of those go other ways.
 * MADV_COLD of a page of our own puts them where they belong (madvise_cold, lru_add_drain), and munlock before where that is locked.
 */
static void settle(void) {
  static char page[2 * PG];
  char *whole = (char *)(((unsigned long)page + PG - 1) & -PG);
  munlock(whole, PG);
  madvise(whole, PG, 20);
}
static void report_step(int step) {
  put("#%d", step);
  run_step(step);
  settle();
  observe();
  flush_out();
}
/* Slot 0 tells everybody when to act, and ends those that are left. */
static int slot_of(int step);
static void run_walk(int count) {
  start();
  for (int step = 0; step < count; step++) act(slot_of(step), step);
  for (int i = 1; i < SLOTS; i++)
    if (BOARD->pid[i] && BOARD->parent[i] == 0) kill(BOARD->pid[i], SIGKILL);
  for (int i = 0; i < SEGMENTS; i++)
    if (BOARD->segment[i]) shmctl(BOARD->segment[i] - 1, IPC_RMID, NULL);
}
#endif
