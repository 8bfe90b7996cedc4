/* userfaultfd's write protection: anonymous memory and shmem, markers, fork, mprotect, madvise, the asynchronous mode. */
#include "uffd.h"

static int fd;
static char *area, *source;

static void *writer(void *arg) {
  *(volatile char *)arg = 9;
  return NULL;
}

static void fault(const char *what, char *base) {
  struct u_msg m = u_next(fd);
  say("%s: flags %llx offset %ld", what, (unsigned long long)m.arg.fault.flags,
      (long)(m.arg.fault.address - (u64)(uintptr_t)base));
}

static void bits(const char *what, char *p, int n) {
  char text[64];
  for (int i = 0; i < n; i++) text[i] = (char)('0' + PM_WP(p + i * PG));
  say("%s: %.*s", what, n, text);
}

/* A write of another thread that waits for us. */
static void caught(const char *what, char *at, char *base) {
  pthread_t t;
  pthread_create(&t, NULL, writer, at);
  fault(what, base);
  char *page = (char *)((uintptr_t)at & ~(uintptr_t)(PG - 1));
  ERR("resolved", u_protect(fd, page, PG, 0));
  pthread_join(t, NULL);
  NUM("written", *at);
}

static void anonymous(void) {
  fd = u_open(O_NONBLOCK, F_WP);
  area = u_anon(8);
  source = u_anon(2);
  memset(source, 4, 2 * PG);
  memset(area, 1, 4 * PG);
  MUST(u_reg(fd, area, 8 * PG, M_WP));
  ERR("protect", u_protect(fd, area, 6 * PG, 1));
  bits("protected", area, 8);
  caught("write", area + 10, area);
  bits("one resolved", area, 8);
  NUM("reading is free", area[PG]);
  area[4 * PG] = 2;
  NUM("not there: not protected", area[4 * PG]);
  pthread_t t;
  pthread_create(&t, NULL, writer, area + PG);
  fault("by waking", area);
  ERR("unprotect, no wake", u_protect(fd, area + PG, PG, 2));
  ERR("wake", u_wake(fd, area + PG, PG));
  pthread_join(t, NULL);
  NUM("written", area[PG]);
  bits("rights before", area, 4);
  ERR("to read-only", mprotect(area, 4 * PG, PROT_READ));
  ERR("and back", mprotect(area, 4 * PG, PROT_READ | PROT_WRITE));
  bits("rights after", area, 4);
  caught("still", area + 2 * PG, area);
  ERR("drop", madvise(area + 3 * PG, PG, MADV_DONTNEED));
  bits("dropped", area, 4);
  area[3 * PG] = 1;
  ERR("protect all", u_protect(fd, area, 8 * PG, 1));
  bits("all", area, 8);
  pid_t child = fork();
  if (child == 0) {
    bits("in the child", area, 8);
    area[0] = 77;
    NUM("child writes", area[0]);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  bits("after the fork", area, 8);
  caught("copy on write", area, area);
  ERR("unregister", u_unreg(fd, area, 8 * PG));
  bits("unregistered", area, 8);
  area[2 * PG] = 5;
  close(fd);

  fd = u_open(O_NONBLOCK, F_WP | F_WP_UNPOPULATED);
  area = u_anon(8);
  area[0] = 1;
  MUST(u_reg(fd, area, 8 * PG, M_WP));
  ERR("protect the unpopulated", u_protect(fd, area, 6 * PG, 1));
  bits("markers", area, 8);
  unsigned char core[8];
  MUST(mincore(area, 8 * PG, core));
  say("resident: %d%d%d", core[0] & 1, core[1] & 1, core[7] & 1);
  NUM("read", area[PG]);
  bits("zero page", area, 8);
  caught("write to a zero page", area + PG, area);
  caught("write to a marker", area + 2 * PG, area);
  ERR("resolve a marker", u_protect(fd, area + 3 * PG, PG, 0));
  area[3 * PG] = 1;
  bits("now", area, 8);
  ERR("drop", madvise(area, 8 * PG, MADV_DONTNEED));
  bits("dropped", area, 8);
  close(fd);

  fd = u_open(O_NONBLOCK, F_WP);
  area = u_anon(8);
  MUST(u_reg(fd, area, 8 * PG, M_WP | M_MISSING));
  FILL("copy protected", u_copy(fd, area, source, 2 * PG, 2));
  bits("copied", area, 3);
  caught("write to the copy", area, area);
  FILL("zero", u_fill(fd, U_ZEROPAGE, area + 2 * PG, PG, 0));
  ERR("protect zero", u_protect(fd, area + 2 * PG, PG, 1));
  bits("zero", area, 3);
  caught("write to zero", area + 2 * PG, area);
  close(fd);
  bits("closed", area, 3);
}

static void shmem(void) {
  int mem = memfd_create("uffd-wp", 0);
  MUST(ftruncate(mem, 8 * PG));
  area = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
  char *other = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
  fd = u_open(O_NONBLOCK, F_WP | F_WP_SHMEM);
  area[0] = 1;
  area[PG] = 1;
  MUST(u_reg(fd, area, 8 * PG, M_WP));
  ERR("protect", u_protect(fd, area, 4 * PG, 1));
  bits("shared", area, 6);
  bits("the other mapping", other, 6);
  other[PG] = 3;
  NUM("written elsewhere", area[PG]);
  caught("write", area + 5, area);
  NUM("read a marker", area[2 * PG]);
  bits("read", area, 6);
  caught("write what was read", area + 2 * PG, area);
  caught("write a marker", area + 3 * PG, area);
  ERR("protect", u_protect(fd, area, 6 * PG, 1));
  ERR("drop", madvise(area, 2 * PG, MADV_DONTNEED));
  bits("dropped", area, 6);
  caught("back from the file", area + PG, area);
  ERR("remove", madvise(area + 4 * PG, PG, MADV_REMOVE));
  bits("removed", area, 6);
  ERR("unregister", u_unreg(fd, area, 8 * PG));
  bits("unregistered", area, 6);
  area[0] = 2;
  close(fd);
  char *private = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, mem, 0);
  fd = u_open(O_NONBLOCK, F_WP | F_WP_SHMEM);
  MUST(u_reg(fd, private, 4 * PG, M_WP));
  private[0] = 7;
  ERR("protect private", u_protect(fd, private, 2 * PG, 1));
  bits("private", private, 4);
  area = private;
  caught("private copy", private, private);
  caught("private marker", private + PG, private);
  NUM("the file", other[PG]);
  close(fd);
  close(mem);
}

static void asynchronous(void) {
  fd = u_open(O_NONBLOCK, F_WP_ASYNC);
  area = u_anon(8);
  area[0] = 1;
  MUST(u_reg(fd, area, 8 * PG, M_WP));
  ERR("protect", u_protect(fd, area, 8 * PG, 1));
  bits("all", area, 8);
  area[0] = 2;
  area[3 * PG] = 2;
  NUM("read", area[4 * PG]);
  bits("two written", area, 8);
  YES("no message", u_quiet(fd));
  int zero = open("/dev/zero", O_RDONLY);
  RET("a call writes", read(zero, area + 5 * PG, 10));
  bits("written by a call", area, 8);
  close(zero);
  pid_t child = fork();
  if (child == 0) {
    bits("child", area, 8);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  int file = open("/tmp/uffd-wp.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  unlink("/tmp/uffd-wp.file");
  MUST(ftruncate(file, 4 * PG));
  char *mapped = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  MUST(u_reg(fd, mapped, 4 * PG, M_WP));
  ERR("protect a file", u_protect(fd, mapped, 4 * PG, 1));
  bits("file", mapped, 4);
  mapped[PG] = 1;
  NUM("read", mapped[2 * PG]);
  bits("file written", mapped, 4);
  MUST(msync(mapped, 4 * PG, MS_SYNC));
  bits("file synced", mapped, 4);
  close(file);
  close(fd);
  bits("closed", mapped, 4);
  bits("closed", area, 8);
}

int main(void) {
  anonymous();
  shmem();
  asynchronous();
  return 0;
}
