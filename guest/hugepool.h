/* The pool of 2 MiB pages, for the guest programs: what /proc says of it, and setting it. Needs root. */
#ifndef HUGEPOOL_H
#define HUGEPOOL_H
#include "text-file.h"

#define HP (2L << 20)
#ifndef MAP_HUGETLB
#define MAP_HUGETLB 0x40000
#endif
#define HUGE_2M (21 << 26)
#define HUGE_1G (30 << 26)

static inline long field(const char *path, const char *name) {
  char *at = slurp(path), key[64];
  snprintf(key, sizeof key, "\n%s:", name);
  at = strstr(at, key);
  return at ? strtol(at + strlen(key), NULL, 10) : -1;
}
static inline int put(const char *path, long value) {
  char number[32];
  int fd = open(path, O_WRONLY), n = snprintf(number, sizeof number, "%ld\n", value);
  if (fd < 0) return -1;
  long wrote = write(fd, number, (size_t)n);
  close(fd);
  return wrote == n ? 0 : -1;
}
static inline void pool(const char *when) {
  say("%s: total %ld free %ld rsvd %ld surp %ld", when, field("/proc/meminfo", "HugePages_Total"),
      field("/proc/meminfo", "HugePages_Free"), field("/proc/meminfo", "HugePages_Rsvd"), field("/proc/meminfo", "HugePages_Surp"));
}
#endif
