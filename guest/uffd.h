/*
 * userfaultfd(2) for the guest programs: the kernel's structures (include/uapi/linux/userfaultfd.h, 6.18), spelled out because
 * the C libraries' kernel headers differ in age.
 */
#ifndef UFFD_H
#define UFFD_H
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#ifndef SYS_userfaultfd
#define SYS_userfaultfd 282
#endif

typedef uint64_t u64;
struct u_api { u64 api, features, ioctls; };
struct u_range { u64 start, len; };
struct u_register { struct u_range range; u64 mode, ioctls; };
struct u_copy { u64 dst, src, len, mode; int64_t copy; };
struct u_fill { struct u_range range; u64 mode; int64_t done; }; /* ZEROPAGE, CONTINUE, POISON */
struct u_protect { struct u_range range; u64 mode; };
struct u_msg {
  uint8_t event, r1; uint16_t r2; uint32_t r3;
  union {
    struct { u64 flags, address; uint32_t ptid; } fault;
    struct { uint32_t ufd; } fork;
    struct { u64 from, to, len; } remap;
    struct { u64 start, end; } remove;
  } arg;
};

#define U_API 0xAA
#define U_IOCTL_API _IOWR(0xAA, 0x3F, struct u_api)
#define U_REGISTER _IOWR(0xAA, 0, struct u_register)
#define U_UNREGISTER _IOR(0xAA, 1, struct u_range)
#define U_WAKE _IOR(0xAA, 2, struct u_range)
#define U_COPY _IOWR(0xAA, 3, struct u_copy)
#define U_ZEROPAGE _IOWR(0xAA, 4, struct u_fill)
#define U_MOVE _IOWR(0xAA, 5, struct u_copy)
#define U_WRITEPROTECT _IOWR(0xAA, 6, struct u_protect)
#define U_CONTINUE _IOWR(0xAA, 7, struct u_fill)
#define U_POISON _IOWR(0xAA, 8, struct u_fill)
#define U_NEW _IO(0xAA, 0)

#define M_MISSING 1
#define M_WP 2
#define M_MINOR 4

#define F_WP 1
#define F_FORK 2
#define F_REMAP 4
#define F_REMOVE 8
#define F_UNMAP 0x40
#define F_SIGBUS 0x80
#define F_THREAD_ID 0x100
#define F_MINOR_SHMEM 0x400
#define F_EXACT 0x800
#define F_WP_SHMEM 0x1000
#define F_WP_UNPOPULATED 0x2000
#define F_POISON 0x4000
#define F_WP_ASYNC 0x8000
#define F_MOVE 0x10000

#define EV_FAULT 0x12
#define EV_FORK 0x13
#define EV_REMAP 0x14
#define EV_REMOVE 0x15
#define EV_UNMAP 0x16

static inline int u_new(int flags) { return (int)syscall(SYS_userfaultfd, flags); }

static inline int u_init(int fd, u64 features) {
  struct u_api api = {U_API, features, 0};
  return ioctl(fd, U_IOCTL_API, &api);
}

/* A descriptor that has shaken hands. */
static inline int u_open(int flags, u64 features) {
  int fd = u_new(flags);
  MUST(fd);
  MUST(u_init(fd, features));
  return fd;
}

static inline int u_reg(int fd, void *at, long len, int mode) {
  struct u_register r = {{(u64)(uintptr_t)at, (u64)len}, (u64)mode, 0};
  return ioctl(fd, U_REGISTER, &r);
}

static inline int u_unreg(int fd, void *at, long len) {
  struct u_range r = {(u64)(uintptr_t)at, (u64)len};
  return ioctl(fd, U_UNREGISTER, &r);
}

static inline int u_wake(int fd, void *at, long len) {
  struct u_range r = {(u64)(uintptr_t)at, (u64)len};
  return ioctl(fd, U_WAKE, &r);
}

static int64_t u_done; /* what the last fill wrote back */

static inline int u_copy(int fd, void *dst, void *src, long len, int mode) {
  struct u_copy c = {(u64)(uintptr_t)dst, (u64)(uintptr_t)src, (u64)len, (u64)mode, 77};
  int r = ioctl(fd, U_COPY, &c);
  u_done = c.copy;
  return r;
}

static inline int u_move(int fd, void *dst, void *src, long len, int mode) {
  struct u_copy c = {(u64)(uintptr_t)dst, (u64)(uintptr_t)src, (u64)len, (u64)mode, 77};
  int r = ioctl(fd, U_MOVE, &c);
  u_done = c.copy;
  return r;
}

static inline int u_fill(int fd, unsigned long what, void *at, long len, int mode) {
  struct u_fill z = {{(u64)(uintptr_t)at, (u64)len}, (u64)mode, 77};
  int r = ioctl(fd, what, &z);
  u_done = z.done;
  return r;
}

static inline int u_protect(int fd, void *at, long len, int mode) {
  struct u_protect p = {{(u64)(uintptr_t)at, (u64)len}, (u64)mode};
  return ioctl(fd, U_WRITEPROTECT, &p);
}

/* The next message, waiting at most five seconds. */
static inline struct u_msg u_next(int fd) {
  struct u_msg m;
  struct pollfd p = {fd, POLLIN, 0};
  memset(&m, 0, sizeof m);
  if (poll(&p, 1, 5000) != 1) { say("no message"); _exit(97); }
  if (read(fd, &m, sizeof m) != sizeof m) { say("no message: %s", err_name(errno)); _exit(97); }
  return m;
}

static inline int u_quiet(int fd) {
  struct pollfd p = {fd, POLLIN, 0};
  return poll(&p, 1, 0) == 0;
}

/* A result of a fill: its error's name or "ok", and what it wrote back, in pages where it is a count. */
#define FILL(what, call) do { errno = 0; int r_ = (call); \
  if (u_done > 0 && u_done % PG == 0) say("%s: %s, %ld pages", what, r_ < 0 ? err_name(errno) : "ok", (long)(u_done / PG)); \
  else if (u_done < 0) say("%s: %s, back %s", what, r_ < 0 ? err_name(errno) : "ok", err_name((int)-u_done)); \
  else say("%s: %s, back %ld", what, r_ < 0 ? err_name(errno) : "ok", (long)u_done); } while (0)

/* Fresh memory between two pages without rights, so that it never merges with a neighbour. */
static inline char *u_anon(int pages) {
  char *p = mmap(NULL, (size_t)((pages + 2) * PG), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  MUST(p == MAP_FAILED ? -1 : 0);
  p += PG;
  MUST(mprotect(p, (size_t)(pages * PG), PROT_READ | PROT_WRITE));
  madvise(p, (size_t)(pages * PG), MADV_NOHUGEPAGE);
  return p;
}

/* The word of /proc/self/pagemap. */
static inline u64 u_pagemap(void *at) {
  u64 word = 0;
  int fd = open("/proc/self/pagemap", O_RDONLY);
  MUST(fd);
  MUST(pread(fd, &word, 8, (off_t)((uintptr_t)at / PG * 8)) == 8 ? 0 : -1);
  close(fd);
  return word;
}

#define PM_WP(at) ((int)(u_pagemap(at) >> 57 & 1))

/* The rights and the VmFlags that smaps shows for the mapping at `at`, of the userfaultfd ones, and its size in pages. */
static inline void u_vma(const char *what, void *at) {
  FILE *f = fopen("/proc/self/smaps", "r");
  char line[512], flags[64] = "";
  int in = 0;
  unsigned long from = 0, to = 0;
  while (f != NULL && fgets(line, sizeof line, f) != NULL) {
    unsigned long a, b;
    char rest;
    if (sscanf(line, "%lx-%lx%c", &a, &b, &rest) == 3 && rest == ' ') {
      in = a <= (unsigned long)at && (unsigned long)at < b;
      if (in) from = a, to = b;
    } else if (in && strncmp(line, "VmFlags:", 8) == 0) {
      if (strstr(line, " um")) strcat(flags, " um");
      if (strstr(line, " uw")) strcat(flags, " uw");
      if (strstr(line, " ui")) strcat(flags, " ui");
    }
  }
  if (f != NULL) fclose(f);
  say("%s: %ld pages,%s", what, (long)((to - from) / PG), flags[0] ? flags : " none");
}

/* What a thread does to the memory under test: each answers what it read. */
static inline void *u_read_byte(void *at) { return (void *)(intptr_t)*(volatile char *)at; }
static inline void *u_write_byte(void *at) {
  *(volatile char *)at = 9;
  return (void *)(intptr_t)*(volatile char *)at;
}
static inline pthread_t u_start(void *(*run)(void *), void *arg) {
  pthread_t t;
  MUST(pthread_create(&t, NULL, run, arg) ? -1 : 0);
  return t;
}
static inline long u_join(pthread_t t) {
  void *result = NULL;
  pthread_join(t, &result);
  return (long)(intptr_t)result;
}

/* Takes the next fault and says where in the area it was. */
static inline void u_fault(const char *what, int fd, const char *area) {
  struct u_msg m = u_next(fd);
  say("%s: event %x flags %llx offset %ld", what, m.event, (unsigned long long)m.arg.fault.flags,
      (long)(m.arg.fault.address - (u64)(uintptr_t)area));
}
#endif
