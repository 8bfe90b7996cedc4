/* userfaultfd(2). Part of runtime.h. */
#ifndef FUZZ_USERFAULTFD_H
#define FUZZ_USERFAULTFD_H

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
#endif
