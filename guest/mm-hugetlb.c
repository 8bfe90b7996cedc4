/* Memory of 2 MiB pages from the pool: MAP_HUGETLB, reservations, alignment, fork, and what /proc says of them. Needs root. */
#include "hugepool.h"

static char *huge(long pages, int flags) {
  char *p = mmap(NULL, (size_t)(pages * HP), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | flags, -1, 0);
  if (p == MAP_FAILED) { say("huge: %s", err_name(errno)); _exit(98); }
  return p;
}
static long try_map(long length, int flags) {
  void *p = mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_HUGETLB | flags, -1, 0);
  if (p == MAP_FAILED) return -1;
  int saved = errno;
  munmap(p, (size_t)((length + HP - 1) / HP * HP));
  errno = saved;
  return 0;
}
/* The record of smaps whose range holds p: the lines about huge pages. */
static void smap(const char *title, char *p) {
  char *at = slurp("/proc/self/smaps");
  int inside = 0;
  say("%s:", title);
  for (char *line = at, *end; (end = strchr(line, '\n')); line = end + 1) {
    unsigned long from, to;
    *end = 0;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && strchr(line, '-') < strchr(line, ' ')) {
      inside = (unsigned long)p >= from && (unsigned long)p < to;
      if (inside) say("  %s", strchr(line, ' ') + 1 + 4 + 1 + 8 + 1 + 5 + 1 > line ? (strrchr(line, '/') ? strrchr(line, '/') : "") : "");
      continue;
    }
    if (!inside) continue;
    static const char *const wanted[] = {"Size:", "KernelPageSize:", "Rss:", "Pss:", "Anonymous:", "Referenced:", "AnonHugePages:",
      "Shared_Hugetlb:", "Private_Hugetlb:", "THPeligible:", "Locked:", NULL};
    for (int i = 0; wanted[i]; i++)
      if (strncmp(line, wanted[i], strlen(wanted[i])) == 0) { long v = strtol(strchr(line, ':') + 1, NULL, 10); say("  %s %ld", wanted[i], v); }
    if (strncmp(line, "VmFlags:", 8) == 0) say("  ht: %s, de: %s, ac: %s, nr: %s", strstr(line, " ht") ? "yes" : "no",
      strstr(line, " de") ? "yes" : "no", strstr(line, " ac") ? "yes" : "no", strstr(line, " nr") ? "yes" : "no");
  }
}
static long resident(char *p, long pages) {
  static unsigned char vec[4096];
  long n = 0;
  if (mincore(p, (size_t)(pages * PG), vec) != 0) return -1;
  for (long i = 0; i < pages; i++) n += vec[i] & 1;
  return n;
}

static void requests(void) {
  put("/proc/sys/vm/nr_hugepages", 0);
  pool("empty pool");
  ERR("map without a pool", try_map(HP, MAP_PRIVATE));
  ERR("shared", try_map(HP, MAP_SHARED));
  ERR("noreserve", try_map(HP, MAP_PRIVATE | MAP_NORESERVE));
  ERR("1 GiB pages", try_map(1L << 30, MAP_PRIVATE | HUGE_1G));
  ERR("1 GiB pages, noreserve", try_map(1L << 30, MAP_PRIVATE | HUGE_1G | MAP_NORESERVE));
  ERR("32 MiB pages", try_map(32L << 20, MAP_PRIVATE | (25 << 26)));
  ERR("no length", try_map(0, MAP_PRIVATE));
  char *p = huge(1, MAP_NORESERVE);
  WRITES("page without a pool", p);
  READS("page without a pool", p);
  ERR("unmap", munmap(p, HP));
  YES("pool of 8", put("/proc/sys/vm/nr_hugepages", 8) == 0);
  pool("pool");
  ERR("2 MiB pages by number", try_map(HP, MAP_PRIVATE | HUGE_2M));
  ERR("a byte", try_map(1, MAP_PRIVATE));
  ERR("8 pages", try_map(8 * HP, MAP_PRIVATE));
  ERR("9 pages", try_map(9 * HP, MAP_PRIVATE));
  ERR("9 pages, shared", try_map(9 * HP, MAP_SHARED));
  ERR("9 pages, noreserve", try_map(9 * HP, MAP_PRIVATE | MAP_NORESERVE));
  ERR("8 pages and a byte", try_map(8 * HP + 1, MAP_PRIVATE));
  pool("after all");
}

static void counts(void) {
  char *p = huge(3, 0);
  YES("aligned", (unsigned long)p % HP == 0);
  pool("3 mapped");
  p[0] = 1;
  pool("1 touched");
  NUM("read of the second", p[HP + 5]);
  pool("2 touched");
  NUM("HugetlbPages", field("/proc/self/status", "HugetlbPages"));
  NUM("resident pages", resident(p, 3 * HP / PG));
  smap("smaps", p);
  long before = minflt();
  for (long i = 0; i < HP; i += PG) p[2 * HP + i] = 7;
  NUM("faults for 512 pages", minflt() - before);
  pool("3 touched");
  ERR("unmap the middle", munmap(p + HP, HP));
  pool("2 left");
  READS("the hole", p + HP);
  NUM("kept", p[2 * HP + PG]);
  ERR("unmap all", munmap(p, 3 * HP));
  pool("none left");
  p = huge(2, MAP_POPULATE);
  pool("populated");
  NUM("resident pages", resident(p, 2 * HP / PG));
  ERR("mlock", mlock(p, 2 * HP));
  NUM("VmLck", field("/proc/self/status", "VmLck"));
  ERR("munlock", munlock(p, 2 * HP));
  ERR("unmap", munmap(p, 2 * HP));
  p = huge(2, 0);
  ERR("mlock touches", mlock(p, HP));
  pool("one locked");
  ERR("unmap", munmap(p, 2 * HP));
  p = huge(2, MAP_LOCKED);
  pool("MAP_LOCKED");
  ERR("unmap", munmap(p, 2 * HP));
}

static void alignment(void) {
  char *p = huge(4, 0), *q;
  memset(p, 1, 4 * HP);
  ERR("munmap of a small page", munmap(p, PG));
  ERR("munmap at a small page", munmap(p + PG, HP));
  ERR("munmap of one and a half", munmap(p, HP + HP / 2));
  ERR("mprotect of a small page", mprotect(p, PG, PROT_READ));
  ERR("mprotect of the second", mprotect(p + HP, HP, PROT_READ));
  WRITES("first", p);
  WRITES("second", p + HP);
  READS("second", p + HP + PG);
  ERR("mprotect none", mprotect(p + HP, HP, PROT_NONE));
  READS("second", p + HP);
  ERR("mprotect back", mprotect(p + HP, HP, PROT_READ | PROT_WRITE));
  NUM("value", p[HP + PG]);
  show_maps("maps", p, 4 * HP / PG);
  ERR("mremap grows", mremap(p, HP, 2 * HP, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
  ERR("mremap of small size", mremap(p, PG, PG, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
  ERR("mremap at a small page", mremap(p + PG, HP, HP, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
  ERR("mremap shrinks", mremap(p, 4 * HP, 3 * HP, 0) == MAP_FAILED ? -1 : 0);
  pool("after the shrink");
  char *room = mmap(NULL, 6 * HP, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char *to = (char *)(((unsigned long)room + 2 * HP) / HP * HP);
  ERR("mremap to a small page", mremap(p, HP, HP, MREMAP_MAYMOVE | MREMAP_FIXED, to + PG) == MAP_FAILED ? -1 : 0);
  q = mremap(p, HP, HP, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  YES("moved", q == to);
  if (q == to) NUM("value there", q[PG]);
  READS("where it was", p);
  ERR("mremap dontunmap", mremap(p + HP, HP, HP, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED ? -1 : 0);
  pool("moved");
  ERR("unmap", munmap(p + HP, 2 * HP));
  ERR("unmap the rest", munmap(room, 6 * HP));
  pool("none");
  ERR("fixed at a small page", mmap(room + PG, HP, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
  q = mmap(to + PG, HP, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  YES("a hint is rounded up", q == to + HP);
  munmap(q, HP);
}

static void advice(void) {
  char *p = huge(3, 0);
  memset(p, 5, 3 * HP);
  pool("full");
  ERR("DONTNEED of a small page", madvise(p, PG, MADV_DONTNEED));
  NUM("kept", p[0]);
  ERR("DONTNEED at a small page", madvise(p + PG, HP, MADV_DONTNEED));
  ERR("DONTNEED of one and a half", madvise(p, HP + HP / 2, MADV_DONTNEED));
  pool("dropped");
  NUM("dropped is zero", p[0]);
  NUM("the half is kept", p[HP]);
  pool("touched again");
  ERR("FREE", madvise(p, HP, 8));
  ERR("COLD", madvise(p, HP, 20));
  ERR("PAGEOUT", madvise(p, HP, 21));
  ERR("HUGEPAGE", madvise(p, HP, 14));
  ERR("NOHUGEPAGE", madvise(p, HP, 15));
  ERR("COLLAPSE", madvise(p, HP, 25));
  ERR("WILLNEED", madvise(p, HP, MADV_WILLNEED));
  ERR("REMOVE", madvise(p, HP, MADV_REMOVE));
  ERR("DONTDUMP", madvise(p, HP, MADV_DONTDUMP));
  ERR("DODUMP", madvise(p, HP, MADV_DODUMP));
  ERR("DONTFORK at a small page", madvise(p + PG, PG, MADV_DONTFORK));
  ERR("WIPEONFORK", madvise(p, HP, MADV_WIPEONFORK));
  ERR("POPULATE_WRITE", madvise(p, 3 * HP, 23));
  ERR("unmap", munmap(p, 3 * HP));
}

static void forks(void) {
  char *p = huge(2, 0);
  memset(p, 3, 2 * HP);
  pool("before fork");
  IN_CHILD("child", {
    NUM("child reads", p[HP]);
    smap("child's smaps", p);
    p[0] = 9;
    pool("child copied one");
    NUM("child's own", p[0]);
  });
  NUM("parent's", p[0]);
  pool("child gone");
  p[1] = 4;
  pool("parent writes again");
  char *rest = huge(6, 0);
  memset(rest, 1, 6 * HP);
  pool("pool used up");
  IN_CHILD("child without a pool", {
    NUM("reads", p[0]);
    WRITES("own copy", p);
    NUM("still", p[0]);
  });
  ERR("unmap the rest", munmap(rest, 6 * HP));
  rest = huge(6, 0);
  pool("the rest reserved");
  IN_CHILD("child, all reserved", {
    WRITES("own copy", p);
    WRITES("reserved for the parent", rest);
  });
  WRITES("parent's", rest);
  ERR("unmap the rest", munmap(rest, 6 * HP));
  ERR("unmap", munmap(p, 2 * HP));
  p = mmap(NULL, 2 * HP, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  p[0] = 1;
  pool("shared, 1 of 2 touched");
  IN_CHILD("child", { p[1] = 2; p[HP] = 3; smap("shared smaps", p); });
  NUM("child's first", p[1]);
  NUM("child's second", p[HP]);
  smap("parent's smaps", p);
  pool("shared, both touched");
  ERR("DONTNEED", madvise(p, HP, MADV_DONTNEED));
  NUM("still there", p[0]);
  ERR("REMOVE", madvise(p, HP, MADV_REMOVE));
  pool("removed");
  NUM("gone", p[0]);
  pool("touched again");
  ERR("unmap", munmap(p, 2 * HP));
  pool("end");
}

/* mincore: where there is a table the entry decides alone; the file is asked only where there is none. */
static void residency(void) {
  int fd = memfd_create("huge", 4 /* MFD_HUGETLB */ | HUGE_2M);
  MUST(ftruncate(fd, 2 * HP));
  char *p = mmap(NULL, 2 * HP, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  p[0] = p[HP] = 1;
  NUM("resident pages", resident(p, 2 * HP / PG));
  ERR("DONTNEED of one", madvise(p, HP, MADV_DONTNEED));
  NUM("resident pages of the entries", resident(p, 2 * HP / PG));
  char *far = mmap((void *)0x2040000000L, 2 * HP, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  NUM("resident pages of the file", resident(far, 2 * HP / PG));
  NUM("read of one", far[0]);
  NUM("resident pages of the entries", resident(far, 2 * HP / PG));
  ERR("unmap", munmap(far, 2 * HP));
  ERR("unmap", munmap(p, 2 * HP));
  close(fd);
  pool("end");
}

static void kernel_access(void) {
  char *p = huge(2, 0);
  int fds[2];
  MUST(pipe(fds));
  MUST(write(fds[1], "through huge pages", 18));
  RET("read into", read(fds[0], p + HP - 9, 18));
  YES("across the border", memcmp(p + HP - 9, "through huge pages", 18) == 0);
  RET("write from", write(fds[1], p + HP - 9, 18));
  int fd = open("/proc/self/mem", O_RDWR);
  char buffer[8] = "";
  RET("pread of mem", pread(fd, buffer, 7, (long)(p + HP - 9)));
  say("bytes: %s", buffer);
  RET("pwrite of mem", pwrite(fd, "THROUGH", 7, (long)(p + HP - 9)));
  YES("seen", memcmp(p + HP - 9, "THROUGH", 7) == 0);
  close(fd);
  uint64_t entries[2] = {0, 0}, flags = 0;
  fd = open("/proc/self/pagemap", O_RDONLY);
  RET("pagemap", pread(fd, entries, 16, (long)((unsigned long)p / PG * 8)));
  close(fd);
  YES("present", entries[0] >> 63 && entries[1] >> 63);
  YES("frames in a row", (entries[1] & ((1ULL << 55) - 1)) == (entries[0] & ((1ULL << 55) - 1)) + 1);
  YES("exclusive", entries[0] >> 56 & 1);
  NUM("file", entries[0] >> 61 & 1);
  fd = open("/proc/kpageflags", O_RDONLY);
  for (int i = 0; i < 2; i++) {
    RET("kpageflags", pread(fd, &flags, 8, (long)((entries[i] & ((1ULL << 55) - 1)) * 8)));
    say("head %d tail %d huge %d thp %d anon %d mmap %d lru %d", (int)(flags >> 15 & 1), (int)(flags >> 16 & 1), (int)(flags >> 17 & 1),
        (int)(flags >> 22 & 1), (int)(flags >> 12 & 1), (int)(flags >> 11 & 1), (int)(flags >> 5 & 1));
  }
  close(fd);
  ERR("unmap", munmap(p, 2 * HP));
}

int main(void) {
  long before = field("/proc/meminfo", "HugePages_Total");
  MUST(put("/proc/sys/vm/nr_hugepages", before));
  NUM("Hugepagesize", field("/proc/meminfo", "Hugepagesize"));
  requests();
  counts();
  alignment();
  advice();
  forks();
  residency();
  kernel_access();
  put("/proc/sys/vm/nr_hugepages", before);
  return 0;
}
