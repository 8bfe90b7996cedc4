/* Transparent huge pages of anonymous memory: asked for by madvise, mapped at the first touch, split, shared, collapsed. Needs root. */
#include "text-file.h"

#define HP (2L << 20)
#define ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static long resident(char *p, long pages) {
  static unsigned char vec[4096];
  long n = 0;
  if (mincore(p, (size_t)(pages * PG), vec) != 0) return -1;
  for (long i = 0; i < pages; i++) n += vec[i] & 1;
  return n;
}

/* Sums over the records of smaps that touch [p, p + HP). */
static void smap(const char *title, char *p) {
  static const char *const wanted[] = {"Rss:", "Anonymous:", "AnonHugePages:", "KernelPageSize:", "THPeligible:", NULL};
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
  say("%s: rss %ld anon %ld huge %ld page %ld eligible %ld", title, sums[0], sums[1], sums[2], sums[3], sums[4]);
}
/* A huge page's room in a mapping of its own, fenced from its neighbours. */
static char *room(int flags) {
  char *all = mmap(NULL, 3 * HP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *at = (char *)(((unsigned long)all + HP) / HP * HP);
  if (mmap(at, HP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1, 0) != at) _exit(97);
  return at;
}
static char *asked(void) {
  char *p = room(0);
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  return p;
}
static void done(char *p) { MUST(munmap(p, HP)); }

static void touching(void) {
  char *p = room(0);
  p[0] = 1;
  smap("not asked", p);
  done(p);
  p = asked();
  smap("asked", p);
  long before = minflt();
  for (long i = 0; i < HP; i += PG) p[i] = (char)(i / PG);
  NUM("faults for 512 pages", minflt() - before);
  smap("touched", p);
  NUM("resident pages", resident(p, HP / PG));
  NUM("byte of page 77", p[77 * PG]);
  done(p);
  p = asked();
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  p[0] = 1;
  smap("asked not", p);
  done(p);
  p = asked();
  MUST(munmap(p + HP - PG, PG));
  p[0] = 1;
  smap("a page too short", p);
  done(p);
  p = asked();
  NUM("read", p[12345]);
  smap("read alone", p);
  p[5] = 6;
  smap("and written", p);
  NUM("read", p[12345]);
  done(p);
  p = room(MAP_STACK);
  p[0] = 1;
  smap("MAP_STACK", p);
  done(p);
  char *big = mmap(NULL, 4 * HP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  YES("a mapping of huge pages' size is aligned", (unsigned long)big % HP == 0);
  munmap(big, 4 * HP);
}

static void splitting(void) {
  char *p = asked();
  memset(p, 7, HP);
  ERR("DONTNEED of a page", madvise(p + 3 * PG, PG, MADV_DONTNEED));
  smap("a page dropped", p);
  NUM("dropped", p[3 * PG]);
  NUM("kept", p[4 * PG]);
  done(p);
  p = asked();
  memset(p, 7, HP);
  ERR("DONTNEED of all", madvise(p, HP, MADV_DONTNEED));
  smap("all dropped", p);
  done(p);
  p = asked();
  memset(p, 7, HP);
  ERR("munmap of the second half", munmap(p + HP / 2, HP / 2));
  smap("half unmapped", p);
  NUM("kept", p[HP / 2 - 1]);
  READS("unmapped", p + HP / 2);
  done(p);
  p = asked();
  memset(p, 7, HP);
  ERR("mprotect of a page", mprotect(p + 9 * PG, PG, PROT_READ));
  smap("a page protected", p);
  show_maps("maps", p, HP / PG);
  WRITES("protected", p + 9 * PG);
  WRITES("beside", p + 10 * PG);
  done(p);
  p = asked();
  memset(p, 7, HP);
  ERR("mprotect of all", mprotect(p, HP, PROT_READ));
  smap("all protected", p);
  WRITES("protected", p + 9 * PG);
  ERR("mprotect none", mprotect(p, HP, PROT_NONE));
  smap("no rights", p);
  READS("no rights", p + PG);
  ERR("mprotect back", mprotect(p, HP, PROT_READ | PROT_WRITE));
  p[PG] = 8;
  smap("rights again", p);
  NUM("kept", p[2 * PG]);
  done(p);
}

static void sharing(void) {
  char *p = asked();
  memset(p, 3, HP);
  IN_CHILD("child", {
    NUM("child reads", p[100 * PG]);
    smap("child's", p);
    p[100 * PG] = 4;
    smap("child's, a page written", p);
    NUM("child's own", p[100 * PG]);
    NUM("child's other", p[101 * PG]);
  });
  NUM("parent's", p[100 * PG]);
  p[200 * PG] = 5;
  NUM("parent's own", p[200 * PG]);
  done(p);
  p = asked();
  memset(p, 3, HP);
  IN_CHILD("child that only exits", {});
  p[0] = 9;
  smap("parent writes after it", p);
  done(p);
  p = asked();
  (void)*(volatile char *)p;
  IN_CHILD("child of the zero page", { NUM("reads", p[9 * PG]); p[9 * PG] = 1; NUM("own", p[9 * PG]); });
  NUM("parent's", p[9 * PG]);
  done(p);
}

static void moving(void) {
  char *p = asked(), *q = room(0);
  memset(p, 6, HP);
  YES("moved", mremap(p, HP, HP, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
  smap("moved whole", q);
  NUM("kept", q[300 * PG]);
  char *to = room(0);
  YES("moved by a page", mremap(q, HP / 2, HP / 2, MREMAP_MAYMOVE | MREMAP_FIXED, to + PG) == to + PG);
  smap("half moved", to);
  NUM("kept", to[PG + 17 * PG]);
  NUM("left behind", q[HP / 2]);
  READS("where it was", q);
  munmap(q, HP);
  munmap(to, HP);
}

static void collapsing(void) {
  char *p = room(0);
  ERR("nothing there", madvise(p, HP, MADV_COLLAPSE));
  for (long i = 0; i < HP; i += 3 * PG) p[i] = 11;
  smap("small pages", p);
  ERR("collapse", madvise(p, HP, MADV_COLLAPSE));
  smap("collapsed", p);
  NUM("kept", p[3 * PG]);
  NUM("zero", p[4 * PG]);
  ERR("again", madvise(p, HP, MADV_COLLAPSE));
  ERR("half a huge page", madvise(p, HP / 2, MADV_COLLAPSE));
  ERR("at a small page", madvise(p + PG, HP - PG, MADV_COLLAPSE));
  ERR("between two", madvise(p + PG, PG, MADV_COLLAPSE));
  done(p);
  p = room(0);
  NUM("read", p[PG]);
  ERR("collapse of what was read alone", madvise(p, HP, MADV_COLLAPSE));
  p[9 * PG] = 1;
  MUST(mprotect(p, HP, PROT_READ));
  ERR("of a page that was written", madvise(p, HP, MADV_COLLAPSE));
  smap("collapsed", p);
  done(p);
  p = asked();
  NUM("read", p[PG]);
  ERR("collapse of the zero page", madvise(p, HP, MADV_COLLAPSE));
  smap("zero page", p);
  done(p);
  p = room(0);
  p[0] = 1;
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  ERR("collapse of NOHUGEPAGE", madvise(p, HP, MADV_COLLAPSE));
  done(p);
  p = room(0);
  p[0] = 1;
  MUST(mprotect(p + PG, PG, PROT_READ));
  ERR("collapse of two mappings", madvise(p, HP, MADV_COLLAPSE));
  done(p);
}

static void frames(void) {
  char *p = asked();
  memset(p, 1, HP);
  uint64_t entries[2] = {0, 0}, flags = 0;
  int fd = open("/proc/self/pagemap", O_RDONLY);
  RET("pagemap", pread(fd, entries, 16, (long)((unsigned long)p / PG * 8)));
  close(fd);
  YES("present", entries[0] >> 63 && entries[1] >> 63);
  YES("frames in a row", (entries[1] & ((1ULL << 55) - 1)) == (entries[0] & ((1ULL << 55) - 1)) + 1);
  YES("exclusive", (entries[0] & entries[1]) >> 56 & 1);
  fd = open("/proc/kpageflags", O_RDONLY);
  for (int i = 0; i < 2; i++) {
    RET("kpageflags", pread(fd, &flags, 8, (long)((entries[i] & ((1ULL << 55) - 1)) * 8)));
    say("head %d tail %d huge %d thp %d anon %d mmap %d", (int)(flags >> 15 & 1), (int)(flags >> 16 & 1), (int)(flags >> 17 & 1),
        (int)(flags >> 22 & 1), (int)(flags >> 12 & 1), (int)(flags >> 11 & 1));
  }
  close(fd);
  int fds[2];
  MUST(pipe(fds));
  MUST(write(fds[1], "huge", 4));
  RET("read into", read(fds[0], p + 5 * PG - 2, 4));
  YES("there", memcmp(p + 5 * PG - 2, "huge", 4) == 0);
  fd = open("/proc/self/mem", O_RDWR);
  RET("mem", pwrite(fd, "H", 1, (long)(p + 5 * PG)));
  NUM("seen", p[5 * PG]);
  close(fd);
  done(p);
}

int main(void) {
  char before[64];
  strncpy(before, slurp(ENABLED), sizeof before - 1);
  before[63] = 0;
  char *chosen = strtok(strchr(before, '[') + 1, "]");
  MUST(word(ENABLED, "madvise"));
  say("enabled: %s", strtok(slurp(ENABLED), "\n"));
  ERR("a word that it does not know", word(ENABLED, "sometimes"));
  NUM("hpage_pmd_size", strtol(slurp("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"), NULL, 10));
  touching();
  splitting();
  sharing();
  moving();
  collapsing();
  frames();
  MUST(word(ENABLED, "always"));
  char *p = room(0);
  p[0] = 1;
  smap("always", p);
  done(p);
  MUST(word(ENABLED, "never"));
  p = asked();
  p[0] = 1;
  smap("never", p);
  ERR("collapse", madvise(p, HP, MADV_COLLAPSE));
  smap("collapsed all the same", p);
  done(p);
  MUST(word(ENABLED, chosen));
  return 0;
}
