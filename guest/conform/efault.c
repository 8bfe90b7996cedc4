/* The kernel touches bad user memory: EFAULT, and how far a call gets before it. */
#include "conform.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <sys/utsname.h>

/* A page of memory, and none behind it: the last n bytes of the page. */
static char *edge(long n) {
  char *p = area(2);
  memset(p, 'm', PG);
  kmunmap(p + PG, PG);
  return p + PG - n;
}
static char *read_only(void) {
  char *p = area(1);
  kmprotect(p, PG, PROT_READ);
  return p;
}

CASE("read", "EFAULT", "from a file: nothing, read-only, beyond the address space") {
  int fd = disk("f", 3);
  COUNT("hole", pread(fd, hole(1), 10, 0));
  COUNT("read-only", pread(fd, read_only(), 10, 0));
  COUNT("2^62", pread(fd, (void *)(1L << 62), 10, 0));
  COUNT("-1", pread(fd, (void *)-1L, 10, 0));
  COUNT("0 bytes to a hole", pread(fd, hole(1), 0, 0));
  COUNT("at the end of the file", pread(fd, hole(1), 10, 3 * PG));
}
CASE("read", "EFAULT", "from a file: a short count where memory ends") {
  int fd = disk("f", 3);
  char *p = edge(100);
  COUNT("100 of 200 bytes", pread(fd, p, 200, 0));
  BYTE("last", p + 99);
  COUNT("a page and more", pread(fd, p - 3000, 2 * PG, 0));
  COUNT("position", (MUST(lseek(fd, 0, SEEK_SET)), read(fd, p, 200)));
  COUNT("is now", lseek(fd, 0, SEEK_CUR));
}
CASE("read", "EFAULT", "from memory files and /dev/zero: a short count") {
  char *p = edge(100);
  COUNT("memory file", pread(shm(2), p, 200, 0));
  COUNT("/dev/zero", read(open("/dev/zero", O_RDONLY), p, 200));
  COUNT("/dev/zero, nothing", read(open("/dev/zero", O_RDONLY), p + 100, 200));
  COUNT("/proc/self/maps", read(open("/proc/self/maps", O_RDONLY), p, 200));
  COUNT("/proc/self/maps, nothing", read(open("/proc/self/maps", O_RDONLY), p + 100, 200));
}
CASE("read", "EFAULT", "from a pipe: a short count, and what is lost") {
  int ends[2];
  char *p = edge(3), c[8] = {0};
  MUST(pipe(ends));
  MUST(write(ends[1], "abcdefgh", 8));
  COUNT("to a hole", read(ends[0], p + 3, 8));
  COUNT("3 of 8 bytes", read(ends[0], p, 8));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  COUNT("what is left", read(ends[0], c, 8));
  BYTE("first of it", c);
}
CASE("readv", "EFAULT", "vectors: short counts, and a bad vector") {
  int fd = disk("f", 2);
  char buffer[8], *p = edge(4);
  struct iovec good_bad[2] = {{buffer, 8}, {hole(1), 8}}, bad_good[2] = {{hole(1), 8}, {buffer, 8}};
  struct iovec cut[2] = {{p, 8}, {buffer, 8}};
  COUNT("good, bad", preadv(fd, good_bad, 2, 0));
  COUNT("bad, good", preadv(fd, bad_good, 2, 0));
  COUNT("cut", preadv(fd, cut, 2, 0));
  COUNT("vector in a hole", readv(fd, (struct iovec *)hole(1), 1));
  COUNT("a vector of none", readv(fd, (struct iovec *)hole(1), 0));
  struct iovec far[1] = {{(void *)(1L << 62), 8}}, longer[1] = {{buffer, (size_t)-1}};
  COUNT("beyond the address space", preadv(fd, far, 1, 0));
  COUNT("negative length", readv(fd, longer, 1));
  COUNT("1025 vectors", readv(fd, good_bad, 1025));
  COUNT("-1 vectors", readv(fd, good_bad, -1));
}
CASE("write", "EFAULT", "to a file: nothing, and a short count") {
  int fd = disk("f", 1);
  char *p = edge(100);
  COUNT("hole", pwrite(fd, p + 100, 10, 0));
  COUNT("PROT_NONE", pwrite(fd, reserve(1), 10, 0));
  COUNT("100 of 200 bytes", pwrite(fd, p, 200, 0));
  COUNT("read-only is fine", pwrite(fd, read_only(), 10, 0));
  COUNT("0 bytes from a hole", pwrite(fd, p + 100, 0, 0));
  COUNT("size", lseek(fd, 0, SEEK_END));
}
CASE("write", "EFAULT", "to a memory file and /dev/null") {
  char *p = edge(100);
  COUNT("memory file", pwrite(shm(1), p, 200, 0));
  COUNT("memory file, nothing", pwrite(shm(1), p + 100, 200, 0));
  COUNT("/dev/null", write(open("/dev/null", O_WRONLY), p + 100, 200));
}
CASE("write", "EFAULT", "to a pipe") {
  int ends[2];
  char *p = edge(100), c[8];
  MUST(pipe(ends));
  COUNT("hole", write(ends[1], p + 100, 10));
  COUNT("100 of 200 bytes", write(ends[1], p, 200));
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  COUNT("what came", read(ends[0], c, 8));
}
CASE("writev", "EFAULT", "vectors: good, then bad") {
  int fd = disk("f", 1);
  char buffer[8] = "abcdefg";
  struct iovec vector[2] = {{buffer, 8}, {hole(1), 8}};
  COUNT("file", writev(fd, vector, 2));
  int ends[2];
  MUST(pipe(ends));
  COUNT("pipe", writev(ends[1], vector, 2));
}
CASE("pipe2", "EFAULT", "no descriptors are left open") {
  RESULT("hole", syscall(SYS_pipe2, hole(1), 0));
  RESULT("read-only", syscall(SYS_pipe2, read_only(), 0));
  COUNT("the next descriptor", dup(1));
}
CASE("socketpair", "EFAULT", "no descriptors are left open") {
  RESULT("read-only", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, read_only()));
  COUNT("the next descriptor", dup(1));
}
CASE("getcwd", "EFAULT", "and its other errnos") {
  MUST(chdir("/proc"));
  COUNT("hole", syscall(SYS_getcwd, hole(1), 100));
  COUNT("cut", syscall(SYS_getcwd, edge(3), 100));
  COUNT("too small", syscall(SYS_getcwd, edge(3), 3));
  COUNT("it fits", syscall(SYS_getcwd, edge(6), 6));
}
CASE("open", "EFAULT", "a path that is not there or not whole") {
  char *p = edge(4);
  memcpy(p, "/tmp", 4);
  RESULT("hole", syscall(SYS_openat, AT_FDCWD, hole(1), O_RDONLY));
  RESULT("not ended", syscall(SYS_openat, AT_FDCWD, p, O_RDONLY));
  RESULT("beyond the address space", syscall(SYS_openat, AT_FDCWD, (void *)(1L << 62), O_RDONLY));
  p = edge(5);
  memcpy(p, "/tmp", 5);
  RESULT("ended at the edge", syscall(SYS_openat, AT_FDCWD, p, O_RDONLY));
}
CASE("execve", "EFAULT", "path, arguments, environment") {
  char *none[1] = {NULL}, *bad[2] = {hole(1), NULL};
  RESULT("path", syscall(SYS_execve, hole(1), none, none));
  RESULT("argument", syscall(SYS_execve, "/proc/self/exe", bad, none));
  RESULT("arguments", syscall(SYS_execve, "/proc/self/exe", hole(1), none));
  RESULT("environment", syscall(SYS_execve, "/proc/self/exe", none, bad));
}
CASE("fstat", "EFAULT", "and other calls that fill a structure") {
  char *bad = read_only();
  RESULT("newfstatat", syscall(SYS_newfstatat, 1, "", bad, AT_EMPTY_PATH));
  RESULT("uname", syscall(SYS_uname, bad));
  RESULT("getrusage", syscall(SYS_getrusage, 0, bad));
  RESULT("times", syscall(SYS_times, bad));
  RESULT("sysinfo", syscall(SYS_sysinfo, bad));
  RESULT("clock_gettime", syscall(SYS_clock_gettime, 1, bad));
  RESULT("gettimeofday", syscall(SYS_gettimeofday, bad, 0));
  RESULT("prlimit64", syscall(SYS_prlimit64, 0, RLIMIT_AS, 0, bad));
  RESULT("prlimit64, new one", syscall(SYS_prlimit64, 0, RLIMIT_AS, hole(1), 0));
  RESULT("getgroups", syscall(SYS_getgroups, 0, bad));
  RESULT("sigaltstack", syscall(SYS_sigaltstack, hole(1), 0));
  RESULT("rt_sigaction", syscall(SYS_rt_sigaction, SIGUSR1, hole(1), 0, 8));
  RESULT("rt_sigprocmask", syscall(SYS_rt_sigprocmask, 0, hole(1), 0, 8));
  RESULT("rt_sigpending", syscall(SYS_rt_sigpending, bad, 8));
  RESULT("getrandom", syscall(SYS_getrandom, bad, 8, 0));
  RESULT("statfs", syscall(SYS_statfs, "/tmp", bad));
  RESULT("nanosleep", syscall(SYS_nanosleep, hole(1), 0));
}
CASE("getrandom", "EFAULT", "a short count where memory ends") {
  COUNT("100 of 200 bytes", syscall(SYS_getrandom, edge(100), 200, 0));
}
CASE("getdents64", "EFAULT", "no room behind the first entries") {
  RESULT("hole", syscall(SYS_getdents64, open("/", O_RDONLY), hole(1), 1000));
  RESULT("read-only", syscall(SYS_getdents64, open("/", O_RDONLY), read_only(), 1000));
}
CASE("wait4", "EFAULT", "the status cannot be written: the child is gone all the same") {
  pid_t pid = fork();
  if (pid == 0) _exit(3);
  COUNT("wait", syscall(SYS_wait4, pid, read_only(), 0, 0));
  COUNT("again", syscall(SYS_wait4, pid, 0, 0, 0));
}
CASE("ppoll", "EFAULT", "descriptors that cannot be read or written") {
  RESULT("hole", syscall(SYS_ppoll, hole(1), 1, 0, 0, 0));
  struct pollfd *fds = (struct pollfd *)area(1);
  fds->fd = 1;
  fds->events = POLLOUT;
  kmprotect(fds, PG, PROT_READ);
  struct timespec now = {0, 0};
  RESULT("read-only", syscall(SYS_ppoll, fds, 1, &now, 0, 0));
}
CASE("epoll_ctl", "EFAULT", "event, and where events go") {
  int set = epoll_create1(0), ends[2];
  MUST(pipe(ends));
  struct epoll_event event = {.events = EPOLLOUT};
  RESULT("event", epoll_ctl(set, EPOLL_CTL_ADD, ends[1], (struct epoll_event *)hole(1)));
  MUST(epoll_ctl(set, EPOLL_CTL_ADD, ends[1], &event));
  COUNT("wait", syscall(SYS_epoll_pwait, set, read_only(), 1, 0, 0, 8));
}
CASE("futex", "EFAULT", "a word that is not there") {
  RESULT("wait", syscall(SYS_futex, hole(1), 0, 0, 0, 0, 0));
  RESULT("wake shared", syscall(SYS_futex, hole(1), 1, 1, 0, 0, 0));
  RESULT("wake private", syscall(SYS_futex, hole(1), 129, 1, 0, 0, 0));
}
CASE("send", "EFAULT", "a socket: short or nothing") {
  int ends[2];
  char c[8];
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  COUNT("hole", send(ends[0], hole(1), 10, 0));
  COUNT("cut", send(ends[0], edge(4), 10, 0));
  COUNT("what came", recv(ends[1], c, 8, MSG_DONTWAIT));
  MUST(send(ends[0], "abcdef", 6, 0));
  COUNT("receive to a hole", recv(ends[1], hole(1), 6, 0));
  COUNT("receive, cut", recv(ends[1], edge(2), 6, MSG_DONTWAIT));
}
CASE("getcwd", "", "the kernel makes pages resident: lazily mapped memory, copy on write") {
  char *p = area(3), *q = kmmap(NULL, PG, RW, MAP_PRIVATE, disk("f", 1), 0);
  MUST(chdir("/proc"));
  COUNT("untouched memory", syscall(SYS_getcwd, p + PG - 2, 100));
  COUNT("private file", syscall(SYS_getcwd, q, 100));
}
