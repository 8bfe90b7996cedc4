/* /proc/PID/mem, pagemap, smaps, clear_refs: another way to the same pages (fs/proc/task_mmu.c, 6.18). */
#include "check.h"

static char text[262144];
static int mem, pagemap;

static void slurp(const char *path) {
  int fd = open(path, O_RDONLY);
  long n = 0, got;
  while (fd >= 0 && (got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  text[n] = 0;
  if (fd >= 0) close(fd);
}
/* A field of the smaps record of the mapping that starts at `at`, in KiB. */
static long field(const char *path, char *at, const char *name) {
  char head[32];
  slurp(path);
  snprintf(head, sizeof head, "%lx-", (unsigned long)at);
  char *p = strstr(text, head);
  if (!p || !(p = strstr(p, name))) return -1;
  return atol(p + strlen(name) + 1);
}
static void show(const char *what, const char *path, char *at) {
  static const char *const names[] = {"Size", "Rss", "Pss", "Pss_Dirty", "Shared_Clean", "Shared_Dirty", "Private_Clean",
    "Private_Dirty", "Referenced", "Anonymous", "Locked"};
  char line[512];
  int n = snprintf(line, sizeof line, "%s:", what);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char name[32];
    snprintf(name, sizeof name, "\n%s:", names[i]);
    n += snprintf(line + n, sizeof line - (size_t)n, " %s %ld", names[i], field(path, at, name));
  }
  say("%s", line);
}
static void flags(const char *what, char *at) {
  field("/proc/self/smaps", at, "VmFlags:");
  char head[32];
  snprintf(head, sizeof head, "%lx-", (unsigned long)at);
  char *p = strstr(strstr(text, head), "VmFlags:");
  say("%s %.*s|", what, (int)strcspn(p, "\n"), p);
}
static void bits(const char *what, char *at) {
  uint64_t e = 0;
  long n = pread(pagemap, &e, 8, (long)at / PG * 8);
  say("pagemap %s: %ld present %d file %d exclusive %d frame %s", what, n, (int)(e >> 63), (int)(e >> 61 & 1), (int)(e >> 56 & 1),
      e & ((1UL << 55) - 1) ? "yes" : "none");
}

int main(void) {
  scratch();
  MUST(mem = open("/proc/self/mem", O_RDWR));
  MUST(pagemap = open("/proc/self/pagemap", O_RDONLY));
  char *base = reserve(64), *anon = base + 2 * PG;
  MUST(mmap(anon, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  bits("untouched", anon);
  show("untouched", "/proc/self/smaps", anon);
  flags("anon", anon);
  (void)*(volatile char *)anon;
  bits("zero page", anon);
  show("zero page", "/proc/self/smaps", anon);
  anon[PG] = 1;
  bits("written", anon + PG);
  char c = 0;
  RET("read through mem", pread(mem, &c, 1, (long)(anon + PG)));
  NUM("value", c);
  RET("write to an untouched page", pwrite(mem, "xy", 2, (long)(anon + 3 * PG) - 1));
  say("%c%c", anon[3 * PG - 1], anon[3 * PG]);
  show("three pages", "/proc/self/smaps", anon);
  RET("read nothing mapped", pread(mem, &c, 1, 4096));
  RET("read over the end", pread(mem, text, 3 * PG, (long)(anon + 3 * PG)));
  RET("write over the end of the region", pwrite(mem, text, 2, (long)(anon + 4 * PG) - 1));

  /* FOLL_FORCE */
  char *ro = base + 10 * PG;
  int fd = letters("file", 4);
  MUST(mmap(ro, 4 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0));
  NUM("file byte", ro[0]);
  bits("file page", ro);
  RET("write to a read-only private file page", pwrite(mem, "Z", 1, (long)ro));
  say("now %c%c, file still %d", ro[0], ro[1], (int)(pread(fd, &c, 1, 0), c));
  bits("its copy", ro);
  RET("write to an untouched one", pwrite(mem, "Y", 1, (long)(ro + PG)));
  say("now %c%c", ro[PG], ro[PG + 1]);
  WRITES("the program itself", ro);
  show("private file", "/proc/self/smaps", ro);
  flags("private file", ro);
  MUST(mprotect(ro, PG, PROT_NONE));
  RET("read PROT_NONE", pread(mem, &c, 1, (long)ro));
  say("%c", c);
  RET("write PROT_NONE", pwrite(mem, "W", 1, (long)ro));
  bits("PROT_NONE", ro);
  MUST(mprotect(ro, PG, PROT_READ));
  say("%c", ro[0]);
  char *shared = base + 20 * PG;
  int rofd = open("file", O_RDONLY);
  MUST(mmap(shared, 2 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, rofd, 0));
  RET("write to a read-only shared page", pwrite(mem, "S", 1, (long)shared));
  flags("shared file, read-only", shared);
  char *both = base + 30 * PG;
  MUST(mmap(both, 2 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0));
  both[PG] = 'q';
  flags("shared file", both);
  show("shared file", "/proc/self/smaps", both);
  char *none = base + 40 * PG;
  MUST(mmap(none, 2 * PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  RET("read an untouched PROT_NONE page", pread(mem, &c, 1, (long)none));
  NUM("zero", c);
  RET("write it", pwrite(mem, "n", 1, (long)none));
  MUST(mprotect(none, 2 * PG, PROT_READ));
  say("%c", none[0]);

  /* A child: shared after fork, its own after a write; the parent looks at it through /proc. */
  int go[2], done[2];
  MUST(pipe(go));
  MUST(pipe(done));
  pid_t pid = fork();
  if (pid == 0) {
    (void)!read(go[0], &c, 1);
    anon[PG] = 9;
    (void)!write(done[1], "d", 1);
    (void)!read(go[0], &c, 1);
    _exit(anon[PG]);
  }
  bits("after fork", anon + PG);
  show("after fork", "/proc/self/smaps", anon);
  (void)!write(go[1], "1", 1);
  (void)!read(done[0], &c, 1);
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/smaps", pid);
  show("child, after its write", path, anon);
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  int other = open(path, O_RDWR);
  RET("read the child's", pread(other, &c, 1, (long)(anon + PG)));
  NUM("value", c);
  RET("change it", pwrite(other, "\x21", 1, (long)(anon + PG)));
  (void)!write(go[1], "2", 1);
  say("child: %s", wait_text(pid));
  NUM("ours is as it was", anon[PG]);
  RET("its memory is gone", pread(other, &c, 1, (long)(anon + PG)));

  int clear = open("/proc/self/clear_refs", O_WRONLY);
  RET("clear_refs", write(clear, "1\n", 2));
  NUM("Referenced", field("/proc/self/smaps", anon, "\nReferenced:"));
  anon[PG] = 2;
  NUM("Referenced", field("/proc/self/smaps", anon, "\nReferenced:"));
  RET("clear_refs 9", write(clear, "9\n", 2));
  RET("pagemap at 4", pread(pagemap, text, 8, 4));
  RET("pagemap of 12 bytes", pread(pagemap, text, 12, 0));
  RET("seek mem to the end", lseek(mem, 0, SEEK_END));
  MUST(mlock(anon, PG));
  NUM("Locked", field("/proc/self/smaps", anon, "\nLocked:"));
  unlink("file");
  return 0;
}
