/* userfaultfd over huge pages of the pool: registration, missing, minor and write-protect faults, poison, fork and mremap. Needs root. */
#include "uffd.h"

#define HP (2L << 20)
#ifndef MAP_HUGETLB
#define MAP_HUGETLB 0x40000
#endif
#define F_MISSING_HUGE 0x10
#define F_MINOR_HUGE 0x200

static int fd, mem;
static char *area, *source;

static char *map(int flags, int file, long pages) {
  char *p = mmap(NULL, (size_t)(pages * HP), PROT_READ | PROT_WRITE, flags, file, 0);
  if (p == MAP_FAILED) { say("map: %s", err_name(errno)); _exit(98); }
  return p;
}
static char *private(long pages) { return map(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, pages); }
static long pool(const char *name) {
  char text[4096], *at;
  int f = open("/proc/meminfo", O_RDONLY);
  long n = read(f, text, sizeof text - 1);
  close(f);
  text[n > 0 ? n : 0] = 0;
  at = strstr(text, name);
  return at ? strtol(at + strlen(name) + 1, NULL, 10) : -1;
}
static void count(const char *when) { say("%s: free %ld rsvd %ld", when, pool("HugePages_Free"), pool("HugePages_Rsvd")); }
static int put(long value) {
  char number[32];
  int f = open("/proc/sys/vm/nr_hugepages", O_RDWR), n = snprintf(number, sizeof number, "%ld\n", value);
  if (f < 0) return -1;
  long wrote = write(f, number, (size_t)n);
  close(f);
  return wrote == n ? 0 : -1;
}

static void registering(void) {
  fd = u_open(O_NONBLOCK, 0);
  area = private(2);
  ERR("a small page in", u_reg(fd, area + PG, HP, M_MISSING));
  ERR("to a small page", u_reg(fd, area, HP + PG, M_MISSING));
  struct u_register r = {{(u64)(uintptr_t)area, (u64)HP}, M_MISSING | M_WP | M_MINOR, 0};
  ERR("all modes", ioctl(fd, U_REGISTER, &r));
  say("ioctls %llx", (unsigned long long)r.ioctls);
  u_vma("first", area);
  u_vma("second", area + HP);
  ERR("unregister at a small page", u_unreg(fd, area + PG, HP));
  ERR("unregister", u_unreg(fd, area, HP));
  u_vma("whole", area);
  munmap(area, 2 * HP);
  close(fd);
}

static void missing(void) {
  fd = u_open(O_NONBLOCK, 0);
  area = private(4);
  count("mapped");
  MUST(u_reg(fd, area, 4 * HP, M_MISSING));
  pthread_t t = u_start(u_read_byte, area + 5 * PG + 1);
  u_fault("read", fd, area);
  FILL("copy a small page", u_copy(fd, area, source, PG, 0));
  FILL("copy to a small page", u_copy(fd, area + PG, source, HP, 0));
  FILL("zero", u_fill(fd, U_ZEROPAGE, area, HP, 0));
  FILL("copy", u_copy(fd, area, source, HP, 0));
  NUM("read", u_join(t));
  count("copied");
  FILL("copy again", u_copy(fd, area, source, HP, 0));
  t = u_start(u_write_byte, area + HP + 7);
  u_fault("write", fd, area);
  FILL("copy two", u_copy(fd, area + HP, source, 2 * HP, 0));
  NUM("read", u_join(t));
  NUM("beside", area[HP + 8]);
  NUM("last", area[3 * HP - 1]);
  char *none = mmap(NULL, HP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  FILL("copy from nowhere", u_copy(fd, area + 3 * HP, none, HP, 0));
  munmap(none, HP);
  count("all but one");
  ERR("DONTNEED", madvise(area, HP, MADV_DONTNEED));
  t = u_start(u_read_byte, area);
  u_fault("dropped", fd, area);
  ERR("unregister", u_unreg(fd, area, 4 * HP));
  NUM("read", u_join(t));
  munmap(area, 4 * HP);
  close(fd);
  fd = u_open(O_NONBLOCK, F_EXACT);
  area = private(1);
  MUST(u_reg(fd, area, HP, M_MISSING));
  t = u_start(u_read_byte, area + 5 * PG + 1);
  u_fault("exact", fd, area);
  FILL("copy", u_copy(fd, area, source, HP, 0));
  NUM("read", u_join(t));
  munmap(area, HP);
  close(fd);
}

static void shared(void) {
  mem = memfd_create("uffd-huge", MFD_HUGETLB);
  MUST(ftruncate(mem, 4 * HP));
  area = map(MAP_SHARED, mem, 4);
  char *other = map(MAP_SHARED, mem, 4);
  fd = u_open(O_NONBLOCK, F_MINOR_HUGE);
  MUST(u_reg(fd, area, 4 * HP, M_MISSING | M_MINOR));
  other[0] = 4;
  pthread_t t = u_start(u_read_byte, area + 3);
  u_fault("minor", fd, area);
  FILL("copy over it", u_copy(fd, area, source, HP, 0));
  FILL("continue a small page", u_fill(fd, U_CONTINUE, area, PG, 0));
  other[3] = 6;
  FILL("continue", u_fill(fd, U_CONTINUE, area, HP, 0));
  NUM("read", u_join(t));
  FILL("continue again", u_fill(fd, U_CONTINUE, area, HP, 0));
  FILL("continue nothing", u_fill(fd, U_CONTINUE, area + HP, HP, 0));
  t = u_start(u_write_byte, area + HP);
  u_fault("missing", fd, area);
  FILL("copy", u_copy(fd, area + HP, source, HP, 0));
  NUM("read", u_join(t));
  say("other sees %d %d", other[HP], other[HP + 1]);
  MUST(fallocate(mem, 3, 2 * HP, 2 * HP));
  MUST(ftruncate(mem, 3 * HP));
  FILL("copy beyond the end", u_copy(fd, area + 3 * HP, source, HP, 0));
  count("shared");
  munmap(area, 4 * HP);
  munmap(other, 4 * HP);
  area = map(MAP_PRIVATE, mem, 3);
  MUST(u_reg(fd, area, 3 * HP, M_MISSING));
  NUM("private reads what the file has", area[HP + 1]);
  t = u_start(u_write_byte, area + 2 * HP);
  u_fault("private, missing", fd, area);
  FILL("copy", u_copy(fd, area + 2 * HP, source, HP, 0));
  NUM("read", u_join(t));
  munmap(area, 3 * HP);
  close(fd);
  close(mem);
  count("closed");
}

static void protecting(void) {
  fd = u_open(O_NONBLOCK, 0);
  area = private(4);
  area[0] = 1;
  MUST(u_reg(fd, area, 4 * HP, M_WP));
  ERR("protect a small page", u_protect(fd, area, PG, 1));
  ERR("protect from a small page", u_protect(fd, area + PG, HP, 1));
  ERR("protect", u_protect(fd, area, 3 * HP, 1));
  say("pagemap %d %d %d %d", PM_WP(area), PM_WP(area + 3 * PG), PM_WP(area + HP), PM_WP(area + 3 * HP));
  NUM("reads go on", area[0]);
  pthread_t t = u_start(u_write_byte, area + 77);
  u_fault("write", fd, area);
  ERR("resolve", u_protect(fd, area, HP, 0));
  NUM("read", u_join(t));
  say("pagemap %d", PM_WP(area));
  NUM("read what was not there", area[HP]);
  say("pagemap %d", PM_WP(area + HP));
  t = u_start(u_write_byte, area + HP);
  u_fault("write what is there now", fd, area);
  ERR("resolve", u_protect(fd, area + HP, HP, 0));
  NUM("read", u_join(t));
  area[3 * HP] = 1;
  MUST(u_protect(fd, area + HP, HP, 1));
  ERR("mprotect", mprotect(area + HP, HP, PROT_READ));
  say("pagemap %d", PM_WP(area + HP));
  ERR("mprotect back", mprotect(area + HP, HP, PROT_READ | PROT_WRITE));
  t = u_start(u_write_byte, area + HP + 1);
  u_fault("write", fd, area);
  ERR("resolve without waking", u_protect(fd, area + HP, HP, 2));
  ERR("wake", u_wake(fd, area + HP, HP));
  NUM("read", u_join(t));
  MUST(u_protect(fd, area, 4 * HP, 1));
  ERR("DONTNEED", madvise(area, HP, MADV_DONTNEED));
  say("pagemap %d %d", PM_WP(area), PM_WP(area + 3 * HP));
  IN_CHILD("child", { area[0] = 3; say("pagemap %d %d", PM_WP(area), PM_WP(area + 3 * HP)); });
  ERR("unregister", u_unreg(fd, area, 4 * HP));
  say("pagemap %d %d", PM_WP(area), PM_WP(area + 3 * HP));
  area[0] = 5;
  munmap(area, 4 * HP);
  close(fd);
  fd = u_open(O_NONBLOCK, F_WP_ASYNC);
  area = private(2);
  area[0] = 1;
  MUST(u_reg(fd, area, 2 * HP, M_WP));
  MUST(u_protect(fd, area, 2 * HP, 1));
  area[1] = 2;
  area[HP] = 2;
  say("async: pagemap %d %d", PM_WP(area), PM_WP(area + HP));
  munmap(area, 2 * HP);
  close(fd);
  fd = u_open(O_NONBLOCK, 0);
  area = private(1);
  MUST(u_reg(fd, area, HP, M_MISSING | M_WP));
  FILL("copy protected", u_copy(fd, area, source, HP, 2));
  say("pagemap %d", PM_WP(area));
  t = u_start(u_write_byte, area + 1);
  u_fault("write", fd, area);
  MUST(u_protect(fd, area, HP, 0));
  NUM("read", u_join(t));
  munmap(area, HP);
  close(fd);
}

static void poisoning(void) {
  fd = u_open(O_NONBLOCK, 0);
  area = private(2);
  MUST(u_reg(fd, area, 2 * HP, M_MISSING));
  FILL("poison a small page", u_fill(fd, U_POISON, area, PG, 0));
  FILL("poison", u_fill(fd, U_POISON, area, HP, 0));
  FILL("poison again", u_fill(fd, U_POISON, area, HP, 0));
  int fds[2];
  MUST(pipe(fds));
  ERR("write from it", write(fds[1], area, 1));
  IN_CHILD("child", ERR("write from it", write(fds[1], area, 1)));
  ERR("DONTNEED", madvise(area, HP, MADV_DONTNEED));
  FILL("poison after it", u_fill(fd, U_POISON, area, HP, 0));
  IN_CHILD("child", ERR("write from what nobody touched", write(fds[1], area + HP, 1)));
  FILL("copy over it", u_copy(fd, area, source, HP, 0));
  ERR("write from it", write(fds[1], area, 1));
  munmap(area, 2 * HP);
  close(fd);
}

static void moving(void) {
  fd = u_open(O_NONBLOCK, F_REMAP);
  area = private(2);
  MUST(u_reg(fd, area, 2 * HP, M_MISSING | M_WP));
  FILL("copy", u_copy(fd, area, source, HP, 2));
  MUST(u_protect(fd, area, 2 * HP, 1));
  close(fd);
  say("closed: pagemap %d %d", PM_WP(area), PM_WP(area + HP));
  fd = u_open(O_NONBLOCK, 0);
  MUST(u_reg(fd, area, 2 * HP, M_WP));
  MUST(u_protect(fd, area, 2 * HP, 1));
  char *to = private(2);
  YES("moved", mremap(area, 2 * HP, 2 * HP, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
  u_vma("moved", to);
  say("moved: pagemap %d %d", PM_WP(to), PM_WP(to + HP));
  to[0] = 1;
  NUM("kept", to[1]);
  munmap(to, 2 * HP);
  close(fd);
}

int main(void) {
  long before = pool("HugePages_Total");
  MUST(put(16));
  source = map(MAP_PRIVATE | MAP_ANONYMOUS, -1, 2);
  memset(source, 3, 2 * HP);
  registering();
  missing();
  shared();
  protecting();
  poisoning();
  moving();
  count("end");
  MUST(put(before));
  return 0;
}
