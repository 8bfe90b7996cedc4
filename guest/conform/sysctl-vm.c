/* /proc/sys/vm and kernel.randomize_va_space act. Changes the machine while it runs (each value is put back after its case). */
#include "conform.h"
static long commit_limit(void) { return read_field("/proc/meminfo", "CommitLimit") / 4; }
static long mem_total(void) { return read_field("/proc/meminfo", "MemTotal") / 4; }
static char *try_map(long pages, int prot, int flags) { return kmmap(NULL, (size_t)(pages * PG), prot, flags | MAP_ANONYMOUS, -1, 0); }

CASE("overcommit_memory", "0", "the obvious is refused: more than memory and swap") {
  long more = mem_total() + read_field("/proc/meminfo", "SwapTotal") / 4 + 1024;
  RESULT("set", set_sysctl("vm/overcommit_memory", "0"));
  RESULT("private", try_map(more, RW, MAP_PRIVATE));
  RESULT("shared", try_map(more, RW, MAP_SHARED));
  RESULT("read-only", try_map(more, PROT_READ, MAP_PRIVATE));
  RESULT("MAP_NORESERVE", try_map(more, RW, MAP_PRIVATE | MAP_NORESERVE));
  RESULT("made writable", kmprotect(try_map(more, PROT_READ, MAP_PRIVATE), (size_t)(more * PG), RW));
  RESULT("two halves", (try_map(more / 2, RW, MAP_PRIVATE), try_map(more / 2, RW, MAP_PRIVATE)));
}
CASE("overcommit_memory", "1", "nothing is refused, nothing is accounted") {
  long more = mem_total() + 1024;
  RESULT("set", set_sysctl("vm/overcommit_memory", "1"));
  char *p = try_map(more, RW, MAP_PRIVATE);
  RESULT("private", p);
  RESULT("shared", try_map(more, RW, MAP_SHARED));
  FLAGS("flags", p);
}
CASE("overcommit_memory", "2", "CommitLimit is ratio percent of memory") {
  RESULT("mode", set_sysctl("vm/overcommit_memory", "2"));
  RESULT("ratio 1000", set_sysctl("vm/overcommit_ratio", "1000"));
  long limit = commit_limit(), total = mem_total();
  YES("CommitLimit is ten times memory, and swap", labs(limit - total * 10 - read_field("/proc/meminfo", "SwapTotal") / 4) <= 16);
  RESULT("more than the limit", try_map(limit + 1, RW, MAP_PRIVATE));
  RESULT("half of it", try_map(limit / 2, RW, MAP_PRIVATE));
  RESULT("half of it again", try_map(limit / 2, RW, MAP_PRIVATE));
  RESULT("read-only", try_map(limit / 2, PROT_READ, MAP_PRIVATE));
  RESULT("shared read-only", try_map(limit / 2, PROT_READ, MAP_SHARED));
}
CASE("overcommit_memory", "2", "MAP_NORESERVE is ignored") {
  RESULT("mode", set_sysctl("vm/overcommit_memory", "2"));
  RESULT("ratio 1000", set_sysctl("vm/overcommit_ratio", "1000"));
  RESULT("more than the limit", try_map(commit_limit() + 1, RW, MAP_PRIVATE | MAP_NORESERVE));
  char *p = try_map(2, RW, MAP_PRIVATE | MAP_NORESERVE);
  FLAGS("flags", p);
}
CASE("overcommit_memory", "2", "mprotect, mremap, brk and fork are refused too") {
  RESULT("mode", set_sysctl("vm/overcommit_memory", "2"));
  RESULT("ratio 1000", set_sysctl("vm/overcommit_ratio", "1000"));
  long limit = commit_limit();
  char *p = try_map(limit + 1, PROT_READ, MAP_PRIVATE);
  RESULT("read-only map", p);
  RESULT("mprotect", kmprotect(p, (size_t)((limit + 1) * PG), RW));
  kmunmap(p, (size_t)((limit + 1) * PG));
  char *q = area(1);
  RESULT("mremap", kmremap(q, PG, (size_t)((limit + 1) * PG), MREMAP_MAYMOVE, NULL));
  RESULT("a large map", try_map(limit * 6 / 10, RW, MAP_PRIVATE));
  pid_t pid = fork();
  if (pid == 0) _exit(0);
  say("fork: %s", pid == -1 ? err_name(errno) : "ok");
}
CASE("overcommit_memory", "2", "Committed_AS follows") {
  RESULT("mode", set_sysctl("vm/overcommit_memory", "2"));
  RESULT("ratio 1000", set_sysctl("vm/overcommit_ratio", "1000"));
  long before = read_field("/proc/meminfo", "Committed_AS");
  /* 256 MiB; other processes of the machine may take or give some MiB meanwhile. */
  char *p = try_map(1 << 16, RW, MAP_PRIVATE);
  long after = read_field("/proc/meminfo", "Committed_AS");
  NUM("times 256 MiB more", (after - before + (1 << 17)) >> 18);
  kmunmap(p, 1L << 28);
  NUM("times 256 MiB after munmap", (read_field("/proc/meminfo", "Committed_AS") - before + (1 << 17)) >> 18);
}
CASE("overcommit_kbytes", "", "instead of the ratio; each sets the other to 0") {
  set_sysctl("vm/overcommit_ratio", "50");
  RESULT("kbytes", set_sysctl("vm/overcommit_kbytes", "1048576"));
  NUM("ratio", read_number("/proc/sys/vm/overcommit_ratio"));
  NUM("CommitLimit without swap", read_field("/proc/meminfo", "CommitLimit") - read_field("/proc/meminfo", "SwapTotal"));
  RESULT("ratio", write_sysctl("/proc/sys/vm/overcommit_ratio", "60"));
  NUM("kbytes", read_number("/proc/sys/vm/overcommit_kbytes"));
}
CASE("admin_reserve_kbytes", "", "mode 2 keeps it for CAP_SYS_ADMIN") {
  RESULT("mode", set_sysctl("vm/overcommit_memory", "2"));
  RESULT("ratio 1000", set_sysctl("vm/overcommit_ratio", "1000"));
  RESULT("user reserve 0", set_sysctl("vm/user_reserve_kbytes", "0"));
  long free_pages = commit_limit() - read_field("/proc/meminfo", "Committed_AS") / 4;
  char text[32];
  snprintf(text, sizeof text, "%ld", free_pages * 4 / 2);
  RESULT("half of what is free", set_sysctl("vm/admin_reserve_kbytes", text));
  drop_root();
  RESULT("three quarters", try_map(free_pages * 3 / 4, RW, MAP_PRIVATE));
  RESULT("a quarter", try_map(free_pages / 4, RW, MAP_PRIVATE));
}
CASE("admin_reserve_kbytes", "", "CAP_SYS_ADMIN may use it") {
  RESULT("mode", set_sysctl("vm/overcommit_memory", "2"));
  RESULT("ratio 1000", set_sysctl("vm/overcommit_ratio", "1000"));
  RESULT("user reserve 0", set_sysctl("vm/user_reserve_kbytes", "0"));
  long free_pages = commit_limit() - read_field("/proc/meminfo", "Committed_AS") / 4;
  char text[32];
  snprintf(text, sizeof text, "%ld", free_pages * 4 / 2);
  RESULT("half of what is free", set_sysctl("vm/admin_reserve_kbytes", text));
  RESULT("three quarters", try_map(free_pages * 3 / 4, RW, MAP_PRIVATE));
}
CASE("overcommit_memory", "EINVAL", "values that are none") {
  RESULT("3", set_sysctl("vm/overcommit_memory", "3"));
  RESULT("-1", set_sysctl("vm/overcommit_memory", "-1"));
  RESULT("a word", set_sysctl("vm/overcommit_memory", "never"));
}
CASE("max_map_count", "ENOMEM", "mmap, munmap, mprotect, mremap at the limit") {
  char *p = area(64), *to = hole(64);
  char text[16];
  static char all[1 << 16];
  int fd = open("/proc/self/maps", O_RDONLY);
  long n = 0, got, lines = 0;
  while ((got = read(fd, all + n, sizeof all - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  for (char *at = all; (at = strchr(at, '\n')); at++) lines++;
  /* [vsyscall] of x86-64 is shown, but is no mapping of the process. */
  if (strstr(all, "[vsyscall]")) lines--;
  snprintf(text, sizeof text, "%ld", lines + 4);
  RESULT("set", set_sysctl("vm/max_map_count", text));
  for (int i = 0; i < 4; i++) RESULT("mprotect makes two more", kmprotect(p + (4 * i + 1) * PG, PG, PROT_READ));
  RESULT("munmap of a middle", kmunmap(p + 40 * PG, PG));
  RESULT("munmap of an end", kmunmap(p + 63 * PG, PG));
  RESULT("map", kmmap(to, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("map another", kmmap(to + 4 * PG, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("mremap", kmremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, to + 8 * PG));
  RESULT("madvise", kmadvise(p + 50 * PG, PG, MADV_DONTFORK));
  RESULT("mlock", kmlock(p + 50 * PG, PG));
  RESULT("munmap of all", kmunmap(p, 64 * PG));
  RESULT("map then", kmmap(to + 4 * PG, PG, PROT_READ, ANON | MAP_FIXED, -1, 0));
}
CASE("max_map_count", "EINVAL", "values that are none") {
  RESULT("-1", set_sysctl("vm/max_map_count", "-1"));
  RESULT("a word", set_sysctl("vm/max_map_count", "many"));
}
CASE("mmap_min_addr", "EPERM", "32 KiB: below it without CAP_SYS_RAWIO") {
  RESULT("set", set_sysctl("vm/mmap_min_addr", "32768"));
  char *low = (char *)(16 * 1024);
  PLACE("as root", kmmap(low, PG, RW, ANON | MAP_FIXED, -1, 0), low);
  PLACE("address 0 as root", kmmap(NULL, PG, RW, ANON | MAP_FIXED, -1, 0), NULL);
  MUST(kmunmap(NULL, 32 * 1024));
  drop_root();
  RESULT("as nobody", kmmap(low, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("address 0", kmmap(NULL, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("no-replace", kmmap(low, PG, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
  char *p = kmmap(low, PG, RW, ANON, -1, 0);
  YES("a low hint is raised", p >= (char *)32768);
  RESULT("the lowest that is allowed", kmmap((char *)32768, PG, RW, ANON | MAP_FIXED, -1, 0));
  RESULT("mremap below", kmremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, low));
}
CASE("mmap_min_addr", "", "0: everybody may map the first page") {
  RESULT("set", set_sysctl("vm/mmap_min_addr", "0"));
  drop_root();
  char *p = kmmap(NULL, PG, RW, ANON | MAP_FIXED, -1, 0);
  RESULT("address 0", p);
  WRITES("NULL", hide(NULL));
}
CASE("legacy_va_layout", "1", "mappings of a new program grow upward; 0: downward") {
  static const char *const values[] = {"1", "0"};
  for (int i = 0; i < 2; i++) {
    RESULT(values[i], set_sysctl("vm/legacy_va_layout", values[i]));
    int ends[2];
    char text[200] = {0};
    MUST(pipe(ends));
    pid_t pid = fork();
    if (pid == 0) {
      dup2(ends[1], 1);
      execl("/proc/self/exe", "again", "helper of the cases above", (char *)NULL);
      _exit(97);
    }
    close(ends[1]);
    for (ssize_t n = 0, got; (got = read(ends[0], text + n, sizeof text - 1 - (size_t)n)) > 0;) n += got;
    wait_text(pid);
    char *line = strstr(text, "maps ");
    say("%.30s", line ? strtok(line, "\n") : "no report");
  }
}
CASE("randomize_va_space", "0", "two programs have the same addresses; 1: the heap is at the end of the program; 2: all differ") {
  static const char *const values[] = {"0", "1", "2"};
  for (int i = 0; i < 3; i++) {
    RESULT(values[i], set_sysctl("kernel/randomize_va_space", values[i]));
    unsigned long at[4][3];
    for (int run = 0; run < 4; run++) {
      int ends[2];
      MUST(pipe(ends));
      pid_t pid = fork();
      if (pid == 0) {
        dup2(ends[1], 9);
        dup2(open("/dev/null", O_WRONLY), 1);
        execl("/proc/self/exe", "again", "helper of the cases above", (char *)NULL);
        _exit(97);
      }
      close(ends[1]);
      if (read(ends[0], at[run], sizeof at[run]) != sizeof at[run]) say("no report");
      close(ends[0]);
      wait_text(pid);
    }
    static const char *const names[] = {"stack", "map", "heap, from the end of the program"};
    for (int k = 0; k < 3; k++) {
      int same = at[0][k] == at[1][k] && at[1][k] == at[2][k] && at[2][k] == at[3][k];
      say("%s: %s", names[k], same ? "the same" : "differs");
    }
  }
}
CASE("randomize_va_space", "report", "helper of the cases above") {
  char *a = kmmap(NULL, 64 * PG, RW, ANON, -1, 0), *b = kmmap(NULL, 64 * PG, PROT_READ, ANON, -1, 0);
  extern char end[];
  unsigned long at[3] = {(unsigned long)__builtin_frame_address(0), (unsigned long)a, (unsigned long)(kbrk(NULL) - end)};
  if (fcntl(9, F_GETFD) != -1 && write(9, at, sizeof at) != sizeof at) say("no descriptor 9");
  say("maps %s", b < a ? "downward" : "upward");
}
static long vmstat(const char *name) {
  static char text[65536];
  char key[64];
  long n = 0, got;
  int fd = open("/proc/vmstat", O_RDONLY);
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  text[n] = 0;
  close(fd);
  snprintf(key, sizeof key, "\n%s ", name);
  char *at = strstr(text, key);
  return at ? atol(at + strlen(key)) : -1;
}
static void show(const char *name) {
  char path[96], value[64] = "";
  snprintf(path, sizeof path, "/proc/sys/vm/%s", name);
  int fd = open(path, O_RDONLY);
  ssize_t n = read(fd, value, sizeof value - 1);
  close(fd);
  value[n > 0 ? n - 1 : 0] = 0;
  say("%s: %s", name, value);
}
/* The bytes cannot be put back to 0 themselves: the ratio that is put back does it. */
static int set_bytes(const char *name, const char *value) {
  char path[96];
  snprintf(path, sizeof path, "/proc/sys/vm/%s", name);
  return write_sysctl(path, value);
}
CASE("dirty_bytes", "", "instead of the ratio; the limits that come of it") {
  RESULT("ratio", set_sysctl("vm/dirty_ratio", "33"));
  RESULT("ratio", set_sysctl("vm/dirty_background_ratio", "7"));
  RESULT("a page", set_bytes("dirty_bytes", "4096"));
  RESULT("8 MiB", set_bytes("dirty_bytes", "8388608"));
  show("dirty_ratio");
  NUM("threshold", vmstat("nr_dirty_threshold"));
  RESULT("0 in the background", set_bytes("dirty_background_bytes", "0"));
  RESULT("1 MiB in the background", set_bytes("dirty_background_bytes", "1048576"));
  show("dirty_background_ratio");
  NUM("threshold", vmstat("nr_dirty_background_threshold"));
  RESULT("more than 8 MiB in the background", set_bytes("dirty_background_bytes", "16777216"));
  NUM("half of the other", vmstat("nr_dirty_background_threshold"));
  RESULT("ratio", set_sysctl("vm/dirty_ratio", "34"));
  show("dirty_bytes");
  show("dirty_ratio");
  RESULT("ratio", set_sysctl("vm/dirty_background_ratio", "8"));
  show("dirty_background_bytes");
}
CASE("dirty_ratio", "EINVAL", "more than 100, less than nothing; the intervals too") {
  RESULT("101", set_sysctl("vm/dirty_ratio", "101"));
  RESULT("-1", set_sysctl("vm/dirty_ratio", "-1"));
  RESULT("background 101", set_sysctl("vm/dirty_background_ratio", "101"));
  RESULT("expire -1", set_sysctl("vm/dirty_expire_centisecs", "-1"));
  RESULT("expire", set_sysctl("vm/dirty_expire_centisecs", "100"));
  show("dirty_expire_centisecs");
  RESULT("writeback", set_sysctl("vm/dirty_writeback_centisecs", "0"));
  show("dirty_writeback_centisecs");
}
/* Of the zone with the most memory: low - min, in 10,000ths of the zone. */
static long mark_gap(void) {
  FILE *f = fopen("/proc/zoneinfo", "r");
  char line[256];
  long value, low = 0, min = 0, most = 0, gap = 0;
  while (fgets(line, sizeof line, f)) {
    if (sscanf(line, " min %ld", &value) == 1) min = value;
    if (sscanf(line, " low %ld", &value) == 1) low = value;
    if (sscanf(line, " managed %ld", &value) == 1 && value > most) { most = value; gap = (low - min) * 10000 / value; }
  }
  fclose(f);
  return gap;
}
CASE("watermark_scale_factor", "", "how far the low mark is above the min mark") {
  RESULT("1000", set_sysctl("vm/watermark_scale_factor", "1000"));
  YES("a tenth of the zone", labs(mark_gap() - 1000) <= 2);
  RESULT("500", set_sysctl("vm/watermark_scale_factor", "500"));
  YES("a twentieth", labs(mark_gap() - 500) <= 2);
  RESULT("0", set_sysctl("vm/watermark_scale_factor", "0"));
  RESULT("3001", set_sysctl("vm/watermark_scale_factor", "3001"));
}
CASE("min_free_kbytes", "", "the min marks of all zones together") {
  RESULT("4000", set_sysctl("vm/min_free_kbytes", "4000"));
  FILE *f = fopen("/proc/zoneinfo", "r");
  char line[256];
  long value, sum = 0;
  while (fgets(line, sizeof line, f)) if (sscanf(line, " min %ld", &value) == 1) sum += value;
  fclose(f);
  YES("1000 pages, give or take one a zone, and what Movable keeps", sum >= 990 && sum <= 1040);
  RESULT("-1", set_sysctl("vm/min_free_kbytes", "-1"));
}
CASE("memfd_noexec", "EACCES", "1: not executable unless it says so; 2: refused if it does") {
  const char *scopes[] = {"0", "1", "2"};
  for (int i = 0; i < 3; i++) {
    RESULT(scopes[i], set_sysctl("vm/memfd_noexec", scopes[i]));
    for (unsigned flags = 0; flags <= 0x18; flags += 8) {
      struct stat st;
      int fd = (int)syscall(SYS_memfd_create, "noexec", flags);
      if (fd < 0) say("flags %x: %s", flags, err_name(errno));
      else { fstat(fd, &st); say("flags %x: mode %o seals %d", flags, st.st_mode & 0777, fcntl(fd, 1034)); close(fd); }
    }
  }
  RESULT("3", set_sysctl("vm/memfd_noexec", "3"));
  RESULT("back", set_sysctl("vm/memfd_noexec", "0"));
}
CASE("nr_hugepages_mempolicy", "", "one node: the same as nr_hugepages") {
  RESULT("2", set_sysctl("vm/nr_hugepages_mempolicy", "2"));
  show("nr_hugepages");
  RESULT("1", set_sysctl("vm/nr_hugepages", "1"));
  show("nr_hugepages_mempolicy");
}
CASE("numa_zonelist_order", "EINVAL", "there is one order") {
  show("numa_zonelist_order");
  RESULT("node", set_sysctl("vm/numa_zonelist_order", "node"));
  RESULT("Default", set_sysctl("vm/numa_zonelist_order", "Default"));
  RESULT("zone", set_sysctl("vm/numa_zonelist_order", "zone"));
  show("numa_zonelist_order");
}
CASE("mmap_rnd_bits", "EINVAL", "outside of what the architecture has; root alone reads it") {
  struct stat st;
  RESULT("0", set_sysctl("vm/mmap_rnd_bits", "0"));
  RESULT("99", set_sysctl("vm/mmap_rnd_bits", "99"));
  MUST(stat("/proc/sys/vm/mmap_rnd_bits", &st));
  say("mode %o", st.st_mode & 0777);
}
CASE("oom_kill_allocating_task", "", "any number") {
  show("oom_kill_allocating_task");
  RESULT("1", set_sysctl("vm/oom_kill_allocating_task", "1"));
  show("oom_kill_allocating_task");
}
CASE("hugetlb_shm_group", "", "a group") {
  show("hugetlb_shm_group");
  RESULT("5", set_sysctl("vm/hugetlb_shm_group", "5"));
  show("hugetlb_shm_group");
}
