/* A huge page that two processes map: what one of them does to a part of it changes its own page table alone. Needs root. */
#include "text-file.h"

#define HP (2L << 20)
#define ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"

/* Sums over the records of smaps that touch [p, p + HP). */
static void smap(const char *title, char *p) {
  static const char *const wanted[] = {"Rss:", "Pss:", "Shared_Dirty:", "Private_Dirty:", "AnonHugePages:", NULL};
  long sums[5] = {0, 0, 0, 0, 0};
  int inside = 0;
  for (char *line = slurp("/proc/self/smaps"), *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to;
    *end = 0;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' ')) {
      inside = (unsigned long)p < to && (unsigned long)p + HP > from;
      continue;
    }
    for (int i = 0; inside && wanted[i]; i++)
      if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) sums[i] += strtol(strchr(line, ':') + 1, NULL, 10);
  }
  say("%s: rss %ld pss %ld shared %ld private %ld huge %ld", title, sums[0], sums[1], sums[2], sums[3], sums[4]);
}
static uint64_t word_of(const char *path, uint64_t at) {
  uint64_t value = 0;
  int fd = open(path, O_RDONLY);
  MUST(pread(fd, &value, 8, (long)(at * 8)));
  close(fd);
  return value;
}
/* What the kernel knows of the page's frame. A small page may wait in a batch before it is on the LRU. */
static void frame(const char *title, char *p) {
  uint64_t entry = word_of("/proc/self/pagemap", (uint64_t)p / PG), pfn = entry & ((1ULL << 55) - 1);
  if (!(entry >> 63)) {
    say("%s: none", title);
    return;
  }
  uint64_t flags = word_of("/proc/kpageflags", pfn);
  say("%s: head %d tail %d thp %d anon %d mmap %d lru %d exclusive %d, mapped %ld", title, (int)(flags >> 15 & 1),
      (int)(flags >> 16 & 1), (int)(flags >> 22 & 1), (int)(flags >> 12 & 1), (int)(flags >> 11 & 1), (int)(flags >> 22 & flags >> 5 & 1),
      (int)(entry >> 56 & 1), (long)word_of("/proc/kpagecount", pfn));
}
static long events(const char *name) {
  char *at = slurp("/proc/vmstat");
  size_t n = strlen(name);
  for (char *line = at; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
    if (strncmp(line, name, n) == 0 && line[n] == ' ') return strtol(line + n, NULL, 10);
  return -1;
}
static long counted[4];
static const char *const names[4] = {"thp_split_pmd", "thp_split_page", "thp_split_page_failed", "thp_deferred_split_page"};
static void count_from_here(void) {
  for (int i = 0; i < 4; i++) counted[i] = events(names[i]);
}
static void counts(const char *title) {
  long now[4];
  for (int i = 0; i < 4; i++) now[i] = events(names[i]) - counted[i];
  say("%s: split_pmd %ld split_page %ld failed %ld deferred %ld", title, now[0], now[1], now[2], now[3]);
  count_from_here();
}
/* A huge page's room in a mapping of its own, fenced from its neighbours, written. */
static char *fresh(void) {
  char *all = mmap(NULL, 3 * HP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *at = (char *)(((unsigned long)all + HP) / HP * HP);
  if (mmap(at, HP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) _exit(97);
  MUST(madvise(at, HP, MADV_HUGEPAGE));
  memset(at, 7, HP);
  return at;
}
static void done(char *p) { MUST(munmap(p, HP)); }

/* The child does its part, then waits while the parent looks; the parent's part follows in the child's life. */
static int to_child[2], to_parent[2];
static void tell(int fd) { MUST(write(fd, "x", 1)); }
static void await(int fd) {
  char c;
  if (read(fd, &c, 1) != 1) _exit(96);
}
#define BOTH(p, in_child, in_parent)                                            \
  do {                                                                          \
    MUST(pipe(to_child));                                                       \
    MUST(pipe(to_parent));                                                      \
    count_from_here();                                                          \
    pid_t pid_ = fork();                                                        \
    if (pid_ == 0) {                                                            \
      in_child;                                                                 \
      tell(to_parent[1]);                                                       \
      await(to_child[0]);                                                       \
      _exit(0);                                                                 \
    }                                                                           \
    await(to_parent[0]);                                                        \
    in_parent;                                                                  \
    tell(to_child[1]);                                                          \
    MUST(waitpid(pid_, NULL, 0));                                               \
    close(to_child[0]), close(to_child[1]), close(to_parent[0]), close(to_parent[1]); \
    smap("alone again", p);                                                     \
    frame("alone, page 0", p);                                                  \
    frame("alone, page 9", p + 9 * PG);                                         \
  } while (0)

static void one_of_two(void) {
  char *p = fresh();
  smap("alone", p);
  frame("alone, page 0", p);
  frame("alone, page 9", p + 9 * PG);
  say("-- the child only has it");
  BOTH(p, { smap("child", p); }, {
    smap("parent", p);
    frame("page 0", p);
    frame("page 9", p + 9 * PG);
    counts("events");
  });
  done(p);
  p = fresh();
  say("-- the child unmaps the first page");
  BOTH(p, {
    MUST(munmap(p, PG));
    smap("child", p);
    frame("page 9 in the child", p + 9 * PG);
  }, {
    counts("events");
    smap("parent", p);
    frame("page 0", p);
    frame("page 9", p + 9 * PG);
    p[9 * PG] = 8;
    counts("events of a write");
    smap("parent wrote", p);
    frame("page 9 written", p + 9 * PG);
    frame("page 10 beside", p + 10 * PG);
  });
  p[11 * PG] = 8;
  frame("page 11 written alone", p + 11 * PG);
  smap("written", p);
  counts("events");
  done(p);
  p = fresh();
  say("-- the child writes a page");
  BOTH(p, {
    p[9 * PG] = 9;
    smap("child", p);
    frame("its page 9", p + 9 * PG);
    frame("page 10 beside", p + 10 * PG);
  }, {
    counts("events");
    smap("parent", p);
    frame("page 9", p + 9 * PG);
    NUM("parent reads", p[9 * PG]);
  });
  p[9 * PG] = 10;
  smap("parent writes as the only one", p);
  counts("events");
  done(p);
  p = fresh();
  say("-- the child protects, drops and moves");
  BOTH(p, {
    MUST(mprotect(p + 3 * PG, PG, PROT_READ));
    counts("mprotect");
    smap("child", p);
    MUST(madvise(p + 5 * PG, 2 * PG, MADV_DONTNEED));
    counts("dontneed");
    NUM("dropped reads", p[5 * PG]);
    smap("child", p);
    char *to = mmap(NULL, PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    YES("moved", mremap(p + 9 * PG, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    counts("mremap");
    NUM("moved reads", to[0]);
    frame("moved page", to);
    smap("child", p);
  }, {
    smap("parent", p);
    frame("page 0", p);
    frame("page 5", p + 5 * PG);
    frame("page 9", p + 9 * PG);
  });
  done(p);
  p = fresh();
  say("-- the parent unmaps, the child keeps it");
  BOTH(p, {}, {
    MUST(madvise(p + 9 * PG, PG, MADV_DONTNEED));
    counts("dontneed");
    smap("parent", p);
    frame("page 10", p + 10 * PG);
  });
  counts("the child is gone");
  p[9 * PG] = 3;
  smap("written again", p);
  frame("the new page", p + 9 * PG);
  done(p);
  p = fresh();
  say("-- both write different pages");
  BOTH(p, {
    p[9 * PG] = 9;
  }, {
    p[10 * PG] = 10;
    counts("events");
    smap("parent", p);
    frame("page 9", p + 9 * PG);
    frame("page 10", p + 10 * PG);
    frame("page 11", p + 11 * PG);
    NUM("parent reads", p[9 * PG]);
  });
  NUM("parent reads", p[10 * PG]);
  p[11 * PG] = 1;
  frame("page 11, written", p + 11 * PG);
  counts("events");
  done(p);
}

static void alone(void) {
  char *p = fresh();
  count_from_here();
  say("-- alone");
  MUST(mprotect(p + 3 * PG, PG, PROT_READ));
  counts("mprotect of a page");
  smap("protected", p);
  frame("page 0", p);
  frame("page 9", p + 9 * PG);
  MUST(mprotect(p + 3 * PG, PG, PROT_READ | PROT_WRITE));
  p[3 * PG] = 1;
  counts("protected back");
  MUST(madvise(p + 3 * PG, PG, MADV_DONTNEED));
  counts("a page dropped");
  smap("dropped", p);
  frame("page 0", p);
  frame("page 2", p + 2 * PG);
  MUST(madvise(p + 4 * PG, 2 * PG, MADV_DONTNEED));
  counts("two more");
  p[3 * PG] = 1;
  frame("a new page 3", p + 3 * PG);
  smap("and one again", p);
  IN_CHILD("child", {
    smap("child", p);
    frame("page 2", p + 2 * PG);
    p[2 * PG] = 4;
    frame("page 2 written", p + 2 * PG);
    frame("page 3", p + 3 * PG);
    smap("child", p);
  });
  frame("page 2", p + 2 * PG);
  counts("after the child");
  MUST(munmap(p + HP / 2, HP / 2));
  counts("half unmapped");
  smap("half", p);
  MUST(munmap(p, HP / 2));
  counts("all unmapped");
  p = fresh();
  count_from_here();
  MUST(mprotect(p + 3 * PG, PG, PROT_READ));
  MUST(mprotect(p + 3 * PG, PG, PROT_READ | PROT_WRITE));
  done(p);
  counts("split and unmapped as a whole");
  p = fresh();
  MUST(mprotect(p + HP / 2, HP / 2, PROT_READ));
  done(p);
  counts("of two mappings, unmapped as a whole");
}

int main(void) {
  char before[64];
  strncpy(before, slurp(ENABLED), sizeof before - 1);
  before[63] = 0;
  char *chosen = strtok(strchr(before, '[') + 1, "]");
  MUST(word(ENABLED, "madvise"));
  one_of_two();
  alone();
  MUST(word(ENABLED, chosen));
  return 0;
}
