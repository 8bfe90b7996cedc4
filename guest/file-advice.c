/* posix_fadvise(2), readahead(2) and cachestat(2): what they refuse, and what they say of files that are in memory alone (6.18). */
#include "check.h"

struct range { uint64_t offset, length; };
struct stats { uint64_t cached, dirty, writeback, evicted, recently; };

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

static void stats(const char *what, int fd, uint64_t offset, uint64_t length) {
  struct range range = {offset, length};
  struct stats s = {9, 9, 9, 9, 9};
  errno = 0;
  long result = syscall(SYS_cachestat, fd, &range, &s, 0);
  say("%s: %s, %ld cached, %ld dirty, %ld on their way, %ld evicted, %ld of late", what, result < 0 ? err_name(errno) : "ok",
      (long)s.cached, (long)s.dirty, (long)s.writeback, (long)s.evicted, (long)s.recently);
}
static void advise(const char *what, int fd, off_t offset, off_t length, int advice) {
  int error = posix_fadvise(fd, offset, length, advice);
  say("%s: %s", what, error ? err_name(error) : "ok");
}

int main(void) {
  scratch();
  int shm = open("/dev/shm/file-advice.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
  unlink("/dev/shm/file-advice.tmp");
  MUST(ftruncate(shm, 20 * PG));
  MUST(pwrite(shm, "a", 1, 0));
  MUST(pwrite(shm, "a", 1, 3 * PG));
  stats("all", shm, 0, 0);
  stats("a hole", shm, PG, PG);
  stats("one byte", shm, 3 * PG, 1);
  stats("the byte before", shm, 3 * PG - 1, 1);
  stats("both", shm, 3 * PG - 1, 2);
  stats("beyond", shm, 100 * PG, PG);
  stats("wraps", shm, (uint64_t)-1, 2);
  for (int advice = 0; advice <= 6; advice++) {
    char what[16];
    snprintf(what, sizeof what, "advice %d", advice);
    advise(what, shm, 0, 0, advice);
  }
  stats("memory alone keeps all", shm, 0, 0);
  advise("negative length", shm, 0, -1, 4);
  advise("negative offset", shm, -5, 0, 4);
  int file = letters("file", 3), null = open("/dev/null", O_RDWR), folder = open("/", O_RDONLY), path = open("file", O_PATH);
  int only = open("file", O_WRONLY), p[2];
  MUST(pipe(p));
  advise("folder", folder, 0, 0, 4);
  advise("device", null, 0, 0, 4);
  advise("pipe", p[0], 0, 0, 4);
  advise("place", path, 0, 0, 4);
  advise("none", -1, 0, 0, 4);
  stats("folder", folder, 0, 0);
  stats("pipe", p[0], 0, 0);
  stats("place", path, 0, 0);
  stats("none", -1, 0, 0);
  struct range range = {0, 0};
  struct stats s;
  ERR("flags", syscall(SYS_cachestat, shm, &range, &s, 1));
  ERR("bad range", syscall(SYS_cachestat, shm, (void *)8, &s, 0));
  ERR("bad result", syscall(SYS_cachestat, shm, &range, (void *)8, 0));
  RET("readahead", readahead(file, 0, 3 * PG));
  RET("nothing", readahead(file, 0, 0));
  RET("beyond", readahead(file, 100 * PG, PG));
  RET("negative", readahead(file, -1, 1));
  RET("too much", readahead(file, 0, (size_t)-1));
  RET("shm", readahead(shm, 0, PG));
  RET("pipe", readahead(p[0], 0, 1));
  RET("folder", readahead(folder, 0, 1));
  RET("device", readahead(null, 0, 1));
  RET("only writable", readahead(only, 0, 1));
  RET("place", readahead(path, 0, 1));
  RET("none", readahead(-1, 0, 1));
  MUST(fsync(file));
  stats("a file that was just written", file, 0, 0);
  MUST(fchmod(file, 0644));
  pid_t child = fork();
  if (child == 0) {
    MUST(chmod(".", 0755));
    MUST(setresuid(1000, 1000, 1000));
    int other = open("file", O_RDONLY);
    stats("another's file", other, 0, 0);
    stats("open for writing", only, 0, 0);
    _exit(0);
  }
  say("child: %s", wait_text(child));
  unlink("file");
  return 0;
}
