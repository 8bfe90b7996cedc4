/* Memory policies on one node: a case for each call, mode and flag. guest/mm-numa.c has the combinations. */
#include "conform.h"
#include <linux/capability.h>
enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY, WEIGHTED };
#define STATIC (1 << 15)
#define RELATIVE (1 << 14)
#define BALANCING (1 << 13)
static unsigned long one[16] = {1}, two[16] = {2}, none[16];
static const char *const modes[] = {"MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"};
static long set(int mode, unsigned long *nodes) { return syscall(SYS_set_mempolicy, (long)mode, nodes, 64L); }
static long bind_to(char *p, long pages, long mode, unsigned long *nodes, long flags) {
  return syscall(SYS_mbind, p, (unsigned long)(pages * PG), mode, nodes, 64UL, flags);
}
static void told(const char *what, char *at) {
  unsigned long nodes[16] = {0};
  int mode = -1;
  if (syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, at, at ? 2UL : 0UL) == -1) say("%s: %s", what, err_name(errno));
  else say("%s: %s flags %x nodes %lx", what, modes[mode & 0xfff], (unsigned)mode & ~0xfffU, nodes[0]);
}
static void drop_nice(void) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  MUST(syscall(SYS_capget, &head, data));
  data[0].effective &= ~(1U << CAP_SYS_NICE);
  MUST(syscall(SYS_capset, &head, data));
}

CASE("set_mempolicy", "MPOL_DEFAULT", "takes no nodes") {
  RESULT("none", set(DEFAULT, none));
  RESULT("NULL", set(DEFAULT, NULL));
  RESULT("node 0", set(DEFAULT, one));
  told("policy", NULL);
}
CASE("set_mempolicy", "MPOL_PREFERRED", "a node, or none: local") {
  RESULT("node 0", set(PREFERRED, one));
  told("policy", NULL);
  RESULT("node 1", set(PREFERRED, two));
  RESULT("none", set(PREFERRED, none));
  told("policy", NULL);
}
CASE("set_mempolicy", "MPOL_BIND", "nodes that there are") {
  RESULT("node 0", set(BIND, one));
  told("policy", NULL);
  RESULT("node 1", set(BIND, two));
  RESULT("none", set(BIND, none));
}
CASE("set_mempolicy", "MPOL_INTERLEAVE", "and the next node of it") {
  RESULT("node 0", set(INTERLEAVE, one));
  told("policy", NULL);
  int node = -1;
  RESULT("next", syscall(SYS_get_mempolicy, &node, NULL, 0UL, NULL, 1UL));
  NUM("node", node);
}
CASE("set_mempolicy", "MPOL_LOCAL", "takes no nodes") {
  RESULT("none", set(LOCAL, NULL));
  told("policy", NULL);
  RESULT("node 0", set(LOCAL, one));
}
CASE("set_mempolicy", "MPOL_PREFERRED_MANY", "nodes that there are") {
  RESULT("node 0", set(PREFERRED_MANY, one));
  told("policy", NULL);
  RESULT("none", set(PREFERRED_MANY, none));
}
CASE("set_mempolicy", "MPOL_WEIGHTED_INTERLEAVE", "nodes that there are") {
  RESULT("node 0", set(WEIGHTED, one));
  told("policy", NULL);
}
CASE("set_mempolicy", "MPOL_F_STATIC_NODES", "not with the other") {
  RESULT("node 0", set(BIND | STATIC, one));
  told("policy", NULL);
  RESULT("node 1", set(BIND | STATIC, two));
  RESULT("both", set(BIND | STATIC | RELATIVE, one));
}
CASE("set_mempolicy", "MPOL_F_RELATIVE_NODES", "counts around the nodes that there are") {
  RESULT("node 1", set(BIND | RELATIVE, two));
  told("policy", NULL);
}
CASE("set_mempolicy", "MPOL_F_NUMA_BALANCING", "with bind and preferred-many alone") {
  RESULT("bind", set(BIND | BALANCING, one));
  told("policy", NULL);
  RESULT("interleave", set(INTERLEAVE | BALANCING, one));
}
CASE("set_mempolicy", "EINVAL", "modes and masks that are none; EFAULT") {
  RESULT("mode 7", set(7, one));
  RESULT("mode -1", set(-1, one));
  RESULT("nowhere", set(BIND, (unsigned long *)8));
}
CASE("set_mempolicy", "", "a child and a new program inherit it") {
  MUST(set(BIND, one));
  IN_CHILD("child", told("policy", NULL));
}
CASE("get_mempolicy", "MPOL_F_ADDR", "the policy of a mapping") {
  char *p = area(3);
  told("none", p);
  MUST(bind_to(p + PG, 1, BIND, one, 0));
  told("bound", p + PG);
  told("beside it", p);
  told("a hole", hole(1));
}
CASE("get_mempolicy", "MPOL_F_NODE", "with MPOL_F_ADDR: brings the page in") {
  int node = -1;
  char *p = area(1);
  RESULT("node", syscall(SYS_get_mempolicy, &node, NULL, 0UL, p, 3UL));
  NUM("node", node);
  RESULT("without an address", syscall(SYS_get_mempolicy, &node, NULL, 0UL, NULL, 1UL));
}
CASE("get_mempolicy", "MPOL_F_MEMS_ALLOWED", "the nodes that there are") {
  unsigned long nodes[16] = {0};
  RESULT("get", syscall(SYS_get_mempolicy, NULL, nodes, 1024UL, NULL, 4UL));
  say("%lx %lx", nodes[0], nodes[1]);
  RESULT("and another flag", syscall(SYS_get_mempolicy, NULL, nodes, 1024UL, NULL, 5UL));
}
CASE("get_mempolicy", "EINVAL", "flags, an address without the flag, a mask without room; EFAULT") {
  unsigned long nodes[16];
  int mode;
  RESULT("flags", syscall(SYS_get_mempolicy, &mode, NULL, 0UL, NULL, 8UL));
  RESULT("address", syscall(SYS_get_mempolicy, &mode, NULL, 0UL, &mode, 0UL));
  RESULT("no room", syscall(SYS_get_mempolicy, &mode, nodes, 0UL, NULL, 0UL));
  RESULT("mode nowhere", syscall(SYS_get_mempolicy, (int *)8, NULL, 0UL, NULL, 0UL));
  RESULT("mask nowhere", syscall(SYS_get_mempolicy, &mode, (void *)8, 64UL, NULL, 0UL));
}
CASE("mbind", "", "splits mappings and joins them") {
  char *p = area(6);
  RESULT("1 and 2", bind_to(p + PG, 2, BIND, one, 0));
  MAPS("split", p, 6);
  RESULT("3", bind_to(p + 3 * PG, 1, BIND, one, 0));
  MAPS("joined", p, 6);
  RESULT("default for all", bind_to(p, 6, DEFAULT, NULL, 0));
  MAPS("joined", p, 6);
}
CASE("mbind", "MPOL_MF_STRICT", "EIO for pages that are elsewhere") {
  char *p = area(2);
  p[0] = 1;
  RESULT("node 0", bind_to(p, 2, BIND, one, 1));
  RESULT("relative to node 1", bind_to(p, 2, BIND | RELATIVE, two, 1));
  told("policy", p);
}
CASE("mbind", "MPOL_MF_MOVE", "nothing is to move") {
  char *p = area(2);
  p[0] = 'm';
  RESULT("move", bind_to(p, 2, BIND, one, 3));
  BYTE("contents", p);
}
CASE("mbind", "MPOL_MF_MOVE_ALL", "EPERM without CAP_SYS_NICE") {
  char *p = area(2);
  RESULT("with it", bind_to(p, 2, BIND, one, 4));
  drop_nice();
  RESULT("without it", bind_to(p, 2, BIND, one, 4));
}
CASE("mbind", "EFAULT", "holes, but not for the default") {
  char *p = area(4);
  kmunmap(p + 2 * PG, PG);
  RESULT("over a hole", bind_to(p, 4, BIND, one, 0));
  RESULT("the default", bind_to(p, 4, DEFAULT, NULL, 0));
  RESULT("nothing there", bind_to(p + 2 * PG, 1, DEFAULT, NULL, 0));
}
CASE("mbind", "EINVAL", "unaligned, wraps, flags, modes") {
  char *p = area(2);
  RESULT("unaligned", bind_to(p + 1, 1, BIND, one, 0));
  RESULT("wraps", bind_to(p, -1, BIND, one, 0));
  RESULT("flags", bind_to(p, 1, BIND, one, 16));
  RESULT("mode", bind_to(p, 1, 9, one, 0));
  RESULT("empty", bind_to(p, 0, BIND, one, 0));
}
CASE("set_mempolicy_home_node", "", "of bind and preferred-many") {
  char *p = area(2);
  RESULT("no policy", syscall(450, p, 2UL * PG, 0UL, 0UL));
  MUST(bind_to(p, 1, BIND, one, 0));
  RESULT("bound", syscall(450, p, 2UL * PG, 0UL, 0UL));
  RESULT("node 1", syscall(450, p, 2UL * PG, 1UL, 0UL));
  RESULT("flags", syscall(450, p, 2UL * PG, 0UL, 1UL));
  MUST(bind_to(p, 1, INTERLEAVE, one, 0));
  RESULT("interleave", syscall(450, p, 2UL * PG, 0UL, 0UL));
}
CASE("move_pages", "", "tells where pages are") {
  char *p = area(3);
  p[0] = 1;
  BYTE("read", p + PG);
  void *pages[4] = {p, p + PG, p + 2 * PG, hole(1)};
  int status[4];
  COUNT("where", syscall(SYS_move_pages, 0L, 4UL, pages, NULL, status, 0L));
  say("%d %d %d %d", status[0], status[1], status[2], status[3]);
}
CASE("move_pages", "MPOL_MF_MOVE", "to node 0; ENODEV for another") {
  char *p = area(2);
  p[0] = 1;
  void *pages[2] = {p, p + PG};
  int status[2] = {9, 9}, nodes[2] = {0, 0};
  COUNT("to node 0", syscall(SYS_move_pages, 0L, 2UL, pages, nodes, status, 2L));
  say("%d %d", status[0], status[1]);
  nodes[0] = 1;
  COUNT("to node 1", syscall(SYS_move_pages, 0L, 2UL, pages, nodes, status, 2L));
  COUNT("flags", syscall(SYS_move_pages, 0L, 2UL, pages, nodes, status, 1L));
  COUNT("nowhere", syscall(SYS_move_pages, 0L, 2UL, (void *)8, nodes, status, 2L));
}
CASE("move_pages", "ESRCH", "no such process; EPERM: another user's") {
  COUNT("nobody", syscall(SYS_move_pages, 0x3fffffffL, 0UL, NULL, NULL, NULL, 0L));
  COUNT("MOVE_ALL", syscall(SYS_move_pages, 0L, 0UL, NULL, NULL, NULL, 4L));
  pid_t parent = getpid();
  IN_CHILD("nobody's child", {
    drop_root();
    COUNT("root's", syscall(SYS_move_pages, (long)parent, 0UL, NULL, NULL, NULL, 0L));
    COUNT("MOVE_ALL", syscall(SYS_move_pages, 0L, 0UL, NULL, NULL, NULL, 4L));
  });
}
CASE("migrate_pages", "", "from node 0 to node 0") {
  COUNT("nothing to do", syscall(SYS_migrate_pages, 0L, 64UL, one, one));
  COUNT("to node 1", syscall(SYS_migrate_pages, 0L, 64UL, one, two));
  COUNT("nobody", syscall(SYS_migrate_pages, 0x3fffffffL, 64UL, one, one));
  COUNT("nowhere", syscall(SYS_migrate_pages, 0L, 64UL, (void *)8, one));
  drop_nice();
  COUNT("to node 1 without CAP_SYS_NICE", syscall(SYS_migrate_pages, 0L, 64UL, one, two));
}
