/* statx(2): the time at which a file was made, for those who ask, on file systems that know it (6.18). */
#include "check.h"
#include <sys/stat.h>

#ifndef STATX_BTIME
#define STATX_BTIME 0x800
#endif
/* struct statx as far as it is needed, for C libraries without it. */
struct times { int64_t seconds; uint32_t nanoseconds; int32_t padding; };
struct info { uint32_t mask; uint32_t rest[15]; struct times atime, btime, ctime, mtime; uint8_t more[256]; };

static struct info ask(const char *path, unsigned mask) {
  struct info x;
  memset(&x, 0, sizeof x);
  MUST(syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, mask, &x));
  return x;
}
static int compare(struct times a, struct times b) {
  if (a.seconds != b.seconds) return a.seconds < b.seconds ? -1 : 1;
  return a.nanoseconds < b.nanoseconds ? -1 : a.nanoseconds > b.nanoseconds;
}
static int is(const char *path) { return (ask(path, 0xfff).mask & STATX_BTIME) != 0; }

static void kept(const char *path) {
  struct info made = ask(path, 0xfff);
  sleep_ms(20);
  int fd = open(path, O_WRONLY | O_APPEND);
  MUST(write(fd, "more", 4));
  close(fd);
  MUST(chmod(path, 0600));
  struct timespec old[2] = {{5, 0}, {6, 0}};
  struct info changed = ask(path, 0xfff);
  MUST(utimensat(AT_FDCWD, path, old, 0));
  struct info aged = ask(path, 0xfff);
  say("told %d, not asked %d, kept %d %d, changed later %d, mtime %ld", (made.mask & STATX_BTIME) != 0,
      (ask(path, 0x7ff).mask & STATX_BTIME) != 0, compare(made.btime, changed.btime), compare(made.btime, aged.btime),
      compare(changed.mtime, made.btime), (long)aged.mtime.seconds);
}

int main(void) {
  scratch();
  close(letters("file", 1));
  kept("file");
  close(open("/dev/shm/file-btime.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600));
  kept("/dev/shm/file-btime.tmp");
  struct info before = ask("file", 0xfff);
  MUST(rename("file", "other"));
  MUST(link("other", "third"));
  struct info after = ask("third", 0xfff);
  NUM("with another name", compare(before.btime, after.btime));
  MUST(mkdir("folder", 0755));
  MUST(symlink("x", "link"));
  say("folder %d, link %d, proc %d, null %d", is("folder"), is("link"), is("/proc/self/maps"), is("/dev/null"));
  unlink("other"), unlink("third"), unlink("link"), rmdir("folder");
  unlink("/dev/shm/file-btime.tmp");
  return 0;
}
