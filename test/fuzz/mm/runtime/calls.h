/* Accesses and system calls, with what they return, raise and fault in. Part of runtime.h. */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

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
 * ---- folios that a CPU keeps aside: how many of them the program's own pages are differs between programs, and when the batch is
 * full all of it goes to the lists; so it is emptied before each call (madvise_cold, lru_add_drain) ----
 */
static char own_page[2 * PG];
static char *own_whole_page(void) { return (char *)(((unsigned long)own_page + PG - 1) & -PG); }
static void drain_lists(void) { madvise(own_whole_page(), PG, 20); }
/*
 * Linux keeps the last folios of a CPU aside until there are enough of them; PG_referenced and PG_active of those go other ways.
 * MADV_COLD of a page of our own puts them where they belong (madvise_cold, lru_add_drain), and munlock before where that is locked.
 */
static void settle(void) {
  munlock(own_whole_page(), PG);
  drain_lists();
}
/* mlockall fills the batch with what it faults in of the program: all of that is there before. */
static long special_bytes;
static void populate_program(void) {
  read_text("/proc/self/maps");
  special_bytes = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    struct range_line range = read_range_line(line);
    int copies = range.rights[1] == 'w' && range.rights[3] == 'p';
    /* vsyscall is nobody's. */
    if (range.name && strncmp(range.name, "[v", 2) == 0 && range.name[2] != 's') special_bytes += (long)(range.to - range.from);
    if (!range.inside) madvise((void *)range.from, range.to - range.from, copies ? 23 : 22);
  }
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
  drain_lists();
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
 * end of a file, or of a guard region, x86-64 finds that out before it looks at the right to execute, riscv64 after.
 */
static void jump_to(unsigned long address) {
  if (sigsetjmp(fault_env, 1) == 0) {
    if (*(volatile unsigned long *)address != RETURN_CODE) {
      put(" no code");
      return;
    }
  } else if (fault_signal == SIGBUS || fault_code == SEGV_MAPERR) {
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
  else if (result >= 1L << 22 || result < 0 || strcmp(place((unsigned long)result), "far") != 0) put(" %s", place((unsigned long)result));
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
/*
 * mlockall puts the program's own pages into the batch of pages to be locked, among those of the places: how many of these are in
 * one batch differs with the size of the program. So those are locked before and the batch emptied; one page of our own is left.
 */
static int is_program_locked;
static void lock_program(int number) {
  read_text("/proc/self/maps");
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    struct range_line range = read_range_line(line);
    if (!range.inside) syscall(number, range.from, range.to - range.from);
  }
  settle();
}
static void lock_all(long flags) {
  struct rlimit limit, wider;
  int was_locked = is_program_locked;
  if (flags & 1) {
    populate_program();
    if (!was_locked) lock_program(SYS_mlock);
    /* VmSize is measured against it, with the vdso, which is never locked and differs between architectures. */
    getrlimit(RLIMIT_MEMLOCK, &limit);
    wider = limit;
    if (limit.rlim_max - limit.rlim_cur >= (rlim_t)special_bytes) wider.rlim_cur += (rlim_t)special_bytes;
    setrlimit(RLIMIT_MEMLOCK, &wider);
  }
  is_program_locked = call(SYS_mlockall, flags, 0, 0, 0, 0, 0) == 0 ? (flags & 1) || was_locked : was_locked;
  if (flags & 1) {
    setrlimit(RLIMIT_MEMLOCK, &limit);
    if (!is_program_locked) lock_program(SYS_munlock);
  }
}
static void unlock_all(void) {
  if (call(SYS_munlockall, 0, 0, 0, 0, 0, 0) == 0) is_program_locked = 0;
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

/* What is the machine's own in the buffer (frames, addresses) must not come into files. */
static void forget_buffer(void) { memset(io_buffer, 0, sizeof io_buffer); }
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
  forget_buffer();
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
  forget_buffer();
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
#endif
