/* Calls that read or write a whole range, where its memory ends in the middle: what they have done, and what they say. */
#include "conform.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/utsname.h>

/* A page of 'm', the next one not there. */
static char *edge(void) {
  char *p = area(2);
  memset(p, 'm', PG);
  MUST(kmunmap(p + PG, PG));
  return p;
}

CASE("pread64", "EFAULT", "short, and the rest") {
  char *p = edge();
  int fd = disk("f", 3);
  COUNT("10 of 20", pread(fd, p + PG - 10, 20, 0));
  COUNT("a page of two, unaligned in the file", pread(fd, p, 2 * PG, 100));
  BYTE("last byte", p + PG - 1);
  COUNT("nothing", pread(fd, p + PG, 1, 0));
  COUNT("beyond the end: 0, the buffer is not looked at", pread(fd, p + PG, 1, 3 * PG));
  COUNT("no length", pread(fd, p + PG, 0, 0));
}
CASE("pwrite64", "EFAULT", "short, and what the file has") {
  char *p = edge(), page[3 * PG];
  int fd = disk("f", 3);
  COUNT("10 of 20", pwrite(fd, p + PG - 10, 20, 0));
  COUNT("read back", pread(fd, page, 3 * PG, 0));
  BYTE("9", page + 9);
  BYTE("10", page + 10);
  COUNT("a page of two, over the edge of a page of the file", pwrite(fd, p, 2 * PG, PG + 100));
  COUNT("read back", pread(fd, page, 3 * PG, 0));
  BYTE("first", page + PG + 100);
  BYTE("last", page + 2 * PG + 99);
  BYTE("behind", page + 2 * PG + 100);
  COUNT("nothing", pwrite(fd, p + PG, 5, 0));
  struct stat st;
  COUNT("at the end: nothing", pwrite(fd, p + PG, 5, 3 * PG));
  MUST(fstat(fd, &st));
  NUM("size", st.st_size);
  COUNT("at the end: short", pwrite(fd, p + PG - 3, 5, 3 * PG));
  MUST(fstat(fd, &st));
  NUM("size", st.st_size);
}
CASE("pwrite64", "EFAULT", "a memory file: short, and its size") {
  char *p = edge();
  int fd = shm(1);
  struct stat st;
  COUNT("nothing", pwrite(fd, p + PG, 5, PG));
  COUNT("short", pwrite(fd, p + PG - 3, 5, PG));
  MUST(fstat(fd, &st));
  NUM("size", st.st_size);
}
CASE("preadv2", "EFAULT", "vectors: short where one ends") {
  char *p = edge(), small[8];
  int fd = disk("f", 3);
  struct iovec v[3] = {{small, 8}, {p + PG - 8, 16}, {small, 8}};
  COUNT("preadv", preadv(fd, v, 3, 0));
  COUNT("preadv2", syscall(SYS_preadv2, fd, v, 3L, 0L, 0L, 0L));
  COUNT("pwritev", pwritev(fd, v, 3, 0));
  COUNT("pwritev2", syscall(SYS_pwritev2, fd, v, 3L, 0L, 0L, 0L));
  v[0].iov_base = p + PG;
  COUNT("the first is bad", preadv(fd, v, 3, 0));
  COUNT("the first is bad: pwritev", pwritev(fd, v, 3, 0));
  v[0].iov_len = (size_t)-1;
  COUNT("a length that is none", preadv(fd, v, 3, 0));
  COUNT("the vector itself", syscall(SYS_preadv, fd, p + PG - 16, 2L, 0L, 0L));
  COUNT("too many", syscall(SYS_preadv, fd, v, 1025L, 0L, 0L));
}
CASE("sendfile", "EFAULT", "the offset cannot be read, or not be written") {
  int in = disk("f", 2), out = disk("g", 1);
  COUNT("hole", syscall(SYS_sendfile, out, in, hole(1), 10L));
  off_t *fixed = (off_t *)area(1);
  *fixed = 5;
  MUST(kmprotect(fixed, PG, PROT_READ));
  COUNT("read-only", syscall(SYS_sendfile, out, in, fixed, 10L));
  NUM("position of the target", lseek(out, 0, SEEK_CUR) - PG);
  NUM("offset", *fixed);
}
CASE("copy_file_range", "EFAULT", "the offsets") {
  int in = disk("f", 2), out = disk("g", 2);
  loff_t zero = 0;
  COUNT("from", syscall(SYS_copy_file_range, in, hole(1), out, &zero, 10L, 0L));
  COUNT("to", syscall(SYS_copy_file_range, in, &zero, out, hole(1), 10L, 0L));
}
CASE("vmsplice", "EFAULT", "pages that are not there") {
  int fds[2];
  char *p = edge();
  MUST(pipe2(fds, O_NONBLOCK));
  struct iovec v = {p + PG, 10};
  COUNT("hole", vmsplice(fds[1], &v, 1, 0));
  v = (struct iovec){p + PG - 10, 20};
  COUNT("over the edge", vmsplice(fds[1], &v, 1, 0));
  COUNT("the vector", syscall(SYS_vmsplice, fds[1], p + PG - 8, 1L, 0L));
}
CASE("splice", "EFAULT", "the offset") {
  int fds[2], in = disk("f", 1);
  MUST(pipe2(fds, O_NONBLOCK));
  COUNT("hole", syscall(SYS_splice, in, hole(1), fds[1], NULL, 10L, 0L));
}
CASE("recvmsg", "EFAULT", "a stream: short; then what is left") {
  int s[2];
  char *p = edge(), rest[32];
  MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
  MUST(send(s[0], "0123456789abcdef", 16, 0));
  COUNT("hole", recv(s[1], p + PG, 4, 0));
  COUNT("over the edge", recv(s[1], p + PG - 4, 8, 0));
  COUNT("the rest", recv(s[1], rest, sizeof rest, 0));
  struct msghdr *bad = (struct msghdr *)hole(1);
  COUNT("header", syscall(SYS_recvmsg, s[1], bad, 0L));
  COUNT("header to send", syscall(SYS_sendmsg, s[1], bad, 0L));
}
CASE("recvfrom", "EFAULT", "a datagram: gone or not") {
  int s[2];
  char *p = edge(), rest[32];
  MUST(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s));
  MUST(send(s[0], "0123456789abcdef", 16, 0));
  MUST(send(s[0], "second", 6, 0));
  COUNT("over the edge", recv(s[1], p + PG - 4, 16, 0));
  COUNT("next", recv(s[1], rest, sizeof rest, 0));
  COUNT("and next", recv(s[1], rest, sizeof rest, 0));
}
CASE("getsockname", "EFAULT", "names that have no room") {
  int s[2];
  socklen_t length = sizeof(struct sockaddr_un);
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
  RESULT("length", syscall(SYS_getsockname, s[0], hole(1), hole(1)));
  RESULT("name", syscall(SYS_getsockname, s[0], hole(1), &length));
  RESULT("option", syscall(SYS_getsockopt, s[0], (long)SOL_SOCKET, (long)SO_TYPE, hole(1), &length));
  RESULT("set option", syscall(SYS_setsockopt, s[0], (long)SOL_SOCKET, (long)SO_SNDBUF, hole(1), 4L));
  RESULT("bind", syscall(SYS_bind, s[0], hole(1), 10L));
}
CASE("eventfd", "EFAULT", "a counter that finds no room stays or goes") {
  int fd = eventfd(7, EFD_NONBLOCK);
  uint64_t value = 0;
  COUNT("read", read(fd, hole(1), 8));
  COUNT("again", read(fd, &value, 8));
  COUNT("write", write(fd, hole(1), 8));
}
CASE("timerfd", "EFAULT", "expirations that find no room; settings") {
  int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct itimerspec soon = {.it_value = {0, 1}};
  uint64_t value = 0;
  MUST(timerfd_settime(fd, 0, &soon, NULL));
  struct pollfd poll_it = {fd, POLLIN, 0};
  NUM("ready", poll(&poll_it, 1, 5000));
  COUNT("read", read(fd, hole(1), 8));
  COUNT("again", read(fd, &value, 8));
  RESULT("settime", syscall(SYS_timerfd_settime, fd, 0L, hole(1), NULL));
  RESULT("gettime", syscall(SYS_timerfd_gettime, fd, hole(1)));
}
CASE("readlinkat", "EFAULT", "and other names") {
  char *p = edge();
  MUST(symlink("0123456789", "link"));
  COUNT("hole", readlink("link", p + PG, 10));
  COUNT("over the edge", readlink("link", p + PG - 4, 10));
  COUNT("room enough", readlink("link", p + PG - 4, 4));
  RESULT("uname", syscall(SYS_uname, p + PG));
  RESULT("sysinfo", syscall(SYS_sysinfo, p + PG - 8));
  RESULT("times", syscall(SYS_times, p + PG));
}
CASE("read", "EFAULT", "files of /proc: short or nothing, and where the position is") {
  char *p = edge();
  int fd = open("/proc/self/maps", O_RDONLY);
  COUNT("maps, hole", read(fd, p + PG, 100));
  COUNT("over the edge", read(fd, p + PG - 10, 100));
  YES("position", lseek(fd, 0, SEEK_CUR) >= 0);
  fd = open("/proc/self/status", O_RDONLY);
  COUNT("status, hole", read(fd, p + PG, 10));
  COUNT("status, over the edge", read(fd, p + PG - 4, 10));
  fd = open("/proc/self/pagemap", O_RDONLY);
  COUNT("pagemap, hole", read(fd, p + PG, 16));
  fd = open("/proc/self/cmdline", O_RDONLY);
  COUNT("cmdline, hole", read(fd, p + PG, 1));
  fd = open("/proc/self/auxv", O_RDONLY);
  COUNT("auxv, hole", read(fd, p + PG, 16));
  COUNT("auxv, over the edge", read(fd, p + PG - 8, 16));
}
CASE("nanosleep", "EFAULT", "times") {
  char *bad = hole(1);
  struct timespec none = {0, 0};
  RESULT("nanosleep", syscall(SYS_nanosleep, bad, NULL));
  RESULT("the rest is not written after a whole sleep", syscall(SYS_nanosleep, &none, bad));
  RESULT("clock_gettime", syscall(SYS_clock_gettime, (long)CLOCK_MONOTONIC, bad));
  RESULT("clock_getres", syscall(SYS_clock_getres, (long)CLOCK_MONOTONIC, bad));
  RESULT("gettimeofday", syscall(SYS_gettimeofday, bad, NULL));
}
CASE("rt_sigaction", "EFAULT", "signals: sets, actions, stacks") {
  char *bad = hole(1);
  RESULT("action", syscall(SYS_rt_sigaction, (long)SIGUSR1, bad, NULL, 8L));
  RESULT("old action", syscall(SYS_rt_sigaction, (long)SIGUSR1, NULL, bad, 8L));
  RESULT("mask", syscall(SYS_rt_sigprocmask, (long)SIG_BLOCK, bad, NULL, 8L));
  RESULT("old mask", syscall(SYS_rt_sigprocmask, (long)SIG_BLOCK, NULL, bad, 8L));
  RESULT("pending", syscall(SYS_rt_sigpending, bad, 8L));
  RESULT("alternate stack", syscall(SYS_sigaltstack, bad, NULL));
  RESULT("rlimit", syscall(SYS_prlimit64, 0L, (long)RLIMIT_CORE, bad, NULL));
  RESULT("old rlimit", syscall(SYS_prlimit64, 0L, (long)RLIMIT_CORE, NULL, bad));
}
