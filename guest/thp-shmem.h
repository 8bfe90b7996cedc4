/* What the programs about huge pages of shared memory look at (mm-thp-shmem*.c). Needs root. */
#ifndef THP_SHMEM_H
#define THP_SHMEM_H
#include "text-file.h"
#include <sys/mount.h>

#define HP (2L << 20)
#define PAGES (HP / PG)
#define THP_DIR "/sys/kernel/mm/transparent_hugepage/"
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Sums over the records of smaps that touch [p, p + bytes). */
static inline void smap_of(const char *title, char *p, long bytes) {
  static const char *const wanted[] = {"Rss:", "Pss:", "Shared_Dirty:", "ShmemPmdMapped:", "Anonymous:", "THPeligible:", NULL};
  long sums[6] = {0, 0, 0, 0, 0, 0};
  int inside = 0;
  for (char *line = slurp("/proc/self/smaps"), *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to;
    *end = 0;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' ')) {
      inside = (unsigned long)p < to && (unsigned long)(p + bytes) > from;
      continue;
    }
    for (int i = 0; inside && wanted[i]; i++)
      if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) sums[i] += strtol(strchr(line, ':') + 1, NULL, 10);
  }
  say("%s: rss %ld pss %ld shared %ld pmd %ld anon %ld eligible %ld", title, sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]);
}
static inline void smap(const char *title, char *p) { smap_of(title, p, HP); }
static inline long named(const char *path, const char *name) {
  char *at = slurp(path);
  size_t n = strlen(name);
  for (char *line = at; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (strncmp(line, name, n) == 0 && (line[n] == ' ' || line[n] == ':')) return strtol(line + n + 1, NULL, 10);
  return -1;
}
static const char *const gauges[5] = {"thp_file_alloc", "thp_file_mapped", "thp_split_page", "nr_shmem_hugepages", "nr_shmem_pmdmapped"};
static long counted[5];
static inline void count_from_here(void) {
  for (int i = 0; i < 5; i++) counted[i] = named("/proc/vmstat", gauges[i]);
}
/* Since the last time. */
static inline void counts(const char *title) {
  long now[5];
  for (int i = 0; i < 5; i++) now[i] = named("/proc/vmstat", gauges[i]) - counted[i];
  say("%s: alloc %ld mapped %ld split %ld huge %ld pmd %ld", title, now[0], now[1], now[2], now[3], now[4]);
  count_from_here();
}
static inline long blocks(int fd) {
  struct stat st;
  MUST(fstat(fd, &st));
  return (long)st.st_blocks / 8;
}
static inline long resident(char *p, long pages) {
  static unsigned char vec[4096];
  long n = 0;
  if (mincore(p, (size_t)(pages * PG), vec) != 0) return -1;
  for (long i = 0; i < pages; i++) n += vec[i] & 1;
  return n;
}
/* Address space of `bytes` at a multiple of a huge page, fenced from its neighbours. */
static inline char *room(long bytes) {
  char *all = mmap(NULL, (size_t)(bytes + 2 * HP), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return (char *)(((unsigned long)all + HP) / HP * HP);
}
static inline char *map_at(char *at, long bytes, int prot, int flags, int fd, long offset) {
  if (mmap(at, (size_t)bytes, prot, flags | MAP_FIXED, fd, offset) != at) _exit(97);
  return at;
}
static inline uint64_t word_of(const char *path, uint64_t at) {
  uint64_t value = 0;
  int fd = open(path, O_RDONLY);
  MUST(pread(fd, &value, 8, (long)(at * 8)));
  close(fd);
  return value;
}
/* What the kernel knows of the page's frame. */
static inline void frame(const char *title, char *p) {
  uint64_t entry = word_of("/proc/self/pagemap", (uint64_t)p / PG), pfn = entry & ((1ULL << 55) - 1);
  if (!(entry >> 63)) {
    say("%s: none", title);
    return;
  }
  uint64_t flags = word_of("/proc/kpageflags", pfn);
  say("%s: head %d tail %d thp %d anon %d mmap %d swapbacked %d file %d exclusive %d, mapped %ld", title, (int)(flags >> 15 & 1),
      (int)(flags >> 16 & 1), (int)(flags >> 22 & 1), (int)(flags >> 12 & 1), (int)(flags >> 11 & 1), (int)(flags >> 14 & 1),
      (int)(entry >> 61 & 1), (int)(entry >> 56 & 1), (long)word_of("/proc/kpagecount", pfn));
}
#endif
