/*
 * Kernel same-page merging, scan by scan: what is merged when, the counters of /sys/kernel/mm/ksm, and what a process sees of it.
 * A batch is as large as a full scan and ksmd sleeps for long between two; another sleep_millisecs wakes it for one more.
 */
#include "check.h"
#include <sys/prctl.h>

static long ksm(const char *name) {
  char path[100], text[32] = {0};
  snprintf(path, sizeof path, "/sys/kernel/mm/ksm/%s", name);
  int fd = open(path, O_RDONLY);
  MUST(fd);
  MUST(read(fd, text, sizeof text - 1));
  close(fd);
  return atol(text);
}

static int set(const char *name, long value) {
  char path[100], text[32];
  snprintf(path, sizeof path, "/sys/kernel/mm/ksm/%s", name);
  int n = snprintf(text, sizeof text, "%ld", value), fd = open(path, O_WRONLY);
  MUST(fd);
  int result = write(fd, text, (size_t)n) == n ? 0 : -1, error = errno;
  close(fd);
  errno = error;
  return result;
}

static long pause_ms = 20000;

/* ksmd waits for work, whatever it did before. */
static void stop(void) {
  MUST(set("run", 0));
  MUST(set("sleep_millisecs", pause_ms ^= 1));
  usleep(20000);
}

static void wait_for(long scans) {
  for (int i = 0; ksm("full_scans") < scans && i < 5000; i++) usleep(1000);
}

/* One full scan for each. */
static void scan(int times) {
  for (int i = 0; i < times; i++) {
    long next = ksm("full_scans") + 1;
    if (ksm("run") == 1) MUST(set("sleep_millisecs", pause_ms ^= 1));
    else MUST(set("run", 1));
    wait_for(next);
  }
}

static void counts(const char *what) {
  say("%s: shared %ld sharing %ld unshared %ld volatile %ld", what, ksm("pages_shared"), ksm("pages_sharing"),
      ksm("pages_unshared"), ksm("pages_volatile"));
}

static char *map(long pages, int flags) {
  char *p = mmap(NULL, (size_t)(pages * PG), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  MUST(p == MAP_FAILED ? -1 : 0);
  return p;
}

/* One page a letter, '0' is a page of zeroes that was written. */
static char *filled(const char *text) {
  long pages = (long)strlen(text);
  char *p = map(pages, 0);
  for (long i = 0; i < pages; i++) memset(p + i * PG, text[i] == '0' ? 0 : text[i], PG);
  MUST(madvise(p, (size_t)(pages * PG), MADV_MERGEABLE));
  return p;
}

static int holds(const char *p, const char *text) {
  for (long i = 0; text[i] != 0; i++)
    for (long at = 0; at < PG; at += 511)
      if (p[i * PG + at] != (text[i] == '0' ? 0 : text[i])) return 0;
  return 1;
}

static long smaps(const void *p, const char *name) {
  static char text[200000];
  char wanted[32];
  int fd = open("/proc/self/smaps", O_RDONLY);
  MUST(fd);
  long n = 0, got;
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  text[n] = 0;
  snprintf(wanted, sizeof wanted, "%lx-", (unsigned long)p);
  char *line = strstr(text, wanted);
  if (line == NULL) return -1;
  snprintf(wanted, sizeof wanted, "\n%s:", name);
  line = strstr(line, wanted);
  return line == NULL ? -1 : atol(line + strlen(wanted));
}

static void own(const char *what) {
  char text[300] = {0};
  int fd = open("/proc/self/ksm_stat", O_RDONLY);
  MUST(fd);
  MUST(read(fd, text, sizeof text - 1));
  close(fd);
  for (char *c = text; *c; c++) if (*c == '\n') *c = c[1] ? ',' : 0;
  say("%s: %s", what, text);
}

static long vmstat(const char *name) {
  static char text[20000];
  char wanted[40];
  int fd = open("/proc/vmstat", O_RDONLY);
  MUST(fd);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  snprintf(wanted, sizeof wanted, "\n%s ", name);
  char *line = strstr(text, wanted);
  return line == NULL ? -1 : atol(line + strlen(wanted));
}

static uint64_t word_at(const char *path, uint64_t index) {
  uint64_t word = 0;
  int fd = open(path, O_RDONLY);
  MUST(fd);
  MUST(pread(fd, &word, 8, (off_t)(index * 8)));
  close(fd);
  return word;
}

static uint64_t frame_of(const char *p) {
  return word_at("/proc/self/pagemap", (uint64_t)p / PG) & ((1ULL << 55) - 1);
}

static void page_flags(const char *what, const char *p) {
  uint64_t frame = frame_of(p), flags = word_at("/proc/kpageflags", frame);
  say("%s: anon %d ksm %d zero %d, mapped %ld times", what, (int)(flags >> 12 & 1), (int)(flags >> 21 & 1),
      (int)(flags >> 24 & 1), (long)word_at("/proc/kpagecount", frame));
}

static void unmerge(void) {
  MUST(set("run", 2));
  stop();
}

static void merging(void) {
  char *p = filled("aabcabd0");
  scan(1);
  counts("first scan");
  scan(1);
  counts("second scan");
  scan(1);
  counts("third scan");
  NUM("full scans", ksm("full_scans"));
  NUM("profit", ksm("general_profit"));
  own("own");
  YES("contents", holds(p, "aabcabd0"));
  NUM("smaps Rss", smaps(p, "Rss"));
  NUM("smaps Pss", smaps(p, "Pss"));
  NUM("smaps KSM", smaps(p, "KSM"));
  NUM("smaps Shared_Dirty", smaps(p, "Shared_Dirty"));
  NUM("smaps Private_Dirty", smaps(p, "Private_Dirty"));
  page_flags("page 0", p);
  page_flags("page 2", p + 2 * PG);
  page_flags("page 3", p + 3 * PG);
  YES("pages 0 and 4 are one", frame_of(p) == frame_of(p + 4 * PG));

  say("-- write");
  long cow = vmstat("cow_ksm");
  p[0] = 'x';
  p[5 * PG] = 'x';
  NUM("cow_ksm", vmstat("cow_ksm") - cow);
  counts("written, not scanned");
  NUM("smaps KSM", smaps(p, "KSM"));
  page_flags("page 0", p);
  page_flags("page 1", p + PG);
  YES("others unchanged", p[PG] == 'a' && p[2 * PG] == 'b' && p[4 * PG] == 'a');
  scan(1);
  counts("scanned");
  scan(1);
  counts("scanned again");
  p[0] = 'a';
  p[5 * PG] = 'b';
  scan(2);
  counts("as before");

  say("-- volatile");
  for (int i = 0; i < 3; i++) {
    p[3 * PG] = (char)i;
    p[6 * PG] = (char)i;
    scan(1);
    counts("changes every scan");
  }
  scan(2);
  counts("calm");

  say("-- unmap, discard, protect");
  MUST(munmap(p + 7 * PG, PG));
  MUST(madvise(p + 6 * PG, PG, MADV_DONTNEED));
  counts("not scanned");
  scan(1);
  counts("scanned");
  MUST(mprotect(p, 2 * PG, PROT_READ));
  scan(1);
  counts("read-only");
  MUST(mprotect(p, 2 * PG, PROT_NONE));
  scan(2);
  counts("no access");
  MUST(mprotect(p, 2 * PG, PROT_READ | PROT_WRITE));
  YES("contents", p[1] == 'a' && p[PG + 1] == 'a');

  say("-- MADV_UNMERGEABLE");
  ERR("of pages 0 to 2", madvise(p, 3 * PG, MADV_UNMERGEABLE));
  NUM("smaps KSM", smaps(p, "KSM"));
  counts("not scanned");
  scan(2);
  counts("scanned");
  ERR("of all", madvise(p, 7 * PG, MADV_UNMERGEABLE));
  YES("contents", p[1] == 'a' && p[2 * PG + 1] == 'b' && p[4 * PG] == 'a');
  scan(1);
  counts("scanned");
  own("own");
  MUST(munmap(p, 7 * PG));
  stop();
}

static void unmerging(void) {
  say("-- run = 2");
  char *p = filled("mmmmnn");
  scan(3);
  counts("merged");
  ERR("run = 2", set("run", 2));
  counts("unmerged");
  NUM("full scans", ksm("full_scans"));
  NUM("profit", ksm("general_profit"));
  NUM("smaps KSM", smaps(p, "KSM"));
  page_flags("page 0", p);
  YES("contents", holds(p, "mmmmnn"));
  own("own");
  stop();
  scan(2);
  counts("merged again");
  unmerge();
  MUST(munmap(p, 6 * PG));
}

static void forks(void) {
  say("-- fork");
  char *p = filled("ffffg");
  scan(2);
  counts("before");
  int to[2], from[2];
  MUST(pipe(to));
  MUST(pipe(from));
  char c = 0;
  pid_t pid = fork();
  if (pid == 0) {
    own("child");
    NUM("child's KSM", smaps(p, "KSM"));
    page_flags("page 0", p);
    MUST(write(from[1], "1", 1));
    MUST(read(to[0], &c, 1));
    own("child, scanned");
    p[0] = 'h';
    YES("child's contents", p[0] == 'h' && p[PG] == 'f' && p[3 * PG] == 'f' && p[4 * PG] == 'g');
    MUST(write(from[1], "2", 1));
    MUST(read(to[0], &c, 1));
    YES("child keeps its page", p[0] == 'h');
    _exit(0);
  }
  MUST(read(from[0], &c, 1));
  counts("child, not scanned");
  scan(2);
  counts("child scanned");
  page_flags("page 0", p);
  MUST(write(to[1], "1", 1));
  MUST(read(from[0], &c, 1));
  scan(1);
  counts("child has written");
  for (long i = 0; i < 5; i++) p[i * PG] = (char)('p' + i);
  scan(1);
  counts("parent has written");
  MUST(write(to[1], "2", 1));
  MUST(waitpid(pid, NULL, 0));
  counts("child has ended");
  scan(2);
  counts("scanned");
  unmerge();
  MUST(munmap(p, 5 * PG));
}

static void chains(void) {
  say("-- max_page_sharing");
  ERR("1", set("max_page_sharing", 1));
  ERR("3", set("max_page_sharing", 3));
  char *p = filled("cccccccccc");
  for (int i = 0; i < 5; i++) {
    scan(1);
    say("scan %d: shared %ld sharing %ld unshared %ld chains %ld dups %ld", i, ksm("pages_shared"), ksm("pages_sharing"),
        ksm("pages_unshared"), ksm("stable_node_chains"), ksm("stable_node_dups"));
  }
  ERR("4, while merged", set("max_page_sharing", 4));
  ERR("merge_across_nodes 0, while merged", set("merge_across_nodes", 0));
  ERR("3 again", set("max_page_sharing", 3));
  YES("contents", holds(p, "cccccccccc"));
  unmerge();
  NUM("chains", ksm("stable_node_chains"));
  NUM("dups", ksm("stable_node_dups"));
  ERR("256", set("max_page_sharing", 256));
  MUST(munmap(p, 10 * PG));
}

static void zeroes(void) {
  say("-- use_zero_pages");
  MUST(set("use_zero_pages", 1));
  char *p = filled("0z00z");
  scan(2);
  counts("zeroes");
  NUM("ksm_zero_pages", ksm("ksm_zero_pages"));
  own("own");
  NUM("smaps Rss", smaps(p, "Rss"));
  NUM("smaps KSM", smaps(p, "KSM"));
  page_flags("page 0", p);
  pid_t pid = fork();
  if (pid == 0) {
    NUM("with the child's", ksm("ksm_zero_pages"));
    own("child");
    p[0] = 1;
    NUM("child has written one", ksm("ksm_zero_pages"));
    _exit(0);
  }
  MUST(waitpid(pid, NULL, 0));
  NUM("child has ended", ksm("ksm_zero_pages"));
  p[0] = 'z';
  NUM("one written", ksm("ksm_zero_pages"));
  MUST(munmap(p + 2 * PG, PG));
  NUM("one unmapped", ksm("ksm_zero_pages"));
  YES("contents", p[1] == 0 && p[3 * PG] == 0 && p[4 * PG] == 'z');
  unmerge();
  NUM("unmerged", ksm("ksm_zero_pages"));
  NUM("smaps Rss", smaps(p, "Rss"));
  MUST(set("use_zero_pages", 0));
  MUST(munmap(p, 2 * PG));
  MUST(munmap(p + 3 * PG, 2 * PG));
}

static void moves(void) {
  say("-- mremap");
  char *p = filled("rrrr");
  scan(2);
  counts("merged");
  char *to = map(8, 0);
  MUST(munmap(to, 8 * PG));
  char *q = mremap(p, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  MUST(q == MAP_FAILED ? -1 : 0);
  NUM("KSM of what moved", smaps(q, "KSM"));
  NUM("KSM of what stayed", smaps(p + 2 * PG, "KSM"));
  counts("not scanned");
  scan(2);
  counts("scanned");
  YES("contents", holds(q, "rr") && holds(p + 2 * PG, "rr"));
  unmerge();
  MUST(munmap(q, 2 * PG));
  MUST(munmap(p + 2 * PG, 2 * PG));

  say("-- mlock");
  p = filled("lll");
  MUST(mlock(p, PG));
  scan(2);
  counts("merged");
  NUM("Locked", smaps(p, "Locked"));
  MUST(munlock(p, PG));
  unmerge();
  MUST(munmap(p, 3 * PG));

  say("-- private pages of a file");
  int fd = open("/tmp/mm-ksm", O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(fd);
  MUST(ftruncate(fd, 4 * PG));
  p = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  MUST(p == MAP_FAILED ? -1 : 0);
  MUST(madvise(p, 4 * PG, MADV_MERGEABLE));
  memset(p, 'p', 2 * PG);
  char first = p[2 * PG];
  scan(2);
  counts("two of four written");
  YES("contents", first == 0 && p[0] == 'p' && p[PG] == 'p' && p[2 * PG] == 0);
  unmerge();
  MUST(munmap(p, 4 * PG));
  close(fd);
  MUST(unlink("/tmp/mm-ksm"));
}

static void skips(void) {
  say("-- smart_scan");
  MUST(set("smart_scan", 1));
  char *p = filled("uvw");
  long before = ksm("pages_skipped");
  for (int i = 0; i < 9; i++) {
    scan(1);
    say("scan %d: skipped %ld unshared %ld volatile %ld", i, ksm("pages_skipped") - before, ksm("pages_unshared"),
        ksm("pages_volatile"));
  }
  MUST(set("smart_scan", 0));
  unmerge();
  MUST(munmap(p, 3 * PG));
}

int main(void) {
  long pages_to_scan = ksm("pages_to_scan"), old_sleep = ksm("sleep_millisecs"), smart = ksm("smart_scan");
  MUST(set("run", 2));
  stop();
  MUST(set("smart_scan", 0));
  MUST(set("use_zero_pages", 0));
  MUST(set("pages_to_scan", 5000));
  merging();
  unmerging();
  forks();
  chains();
  zeroes();
  moves();
  skips();
  MUST(set("pages_to_scan", pages_to_scan));
  MUST(set("smart_scan", smart));
  MUST(set("run", 0));
  MUST(set("sleep_millisecs", old_sleep));
  return 0;
}
