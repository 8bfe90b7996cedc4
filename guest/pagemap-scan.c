/* The ioctl PAGEMAP_SCAN of /proc/PID/pagemap (linux/fs.h, 6.18) and the words of pagemap behind it. */
#include "uffd.h"

struct region { u64 start, end, categories; };
struct scan {
  u64 size, flags, start, end, walk_end, vec, vec_len, max_pages, category_inverted, category_mask, category_anyof_mask,
      return_mask;
};
#define SCAN _IOWR('f', 16, struct scan)
#define WPALLOWED 1
#define WRITTEN 2
#define FILE_ 4
#define PRESENT 8
#define SWAPPED 16
#define PFNZERO 32
#define HUGE_ 64
#define SOFT 128
#define GUARD 256
#define WP_MATCHING 1
#define CHECK_WPASYNC 2

static int pm;
static struct region out[64];

#define WINDOW (512 * PG)

/*
 * Pages of which it is known whether they have a page table: the scan tells a page without an entry from one without a table.
 * They lie in two mebibytes of their own, between pages without rights.
 */
static char *window(int pages, int has_table) {
  char *p = mmap(NULL, 2 * WINDOW, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  MUST(p == MAP_FAILED ? -1 : 0);
  p = (char *)(((uintptr_t)p + WINDOW - 1) & ~(uintptr_t)(WINDOW - 1));
  if (has_table) {
    MUST(mprotect(p + 500 * PG, PG, PROT_READ | PROT_WRITE));
    p[500 * PG] = 1;
  }
  MUST(mprotect(p + PG, (size_t)(pages * PG), PROT_READ | PROT_WRITE));
  MUST(madvise(p + PG, (size_t)(pages * PG), MADV_NOHUGEPAGE));
  return p + PG;
}

static struct scan fresh(char *at, int pages) {
  return (struct scan){.size = sizeof(struct scan), .start = (u64)(uintptr_t)at, .end = (u64)(uintptr_t)at + (u64)(pages * PG),
                       .vec = (u64)(uintptr_t)out, .vec_len = 64, .return_mask = 0x1ff & ~SOFT};
}

static void run(const char *what, struct scan *s, char *base) {
  errno = 0;
  long n = ioctl(pm, SCAN, s);
  char text[900] = "";
  size_t used = 0;
  for (long i = 0; i < n && i < 40; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, " %ld-%ld:%llx", (long)(out[i].start - (u64)(uintptr_t)base) / PG,
                             (long)(out[i].end - (u64)(uintptr_t)base) / PG, (unsigned long long)out[i].categories);
  if (n < 0) say("%s: %s", what, err_name(errno));
  else say("%s: %ld,%s end %ld", what, n, text, (long)(s->walk_end - (u64)(uintptr_t)base) / PG);
}

static void words(const char *what, char *p, int n) {
  char text[400] = "";
  size_t used = 0;
  for (int i = 0; i < n; i++) {
    u64 w = u_pagemap(p + i * PG);
    /* The frame's number is the machine's; a marker's is the same everywhere. */
    used += (size_t)snprintf(text + used, sizeof text - used, " %llx", (unsigned long long)(w >> 63 ? w >> 55 << 55 : w));
  }
  say("%s:%s", what, text);
}

static void errors(void) {
  char *p = window(4, 1);
  struct scan s = fresh(p, 4);
  s.size = 8;
  run("size", &s, p);
  s = fresh(p, 4);
  s.flags = 4;
  run("flags", &s, p);
  s = fresh(p, 4);
  s.category_mask = 1 << 9;
  run("category", &s, p);
  s = fresh(p, 4);
  s.return_mask = 1 << 9;
  run("return", &s, p);
  s = fresh(p, 4);
  s.start++;
  run("odd start", &s, p);
  s = fresh(p, 4);
  s.end = s.start - PG;
  run("backwards", &s, p);
  s = fresh(p, 4);
  s.vec = 0;
  run("no vector", &s, p);
  s = fresh(p, 4);
  s.vec_len = 0;
  run("empty vector", &s, p);
  s = fresh(p, 4);
  s.vec = s.vec_len = 0;
  run("neither", &s, p);
  s = fresh(p, 0);
  run("nothing", &s, p);
  s = fresh(p, 4);
  s.end -= 100;
  run("odd end", &s, p);
  ERR("bad pointer", ioctl(pm, SCAN, (void *)8));
  ERR("another call", ioctl(pm, _IO('f', 99), 0));
  s = fresh(p, 4);
  s.vec = 8;
  p[0] = 1;
  run("bad vector", &s, p);
}

static void categories(void) {
  char *p = window(16, 1);
  p[0] = p[PG] = p[4 * PG] = 1;
  NUM("zero page", p[2 * PG]);
  ERR("guard", madvise(p + 6 * PG, PG, 102));
  words("words", p, 8);
  struct scan s = fresh(p, 16);
  run("all", &s, p);
  s = fresh(p, 16);
  s.category_mask = PRESENT;
  run("present", &s, p);
  s = fresh(p, 16);
  s.category_mask = PRESENT;
  s.category_inverted = PRESENT;
  run("not present", &s, p);
  s = fresh(p, 16);
  s.category_anyof_mask = PFNZERO | GUARD;
  run("zero or guard", &s, p);
  s = fresh(p, 16);
  s.category_mask = PRESENT;
  s.return_mask = PRESENT;
  run("present, told so", &s, p);
  s = fresh(p, 16);
  s.category_mask = PRESENT;
  s.max_pages = 2;
  run("two pages", &s, p);
  s = fresh(p, 16);
  s.category_mask = PRESENT;
  s.vec_len = 1;
  run("one region", &s, p);
  s.start = s.walk_end;
  s.vec_len = 64;
  run("the rest", &s, p);
  s = fresh(p, 16);
  s.category_mask = s.return_mask = WRITTEN;
  run("written", &s, p);
  s = fresh(p, 16);
  s.category_mask = WRITTEN;
  run("written, all told", &s, p);
  s = fresh(p, 16);
  s.flags = CHECK_WPASYNC;
  run("check", &s, p);
  s = fresh(p, 16);
  s.flags = WP_MATCHING;
  run("protect what may not", &s, p);
  s = fresh(p, 16);
  s.category_mask = WPALLOWED;
  run("allowed", &s, p);
  char *bare = window(4, 0);
  s = fresh(bare, 4);
  run("no table", &s, bare);
  s.category_mask = s.return_mask = WRITTEN;
  run("no table, written", &s, bare);
  int mem = memfd_create("scan", 0);
  MUST(ftruncate(mem, 4 * PG));
  char *shared = mmap(window(4, 1), 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, mem, 0);
  shared[0] = shared[2 * PG] = 1;
  s = fresh(shared, 4);
  run("shmem", &s, shared);
  char *private = mmap(window(4, 1), 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, mem, 0);
  private[2 * PG] = 1;
  NUM("read", private[0]);
  s = fresh(private, 4);
  s.return_mask &= ~0ULL;
  run("private", &s, private);
  munmap(private + PG, 2 * PG);
  s = fresh(private, 4);
  s.category_mask = PRESENT;
  s.category_inverted = PRESENT;
  run("with a hole", &s, private);
  close(mem);
}

static void tracking(void) {
  int fd = u_open(O_NONBLOCK, F_WP_ASYNC);
  char *p = window(16, 1);
  p[0] = p[3 * PG] = 1;
  MUST(u_reg(fd, p, 16 * PG, M_WP));
  struct scan s = fresh(p, 16);
  run("registered", &s, p);
  s = fresh(p, 16);
  s.flags = WP_MATCHING | CHECK_WPASYNC;
  s.category_mask = s.return_mask = WRITTEN;
  run("first round", &s, p);
  words("words", p, 6);
  run("second round", &s, p);
  p[3 * PG] = p[4 * PG] = p[9 * PG] = 2;
  NUM("read", p[5 * PG]);
  s = fresh(p, 16);
  s.category_mask = WRITTEN;
  run("look", &s, p);
  s.flags = WP_MATCHING;
  s.max_pages = 2;
  run("two of them", &s, p);
  s.max_pages = 0;
  run("the others", &s, p);
  run("nobody", &s, p);
  p[0] = 3;
  s = fresh(p, 16);
  s.vec = s.vec_len = 0;
  s.flags = WP_MATCHING;
  run("only protect", &s, p);
  s = fresh(p, 16);
  s.category_mask = WRITTEN;
  run("nobody", &s, p);
  s = fresh(p, 16);
  run("all", &s, p);
  s.start -= PG;
  s.end += PG;
  s.category_mask = WPALLOWED;
  run("allowed", &s, p);
  s.category_inverted = WPALLOWED;
  run("not allowed", &s, p);
  s.category_mask = s.category_inverted = 0;
  s.flags = CHECK_WPASYNC;
  run("check", &s, p);
  char *bare = window(4, 0);
  MUST(u_reg(fd, bare, 4 * PG, M_WP));
  s = fresh(bare, 4);
  run("no table", &s, bare);
  s.category_mask = s.return_mask = WRITTEN;
  run("no table, written", &s, bare);
  s = fresh(bare, 4);
  s.flags = WP_MATCHING;
  run("no table, protected", &s, bare);
  s = fresh(bare, 4);
  run("now", &s, bare);
  close(fd);
}

int main(void) {
  pm = open("/proc/self/pagemap", O_RDONLY);
  errors();
  categories();
  tracking();
  return 0;
}
