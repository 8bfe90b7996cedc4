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
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
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
static int command_pipe[SLOTS][2], done_pipe[2], born_pipe[2];
static long base_size, base_data, base_stk;
static char io_buffer[64 * 1024];
static char text[512 * 1024];
static char out[256 * 1024];
static int out_length;

#include "runtime/report.h"
#include "runtime/calls.h"
#include "runtime/pages.h"
#include "runtime/processes.h"
#include "runtime/others.h"
#include "runtime/userfaultfd.h"

/* ---- all steps by name ---- */
static const struct { const char *name; long number; } CALLS[] = {
#define C_(n) {#n, SYS_##n},
  C_(munmap) C_(mprotect) C_(brk) C_(madvise) C_(mlock) C_(mlock2) C_(munlock) C_(msync)
  C_(ftruncate) C_(fallocate) C_(pread64) C_(pwrite64) C_(fcntl) C_(fsync) C_(fdatasync) C_(lseek) C_(prctl) C_(mseal)
  C_(remap_file_pages) C_(shmdt) C_(pkey_mprotect) C_(sync_file_range) C_(readahead) C_(write) C_(read)
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
  else if (!strcmp(word, "mlockall")) lock_all(a[0]);
  else if (!strcmp(word, "munlockall")) unlock_all();
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
  else if (!strcmp(word, "personality")) put(" was=%lx", syscall(SYS_personality, a[0]));
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
  if (pipe(done_pipe) != 0 || pipe(born_pipe) != 0) _exit(86);
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
#ifndef FUZZ_OWN_REPORT /* ../inject/inject.c has its own */
static void report_step(int step) {
  put("#%d", step);
  run_step(step);
  settle();
  observe();
  flush_out();
}
#endif
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
