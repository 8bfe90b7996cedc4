/* The errors of mmap (mmap(2), do_mmap). */
#include "check.h"
int main(void) {
  scratch();
  int rw = PROT_READ | PROT_WRITE, an = MAP_PRIVATE | MAP_ANONYMOUS;
  int fd = letters("f", 2), p[2];
  int ro = open("f", O_RDONLY), wo = open("f", O_WRONLY), dir = open(".", O_RDONLY);
  MUST(pipe(p));
  ERR("length 0", mmap(NULL, 0, rw, an, -1, 0));
  ERR("neither private nor shared", mmap(NULL, PG, rw, MAP_ANONYMOUS, -1, 0));
  ERR("bad descriptor", mmap(NULL, PG, rw, MAP_PRIVATE, 99, 0));
  ERR("closed descriptor", mmap(NULL, PG, rw, MAP_SHARED, -1, 0));
  ERR("offset unaligned", mmap(NULL, PG, rw, MAP_PRIVATE, fd, 100));
  ERR("shared write of a read-only file", mmap(NULL, PG, rw, MAP_SHARED, ro, 0));
  ERR("private write of a read-only file", mmap(NULL, PG, rw, MAP_PRIVATE, ro, 0));
  ERR("write-only file", mmap(NULL, PG, PROT_READ, MAP_PRIVATE, wo, 0));
  ERR("directory", mmap(NULL, PG, PROT_READ, MAP_PRIVATE, dir, 0));
  ERR("pipe", mmap(NULL, PG, PROT_READ, MAP_PRIVATE, p[0], 0));
  ERR("too long", mmap(NULL, (size_t)1 << 62, PROT_NONE, an | MAP_NORESERVE, -1, 0));
  ERR("longest", mmap(NULL, (size_t)-1, PROT_NONE, an | MAP_NORESERVE, -1, 0));
  ERR("fixed beyond the address space", mmap((void *)(1UL << 62), PG, rw, an | MAP_FIXED, -1, 0));
  ERR("offset overflow", mmap(NULL, 2 * PG, PROT_READ, MAP_PRIVATE, fd, (off_t)0x7ffffffffffff000));
  ERR("behind the end of the file", mmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd, 100 * PG));
  ERR("SHARED_VALIDATE", mmap(NULL, PG, PROT_READ, MAP_SHARED_VALIDATE, fd, 0));
  ERR("SHARED_VALIDATE with an unknown flag", mmap(NULL, PG, PROT_READ, MAP_SHARED_VALIDATE | 0x8000000, fd, 0));
  ERR("SHARED with an unknown flag", mmap(NULL, PG, PROT_READ, MAP_SHARED | 0x8000000, fd, 0));
  ERR("GROWSDOWN of a file", mmap(NULL, PG, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0));
  struct rlimit limit = {64L << 20, RLIM_INFINITY};
  MUST(setrlimit(RLIMIT_AS, &limit));
  ERR("above RLIMIT_AS", mmap(NULL, 128L << 20, PROT_NONE, an, -1, 0));
  unlink("f");
  return 0;
}
