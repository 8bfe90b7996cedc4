/* Memory policies on a machine with one node (mm/mempolicy.c, mm/migrate.c, 6.18), and /proc/self/numa_maps. */
#include "smaps.h"
#include <linux/capability.h>
enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY, WEIGHTED };
#define STATIC (1 << 15)
#define RELATIVE (1 << 14)
#define BALANCING (1 << 13)
static unsigned long one[16] = {1}, two[16] = {2}, none[16], got[16];
#define SET(mode, mask, max) syscall(SYS_set_mempolicy, mode, mask, max)
#define GET(pol, mask, max, at, flags) syscall(SYS_get_mempolicy, pol, mask, (unsigned long)(max), at, (unsigned long)(flags))
#define MBIND(at, n, mode, mask, max, flags) syscall(SYS_mbind, at, (unsigned long)(n), (unsigned long)(mode), mask, (unsigned long)(max), flags)
#define HOME(at, n, node, flags) syscall(SYS_set_mempolicy_home_node, at, (unsigned long)(n), (unsigned long)(node), (unsigned long)(flags))
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
static void policy(const char *what, void *at) {
  int mode = -1;
  memset(got, 0xff, sizeof got);
  long result = GET(&mode, got, 1025, at, at ? 2 : 0);
  if (result == -1) say("%s: %s", what, err_name(errno));
  else say("%s: mode %x nodes %lx %lx", what, mode, got[0], got[1]);
}
/* The line of numa_maps of the mapping that starts at `at`, without its address; active pages are the kernel's choice. */
static void numa_line(const char *what, char *at) {
  static char text[65536];
  char start[32];
  slurp_into("/proc/self/numa_maps", text, sizeof text);
  snprintf(start, sizeof start, "%08lx ", (unsigned long)at);
  for (char *line = text; *line; line = strchr(line, '\n') + 1)
    if (strncmp(line, start, strlen(start)) == 0) {
      char copy[256];
      snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line + strlen(start), "\n"), line + strlen(start));
      char *active = strstr(copy, " active=");
      if (active) { char *rest = active + 8 + strspn(active + 8, "0123456789"); memmove(active, rest, strlen(rest) + 1); }
      say("%s: %s", what, copy);
      return;
    }
  say("%s: no line", what);
}
static void drop(int cap) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  MUST(syscall(SYS_capget, &head, data));
  data[cap / 32].effective &= ~(1U << cap % 32);
  MUST(syscall(SYS_capset, &head, data));
}

static void modes(void) {
  policy("at first", NULL);
  for (int mode = 0; mode <= 8; mode++) {
    static const int flags[] = {0, STATIC, RELATIVE, STATIC | RELATIVE, BALANCING, 1 << 12};
    for (int f = 0; f < 6; f++) {
      char what[64], line[128];
      unsigned long *masks[] = {one, two, none, NULL};
      int n = 0;
      for (int m = 0; m < 4; m++) {
        long result = SET(mode | flags[f], masks[m], 64L);
        n += snprintf(line + n, sizeof line - (size_t)n, " %s", result == 0 ? "ok" : err_name(errno));
      }
      say("set mode %d flags %x: node 0, node 1, none, NULL:%s", mode, flags[f], line);
      snprintf(what, sizeof what, "  policy");
      policy(what, NULL);
    }
  }
  MUST(SET(DEFAULT, NULL, 0L));
}

static void errors(void) {
  int mode;
  ERR("mask nowhere", SET(BIND, (void *)8, 64L));
  ERR("maxnode 0", SET(BIND, one, 0L));
  ERR("maxnode 1", SET(BIND, one, 1L));
  ERR("maxnode 2", SET(BIND, one, 2L));
  ERR("maxnode a page of bits", SET(BIND, one, 4096L * 8 + 2));
  ERR("mode -1", SET(-1, one, 64L));
  MUST(SET(BIND | STATIC, one, 64L));
  policy("static", NULL);
  IN_CHILD("child", policy("inherits", NULL));
  MUST(SET(DEFAULT, NULL, 0L));
  ERR("get: flags", GET(&mode, NULL, 0, NULL, 8));
  ERR("get: an address without MPOL_F_ADDR", GET(&mode, NULL, 0, &mode, 0));
  ERR("get: nothing there", GET(&mode, NULL, 0, (void *)PG, 2));
  ERR("get: maxnode 0", GET(&mode, got, 0, NULL, 0));
  ERR("get: policy nowhere", GET((int *)8, NULL, 0, NULL, 0));
  ERR("get: mask nowhere", GET(&mode, (void *)8, 64, NULL, 0));
  ERR("get: a long mask", GET(&mode, got, 4096L * 8 + 64, NULL, 0));
  ERR("get: nothing wanted", GET(NULL, NULL, 0, NULL, 0));
  got[0] = 0;
  ERR("MEMS_ALLOWED", GET(&mode, got, 1025, NULL, 4));
  say("mode %d nodes %lx", mode, got[0]);
  ERR("MEMS_ALLOWED and NODE", GET(&mode, got, 1025, NULL, 5));
  ERR("NODE", GET(&mode, got, 1025, NULL, 1));
  MUST(SET(INTERLEAVE, one, 64L));
  RET("NODE of interleaving", GET(&mode, NULL, 0, NULL, 1));
  NUM("node", mode);
  MUST(SET(DEFAULT, NULL, 0L));
  char *p = map_anon(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  RET("NODE of an address", GET(&mode, NULL, 0, p, 3));
  NUM("node", mode);
  NUM("its page is there", smaps_kib(p, "Rss"));
  ERR("NODE of no rights", GET(&mode, NULL, 0, reserve(1), 3));
}

static void bind(void) {
  int rw = PROT_READ | PROT_WRITE;
  char *w = reserve(40), *a = mmap(w, 6 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  policy("at first", a);
  ERR("bind 1 and 2", MBIND(a + PG, 2 * PG, BIND, one, 64, 0));
  show_maps("split", a, 6);
  policy("bound", a + PG);
  policy("beside it", a);
  ERR("bind 3", MBIND(a + 3 * PG, PG, BIND, one, 64, 0));
  show_maps("merged", a, 6);
  ERR("interleave 2", MBIND(a + 2 * PG, PG, INTERLEAVE, one, 64, 0));
  show_maps("split", a, 6);
  numa_line("untouched", a);
  memset(a, 'a', 6 * PG);
  numa_line("default", a);
  numa_line("bind", a + PG);
  numa_line("interleave", a + 2 * PG);
  ERR("prefer", MBIND(a + 2 * PG, PG, PREFERRED, one, 64, 0));
  numa_line("prefer", a + 2 * PG);
  ERR("prefer none", MBIND(a + 2 * PG, PG, PREFERRED, none, 64, 0));
  numa_line("prefer none", a + 2 * PG);
  policy("prefer none", a + 2 * PG);
  ERR("prefer many", MBIND(a + 2 * PG, PG, PREFERRED_MANY, one, 64, 0));
  numa_line("prefer many", a + 2 * PG);
  ERR("weighted", MBIND(a + 2 * PG, PG, WEIGHTED, one, 64, 0));
  numa_line("weighted", a + 2 * PG);
  ERR("bind, static", MBIND(a + 2 * PG, PG, BIND | STATIC, one, 64, 0));
  numa_line("bind, static", a + 2 * PG);
  ERR("bind, relative", MBIND(a + 2 * PG, PG, BIND | RELATIVE, two, 64, 0));
  numa_line("bind, relative", a + 2 * PG);
  policy("bind, relative", a + 2 * PG);
  IN_CHILD("child", { policy("inherits", a + PG); numa_line("there", a + PG); });
  char *moved = mremap(a + PG, PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, w + 20 * PG);
  YES("moved", moved == w + 20 * PG);
  policy("moved", moved);
  ERR("default", MBIND(a + 2 * PG, 4 * PG, DEFAULT, NULL, 0, 0));
  show_maps("merged", a + 2 * PG, 4);
  ERR("over a hole", MBIND(a, 6 * PG, BIND, one, 64, 0));
  policy("before it", a);
  ERR("default over a hole", MBIND(a, 6 * PG, DEFAULT, NULL, 0, 0));
  ERR("from a hole on", MBIND(a + PG, 2 * PG, BIND, one, 64, 0));
  ERR("nothing there", MBIND(w - (1L << 33), PG, BIND, one, 64, 0));
  ERR("default where nothing is", MBIND(w - (1L << 33), PG, DEFAULT, NULL, 0, 0));
  ERR("unaligned", MBIND(a + 1, PG, BIND, one, 64, 0));
  ERR("empty", MBIND(a, 0, BIND, one, 64, 0));
  ERR("empty and a bad node", MBIND(a, 0, BIND, two, 64, 0));
  ERR("wraps", MBIND(a, -PG, BIND, one, 64, 0));
  ERR("flags", MBIND(a, PG, BIND, one, 64, 8));
  ERR("a bad mode", MBIND(a, PG, 9, one, 64, 0));
  ERR("a bad node", MBIND(a, PG, BIND, two, 64, 0));
  ERR("default with a node", MBIND(a, PG, DEFAULT, one, 64, 0));
  ERR("strict", MBIND(a, PG, BIND, one, 64, 1));
  ERR("move", MBIND(a, PG, BIND, one, 64, 3));
  ERR("move all", MBIND(a, PG, BIND, one, 64, 5));
  ERR("home node", HOME(a, PG, 0, 0));
  ERR("home node 1", HOME(a, PG, 1, 0));
  ERR("home node, flags", HOME(a, PG, 0, 1));
  ERR("home node, unaligned", HOME(a + 1, PG, 0, 0));
  ERR("home node, empty", HOME(a, 0, 0, 0));
  ERR("home node, no policy", HOME(a + 3 * PG, PG, 0, 0));
  ERR("home node, nothing there", HOME(w - (1L << 33), PG, 0, 0));
  MUST(MBIND(a + 3 * PG, PG, INTERLEAVE, one, 64, 0));
  ERR("home node, interleaving", HOME(a + 3 * PG, PG, 0, 0));
  drop(CAP_SYS_NICE);
  ERR("move all without CAP_SYS_NICE", MBIND(a, PG, BIND, one, 64, 4));
}

static void moving(void) {
  char *a = map_anon(4, PROT_READ | PROT_WRITE, MAP_PRIVATE), zero;
  a[0] = 'a';
  a[2 * PG] = 'c';
  zero = *(volatile char *)(a + PG);
  (void)zero;
  void *pages[5] = {a, a + PG, a + 2 * PG + 5, a + 3 * PG, (void *)PG};
  int status[5] = {99, 99, 99, 99, 99}, nodes[5] = {0, 0, 0, 0, 0};
#define MOVE(pid, n, pages, nodes, status, flags) syscall(SYS_move_pages, pid, (unsigned long)(n), pages, nodes, status, flags)
  RET("where", MOVE(0, 5, pages, NULL, status, 0));
  say("%d %d %d %d %d", status[0], status[1], status[2], status[3], status[4]);
  memset(status, 0x55, sizeof status);
  RET("to node 0", MOVE(0, 5, pages, nodes, status, 2));
  say("%d %d %d %d %d", status[0], status[1], status[2], status[3], status[4]);
  nodes[1] = 1;
  memset(status, 0x55, sizeof status);
  RET("to node 1", MOVE(0, 5, pages, nodes, status, 2));
  say("%d %x %x", status[0], status[1], status[2]);
  nodes[1] = -1;
  RET("to node -1", MOVE(0, 5, pages, nodes, status, 2));
  nodes[1] = 0;
  RET("flags", MOVE(0, 5, pages, nodes, status, 1));
  RET("no process", MOVE(0x3fffffff, 5, pages, nodes, status, 0));
  RET("pages nowhere", MOVE(0, 1, (void *)8, nodes, status, 0));
  RET("nodes nowhere", MOVE(0, 1, pages, (void *)8, status, 0));
  RET("status nowhere", MOVE(0, 1, pages, NULL, (void *)8, 0));
  RET("none", MOVE(0, 0, pages, NULL, status, 0));
  RET("move all", MOVE(0, 1, pages, nodes, status, 4));
#define MIGRATE(pid, max, from, to) syscall(SYS_migrate_pages, pid, (unsigned long)(max), from, to)
  RET("migrate 0 to 0", MIGRATE(0, 64, one, one));
  RET("migrate to 1", MIGRATE(0, 64, one, two));
  RET("migrate to none", MIGRATE(0, 64, one, none));
  RET("migrate from none", MIGRATE(0, 64, none, one));
  RET("migrate no process", MIGRATE(0x3fffffff, 64, one, one));
  RET("migrate mask nowhere", MIGRATE(0, 64, (void *)8, one));
  drop(CAP_SYS_NICE);
  RET("move all without CAP_SYS_NICE", MOVE(0, 1, pages, nodes, status, 4));
  RET("migrate to 1 without it", MIGRATE(0, 64, one, two));
}

/* The policies of shared memory are the object's: whoever maps it finds them. */
static void shared(void) {
  int rw = PROT_READ | PROT_WRITE, fd = (int)syscall(SYS_memfd_create, "numa", 0);
  MUST(ftruncate(fd, 8 * PG));
  char *w = reserve(20), *a = mmap(w, 8 * PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  ERR("bind 2 to 5", MBIND(a + 2 * PG, 4 * PG, BIND, one, 64, 0));
  ERR("interleave 3", MBIND(a + 3 * PG, PG, INTERLEAVE, one, 64, 0));
  show_maps("split", a, 8);
  char *b = mmap(w + 10 * PG, 6 * PG, rw, MAP_SHARED | MAP_FIXED, fd, 2 * PG);
  show_maps("again, from page 2", b, 6);
  policy("its first", b);
  policy("its second", b + PG);
  policy("its fifth", b + 4 * PG);
  b[0] = 'b';
  numa_line("bind", b);
  munmap(a, 8 * PG);
  policy("unmapped there", b);
  ERR("default for its first two", MBIND(b, 2 * PG, DEFAULT, NULL, 0, 0));
  policy("page 2, which had no policy of its own", b);
  ERR("prefer", MBIND(b, 2 * PG, PREFERRED, one, 64, 0));
  ERR("default for its first two", MBIND(b, 2 * PG, DEFAULT, NULL, 0, 0));
  policy("now", b);
  char *p = mmap(w, 2 * PG, rw, MAP_PRIVATE | MAP_FIXED, fd, 4 * PG);
  policy("private", p);
  int file = open("/proc/self/exe", O_RDONLY);
  p = mmap(w + 4 * PG, PG, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
  ERR("a file", MBIND(p, PG, BIND, one, 64, 0));
  policy("a file", p);
  p = mmap(w + 4 * PG, PG, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
  policy("the file again", p);
}

static void strict(void) {
  char *a = map_anon(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  ERR("nothing there", MBIND(a, 2 * PG, BIND | RELATIVE, two, 64, 1));
  a[0] = 'a';
  a[3 * PG] = 'b';
  ERR("there", MBIND(a, 2 * PG, PREFERRED | RELATIVE, two, 64, 1));
  policy("as before", a);
  ERR("there, on node 0", MBIND(a, 2 * PG, PREFERRED, one, 64, 1));
  policy("changed", a);
  ERR("local", MBIND(a + 3 * PG, PG, LOCAL, NULL, 0, 1));
  policy("as before", a + 3 * PG);
  ERR("default", MBIND(a, PG, DEFAULT, NULL, 0, 1));
  policy("changed", a);
}

int main(void) {
  IN_CHILD("modes", modes());
  IN_CHILD("errors", errors());
  IN_CHILD("bind", bind());
  IN_CHILD("moving", moving());
  IN_CHILD("shared", shared());
  IN_CHILD("strict", strict());
  return 0;
}
