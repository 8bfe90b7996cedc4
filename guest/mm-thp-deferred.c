/* Huge pages that are mapped in part, or hold zeroes: queued, and split when the kernel wants memory back. Needs root. */
#include "text-file.h"

#define HP (2L << 20)
#define THP "/sys/kernel/mm/transparent_hugepage/"
#define STATS THP "hugepages-2048kB/stats/"

static long kib(char *p, const char *field) {
  int inside = 0;
  long sum = 0;
  for (char *line = slurp("/proc/self/smaps"), *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to;
    *end = 0;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' '))
      inside = (unsigned long)p < to && (unsigned long)p + HP > from;
    else if (inside && strncmp(line, field, strlen(field)) == 0) sum += strtol(strchr(line, ':') + 1, NULL, 10);
  }
  return sum;
}
static void smap(const char *title, char *p) {
  say("%s: rss %ld huge %ld", title, kib(p, "Rss:"), kib(p, "AnonHugePages:"));
}
static uint64_t word_of(const char *path, uint64_t at) {
  uint64_t value = 0;
  int fd = open(path, O_RDONLY);
  MUST(pread(fd, &value, 8, (long)(at * 8)));
  close(fd);
  return value;
}
static void frame(const char *title, char *p) {
  uint64_t entry = word_of("/proc/self/pagemap", (uint64_t)p / PG), pfn = entry & ((1ULL << 55) - 1);
  uint64_t flags = entry >> 63 ? word_of("/proc/kpageflags", pfn) : 0;
  if (!(entry >> 63)) say("%s: none", title);
  else if (flags >> 24 & 1) say("%s: the zero page", title);
  else
    say("%s: head %d tail %d thp %d anon %d exclusive %d, mapped %ld", title, (int)(flags >> 15 & 1), (int)(flags >> 16 & 1),
        (int)(flags >> 22 & 1), (int)(flags >> 12 & 1), (int)(entry >> 56 & 1), (long)word_of("/proc/kpagecount", pfn));
}
static long events(const char *name) {
  size_t n = strlen(name);
  for (char *line = slurp("/proc/vmstat"); line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (strncmp(line, name, n) == 0 && line[n] == ' ') return strtol(line + n, NULL, 10);
  return -1;
}
static long stat_of(const char *name) {
  char path[128];
  snprintf(path, sizeof path, STATS "%s", name);
  return strtol(slurp(path), NULL, 10);
}
static const char *const names[] = {"thp_split_pmd", "thp_split_page", "thp_split_page_failed", "thp_deferred_split_page",
                                    "thp_underused_split_page"};
static const char *const stats[] = {"split", "split_failed", "split_deferred", "nr_anon", "nr_anon_partially_mapped"};
static long counted[5], stated[5];
static void count_from_here(void) {
  for (int i = 0; i < 5; i++) counted[i] = events(names[i]), stated[i] = stat_of(stats[i]);
}
static void counts(const char *title) {
  long now[5], is[5];
  for (int i = 0; i < 5; i++) now[i] = events(names[i]) - counted[i], is[i] = stat_of(stats[i]) - stated[i];
  say("%s: pmd %ld page %ld failed %ld deferred %ld underused %ld; split %ld failed %ld deferred %ld anon %ld partially %ld", title,
      now[0], now[1], now[2], now[3], now[4], is[0], is[1], is[2], is[3], is[4]);
  count_from_here();
}
static char *room(void) {
  char *all = mmap(NULL, 3 * HP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *at = (char *)(((unsigned long)all + HP) / HP * HP);
  if (mmap(at, HP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) _exit(97);
  MUST(madvise(at, HP, MADV_HUGEPAGE));
  return at;
}
static char *fresh(void) {
  char *p = room();
  for (long i = 0; i < HP; i += PG) p[i] = (char)(i / PG % 100 + 1);
  return p;
}
static void done(char *p) { MUST(munmap(p, HP)); }
/* The kernel's caches are asked for memory: a huge page's parts that nobody maps are one of them. */
static void shrink(void) { MUST(word("/proc/sys/vm/drop_caches", "2")); }

static void partly(void) {
  count_from_here();
  char *p = fresh();
  counts("a huge page");
  shrink();
  counts("whole, it stays");
  smap("whole", p);
  MUST(madvise(p + HP / 2, HP / 2, MADV_DONTNEED));
  counts("half dropped");
  frame("page 9", p + 9 * PG);
  shrink();
  counts("memory wanted");
  smap("half", p);
  frame("page 0", p);
  frame("page 9", p + 9 * PG);
  frame("page 300", p + 300 * PG);
  NUM("kept", p[9 * PG]);
  NUM("gone", p[300 * PG]);
  p[9 * PG] = 5;
  smap("written", p);
  shrink();
  counts("wanted again");
  done(p);
  counts("unmapped");
  p = fresh();
  MUST(munmap(p, PG));
  counts("a page unmapped");
  done(p);
  counts("and all of it");
  shrink();
  counts("nothing is left to split");
}

static void of_two(void) {
  char *p = fresh();
  int ready[2], end[2];
  char c;
  MUST(pipe(ready));
  MUST(pipe(end));
  count_from_here();
  pid_t pid = fork();
  if (pid == 0) {
    MUST(madvise(p + 3 * PG, 2 * PG, MADV_DONTNEED));
    MUST(write(ready[1], "x", 1));
    MUST(read(end[0], &c, 1));
    say("child reads %d and %d", p[9 * PG], p[3 * PG]);
    frame("child's page 9", p + 9 * PG);
    p[10 * PG] = 1;
    MUST(write(ready[1], "x", 1));
    MUST(read(end[0], &c, 1));
    _exit(0);
  }
  MUST(read(ready[0], &c, 1));
  counts("the child dropped two");
  shrink();
  counts("not queued");
  MUST(madvise(p + 4 * PG, PG, MADV_DONTNEED));
  counts("the parent dropped one of them");
  shrink();
  counts("split");
  frame("page 3", p + 3 * PG);
  frame("page 4", p + 4 * PG);
  frame("page 9", p + 9 * PG);
  MUST(write(end[1], "x", 1));
  MUST(read(ready[0], &c, 1));
  NUM("parent reads", p[10 * PG]);
  smap("parent", p);
  MUST(write(end[1], "x", 1));
  MUST(waitpid(pid, NULL, 0));
  p[9 * PG] = 4;
  frame("page 9 written", p + 9 * PG);
  done(p);
}

static void advised(void) {
  char *p = fresh();
  count_from_here();
  MUST(madvise(p + 5 * PG, PG, MADV_FREE));
  counts("MADV_FREE of a page");
  smap("free", p);
  NUM("kept", p[6 * PG]);
  done(p);
  p = fresh();
  count_from_here();
  MUST(madvise(p + 5 * PG, PG, MADV_COLD));
  counts("MADV_COLD of a page");
  smap("cold", p);
  done(p);
  p = fresh();
  count_from_here();
  MUST(madvise(p, HP, MADV_COLD));
  counts("MADV_COLD of all");
  smap("cold", p);
  MUST(mprotect(p + 3 * PG, PG, PROT_READ));
  counts("protected");
  MUST(madvise(p + 5 * PG, PG, MADV_COLD));
  counts("MADV_COLD of a page of two mappings");
  smap("cold", p);
  done(p);
  p = fresh();
  count_from_here();
  MUST(madvise(p, HP, MADV_FREE));
  counts("MADV_FREE of all");
  smap("free", p);
  say("lazy %ld", kib(p, "LazyFree:"));
  p[0] = 2;
  say("lazy %ld after a write", kib(p, "LazyFree:"));
  MUST(madvise(p + PG, PG, MADV_DONTNEED));
  say("lazy %ld in small pages", kib(p, "LazyFree:"));
  done(p);
  long fallback = events("thp_swpout_fallback");
  p = fresh();
  count_from_here();
  MUST(madvise(p + 5 * PG, PG, MADV_PAGEOUT));
  counts("MADV_PAGEOUT of a page");
  smap("still there without swap", p);
  done(p);
  NUM("thp_swpout_fallback", events("thp_swpout_fallback") - fallback);
  p = fresh();
  count_from_here();
  MUST(madvise(p, HP, MADV_PAGEOUT));
  counts("MADV_PAGEOUT of all");
  smap("still there without swap", p);
  done(p);
  NUM("thp_swpout_fallback", events("thp_swpout_fallback") - fallback);
  p = fresh();
  count_from_here();
  IN_CHILD("child", {
    MUST(madvise(p + 5 * PG, PG, MADV_COLD));
    counts("MADV_COLD of what is shared");
    MUST(madvise(p + 5 * PG, PG, MADV_FREE));
    counts("MADV_FREE of what is shared");
    smap("child", p);
  });
  done(p);
  p = fresh();
  count_from_here();
  MUST(mlock(p, HP));
  counts("mlock");
  smap("locked", p);
  say("locked %ld", kib(p, "Locked:"));
  MUST(munlock(p, HP));
  counts("munlock");
  smap("unlocked", p);
  done(p);
}

static void zeroes(void) {
  char *p = room(), before[32];
  count_from_here();
  for (long i = 0; i < 10; i++) p[i * PG] = (char)(i + 1);
  smap("ten pages written", p);
  shrink();
  counts("it stays with max_ptes_none 511");
  MUST(madvise(p + 3 * PG, PG, MADV_DONTNEED));
  shrink();
  counts("a page dropped, and split");
  smap("zeroes are nobody's", p);
  frame("page 100", p + 100 * PG);
  NUM("reads", p[100 * PG]);
  NUM("kept", p[4 * PG]);
  p[100 * PG] = 1;
  smap("one written", p);
  done(p);
  snprintf(before, sizeof before, "%ld", strtol(slurp(THP "khugepaged/max_ptes_none"), NULL, 10));
  MUST(word(THP "khugepaged/max_ptes_none", "500"));
  p = room();
  count_from_here();
  for (long i = 0; i < 10; i++) p[i * PG] = (char)(i + 1);
  shrink();
  counts("hardly used");
  smap("hardly used", p);
  NUM("kept", p[4 * PG]);
  done(p);
  p = room();
  for (long i = 0; i < 20; i++) p[i * PG] = (char)(i + 1);
  shrink();
  counts("used enough");
  MUST(word(THP "khugepaged/max_ptes_none", "100"));
  shrink();
  counts("it is not asked again");
  smap("used enough", p);
  done(p);
  MUST(word(THP "shrink_underused", "0"));
  p = room();
  p[0] = 1;
  count_from_here();
  shrink();
  counts("not to be looked for");
  done(p);
  MUST(word(THP "shrink_underused", "1"));
  MUST(word(THP "khugepaged/max_ptes_none", before));
}

int main(void) {
  char before[64];
  strncpy(before, slurp(THP "enabled"), sizeof before - 1);
  before[63] = 0;
  char *chosen = strtok(strchr(before, '[') + 1, "]");
  MUST(word(THP "enabled", "madvise"));
  say("%s", strtok(slurp(THP "hugepages-2048kB/enabled"), "\n"));
  long allocated = stat_of("anon_fault_alloc"), events_before = events("thp_fault_alloc");
  char *p = fresh();
  NUM("anon_fault_alloc", stat_of("anon_fault_alloc") - allocated);
  NUM("thp_fault_alloc", events("thp_fault_alloc") - events_before);
  done(p);
  shrink();
  partly();
  of_two();
  advised();
  zeroes();
  MUST(word(THP "hugepages-2048kB/enabled", "never"));
  p = fresh();
  smap("never for this size", p);
  done(p);
  MUST(word(THP "hugepages-2048kB/enabled", "always"));
  p = fresh();
  smap("always", p);
  done(p);
  ERR("a word that it does not know", word(THP "hugepages-2048kB/enabled", "sometimes"));
  MUST(word(THP "hugepages-2048kB/enabled", "inherit"));
  MUST(word(THP "enabled", chosen));
  return 0;
}
