/* prctl about an address space: PR_SET_MM, PR_GET_AUXV, PR_SET_THP_DISABLE, PR_SET_MEMORY_MERGE; process_madvise (6.18). */
#include "smaps.h"
#include <sys/prctl.h>
#include <sys/uio.h>
#include <elf.h>
#include <linux/capability.h>
#define GET_AUXV 0x41555856
#define SET_MERGE 67
#define GET_MERGE 68
#define SET_MDWE 65
#define GET_MDWE 66
#define THP_SET 41
#define THP_GET 42
#define PR5(o, a, b, c, d) prctl(o, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), (unsigned long)(d))
#define MM(o, a) PR5(PR_SET_MM, o, a, 0, 0)
struct mm_map { uint64_t at[11]; uint64_t *auxv; uint32_t auxv_size, exe_fd; };

static void fields(struct mm_map *map) {
  /* start_code end_code start_stack start_data end_data start_brk arg_start arg_end env_start env_end of /proc/self/stat */
  static char text[2048];
  unsigned long v[52] = {0};
  slurp_into("/proc/self/stat", text, sizeof text);
  char *at = strrchr(text, ')') + 4;
  for (int i = 3; i < 52; i++) v[i] = strtoul(at, &at, 10);
  map->at[0] = v[25], map->at[1] = v[26], map->at[6] = v[27];
  map->at[2] = v[44], map->at[3] = v[45], map->at[4] = v[46];
  map->at[7] = v[47], map->at[8] = v[48], map->at[9] = v[49], map->at[10] = v[50];
  map->at[5] = (unsigned long)syscall(SYS_brk, 0);
  map->auxv = NULL, map->auxv_size = 0, map->exe_fd = -1;
}
static void drop(int cap) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  MUST(syscall(SYS_capget, &head, data));
  data[cap / 32].effective &= ~(1U << cap % 32);
  MUST(syscall(SYS_capset, &head, data));
}
static void cmdline(const char *what) {
  char text[64] = {0};
  int fd = open("/proc/self/cmdline", O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  say("%s: %ld %s", what, n, text);
}

/* The native machine may lack CAP_SYS_RESOURCE: what needs it is refused here, MAP does not need it. */
static void set_mm(void) {
  drop(CAP_SYS_RESOURCE);
  struct mm_map map;
  fields(&map);
  char *page = map_anon(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  strcpy(page, "renamed");
  static const char *names[] = {"", "START_CODE", "END_CODE", "START_DATA", "END_DATA", "START_STACK", "START_BRK", "BRK", "ARG_START",
    "ARG_END", "ENV_START", "ENV_END", "AUXV", "EXE_FILE", "MAP", "MAP_SIZE"};
  static const int field[] = {0, 0, 1, 2, 3, 6, 4, 5, 7, 8, 9, 10};
  for (int i = 1; i <= 11; i++) {
    say("%s", names[i]);
    ERR("  to what it is", MM(i, map.at[field[i]]));
    ERR("  to 0", MM(i, 0));
    ERR("  below mmap_min_addr", MM(i, 4095));
    ERR("  to the top", MM(i, -PG));
    ERR("  with another argument", PR5(PR_SET_MM, i, map.at[field[i]], 1, 0));
    ERR("  with a last argument", PR5(PR_SET_MM, i, map.at[field[i]], 0, 1));
  }
  ERR("option 0", MM(0, PG * 100));
  ERR("option 16", MM(16, PG * 100));
  ERR("end_code before start_code", MM(PR_SET_MM_END_CODE, map.at[0] - 1));
  ERR("end_code at start_code", MM(PR_SET_MM_END_CODE, map.at[0]));
  ERR("end_data before start_data", MM(PR_SET_MM_END_DATA, map.at[2] - 1));
  ERR("end_data at start_data", MM(PR_SET_MM_END_DATA, map.at[2]));
  ERR("brk below start_brk", MM(PR_SET_MM_BRK, map.at[4] - 1));
  ERR("arg_end below arg_start", MM(PR_SET_MM_ARG_END, map.at[7] - 1));
  ERR("arguments elsewhere, the end first", MM(PR_SET_MM_ARG_START, page));
  struct rlimit l = {4096, RLIM_INFINITY}, old;
  getrlimit(RLIMIT_DATA, &old);
  l.rlim_max = old.rlim_max;
  setrlimit(RLIMIT_DATA, &l);
  ERR("more data than the limit", MM(PR_SET_MM_BRK, map.at[4] + 100 * PG));
  setrlimit(RLIMIT_DATA, &old);

  fields(&map);
  uint32_t size = 0;
  ERR("MAP_SIZE", PR5(PR_SET_MM, 15, &size, 0, 0));
  NUM("size", size);
  ERR("MAP_SIZE nowhere", PR5(PR_SET_MM, 15, 8, 0, 0));
  ERR("MAP", PR5(PR_SET_MM, 14, &map, sizeof map, 0));
  ERR("MAP of another size", PR5(PR_SET_MM, 14, &map, sizeof map - 4, 0));
  ERR("MAP nowhere", PR5(PR_SET_MM, 14, 8, sizeof map, 0));
  struct mm_map changed = map;
  changed.at[7] = (uint64_t)page, changed.at[8] = (uint64_t)page + 8;
  ERR("arguments", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  cmdline("cmdline");
  changed = map;
  changed.at[0] = changed.at[1];
  ERR("MAP out of order", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  changed = map;
  changed.auxv_size = 16;
  ERR("MAP without an auxv", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  changed.auxv = (uint64_t *)page;
  changed.auxv_size = 100000;
  ERR("MAP with a long auxv", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  changed.auxv = (uint64_t *)8;
  changed.auxv_size = 16;
  ERR("MAP with an auxv nowhere", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  changed.auxv_size = 0;
  changed.exe_fd = 99;
  ERR("MAP with a bad descriptor", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  ERR("EXE_FILE with a bad descriptor", MM(PR_SET_MM_EXE_FILE, 99));
  int dir = open("/", O_RDONLY), self = open("/proc/self/exe", O_RDONLY), null = open("/dev/null", O_RDONLY);
  ERR("EXE_FILE of a folder", MM(PR_SET_MM_EXE_FILE, dir));
  ERR("EXE_FILE of a device", MM(PR_SET_MM_EXE_FILE, null));
  ERR("EXE_FILE while the old one is mapped", MM(PR_SET_MM_EXE_FILE, self));
  uint64_t aux[4] = {AT_PAGESZ, 4096, AT_NULL, 0}, back[80] = {0};
  long whole = PR5(GET_AUXV, back, sizeof back, 0, 0);
  YES("GET_AUXV", whole > 300 && whole <= (long)sizeof back && whole % 16 == 0);
  int pagesz = 0;
  for (long i = 0; i < whole / 8; i += 2) pagesz |= back[i] == AT_PAGESZ && back[i + 1] == 4096;
  YES("has the page size", pagesz);
  YES("into less", PR5(GET_AUXV, back, 8, 0, 0) == whole);
  YES("into nothing", PR5(GET_AUXV, 8, 0, 0, 0) == whole);
  ERR("nowhere", PR5(GET_AUXV, 8, 16, 0, 0));
  ERR("another argument", PR5(GET_AUXV, back, 16, 1, 0));
  ERR("AUXV", PR5(PR_SET_MM, PR_SET_MM_AUXV, aux, sizeof aux, 0));
  
  changed = map;
  changed.auxv = aux;
  changed.auxv_size = sizeof aux;
  ERR("MAP with an auxv", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  YES("is there", PR5(GET_AUXV, back, sizeof back, 0, 0) == whole && back[0] == AT_PAGESZ && back[2] == AT_NULL);
  ERR("AUXV too long", PR5(PR_SET_MM, PR_SET_MM_AUXV, aux, whole + 8, 0));
  ERR("AUXV nowhere", PR5(PR_SET_MM, PR_SET_MM_AUXV, 8, 16, 0));
  static const char *files[] = {"/", "/dev/null", "/proc/self/exe", "/proc/self/status"};
  for (int i = 0; i < 4; i++) {
    changed = map;
    changed.exe_fd = (uint32_t)open(files[i], O_RDONLY);
    char what[64];
    snprintf(what, sizeof what, "MAP with the executable %s", files[i]);
    ERR(what, PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
  }
  drop(CAP_SYS_ADMIN);
  drop(40);
  changed = map;
  changed.exe_fd = self;
  ERR("MAP with an executable, without CAP_CHECKPOINT_RESTORE", PR5(PR_SET_MM, 14, &changed, sizeof changed, 0));
}

static void thp(void) {
  RET("THP_DISABLE is", PR5(THP_GET, 0, 0, 0, 0));
  ERR("GET with an argument", PR5(THP_GET, 1, 0, 0, 0));
  ERR("set", PR5(THP_SET, 1, 0, 0, 0));
  RET("is", PR5(THP_GET, 0, 0, 0, 0));
  NUM("THP_enabled", status_kib("THP_enabled"));
  IN_CHILD("child", RET("inherits", PR5(THP_GET, 0, 0, 0, 0)));
  ERR("set to 7", PR5(THP_SET, 7, 0, 0, 0));
  ERR("except advised", PR5(THP_SET, 1, 2, 0, 0));
  RET("is", PR5(THP_GET, 0, 0, 0, 0));
  ERR("a bad flag", PR5(THP_SET, 1, 1, 0, 0));
  ERR("off with a flag", PR5(THP_SET, 0, 2, 0, 0));
  ERR("with a fourth argument", PR5(THP_SET, 1, 0, 1, 0));
  ERR("with a fifth", PR5(THP_SET, 1, 0, 0, 1));
  ERR("off", PR5(THP_SET, 0, 0, 0, 0));
  RET("is", PR5(THP_GET, 0, 0, 0, 0));
}

static void merge(void) {
  int rw = PROT_READ | PROT_WRITE;
  char *w = reserve(20), *a = mmap(w, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  char *s = mmap(w + 2 * PG, PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  RET("MEMORY_MERGE is", PR5(GET_MERGE, 0, 0, 0, 0));
  ERR("set", PR5(SET_MERGE, 1, 0, 0, 0));
  RET("is", PR5(GET_MERGE, 0, 0, 0, 0));
  say("private %s", vm_flags(a));
  say("shared %s", vm_flags(s));
  char *b = mmap(w + 4 * PG, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  say("new %s", vm_flags(b));
  b = mmap(w + PG, PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  show_maps("merges", w, 3);
  ERR("UNMERGEABLE", madvise(a, PG, MADV_UNMERGEABLE));
  say("advised %s", vm_flags(a));
  IN_CHILD("child", { RET("inherits", PR5(GET_MERGE, 0, 0, 0, 0)); say("has %s", vm_flags(b)); });
  ERR("off", PR5(SET_MERGE, 0, 0, 0, 0));
  say("off %s", vm_flags(b));
  show_maps("stays split", w, 3);
  ERR("another argument", PR5(SET_MERGE, 1, 1, 0, 0));
  ERR("GET with an argument", PR5(GET_MERGE, 1, 0, 0, 0));
}

static void mdwe(void) {
  int rw = PROT_READ | PROT_WRITE, rx = PROT_READ | PROT_EXEC;
  RET("MDWE is", PR5(GET_MDWE, 0, 0, 0, 0));
  ERR("GET with an argument", PR5(GET_MDWE, 0, 0, 0, 1));
  ERR("SET with another", PR5(SET_MDWE, 1, 1, 0, 0));
  ERR("a bad flag", PR5(SET_MDWE, 4, 0, 0, 0));
  ERR("no inherit alone", PR5(SET_MDWE, 2, 0, 0, 0));
  ERR("nothing", PR5(SET_MDWE, 0, 0, 0, 0));
  IN_CHILD("not inherited", {
    ERR("set", PR5(SET_MDWE, 3, 0, 0, 0));
    RET("is", PR5(GET_MDWE, 0, 0, 0, 0));
    ERR("less", PR5(SET_MDWE, 1, 0, 0, 0));
    IN_CHILD("its child", RET("is", PR5(GET_MDWE, 0, 0, 0, 0)));
  });
  IN_CHILD("inherited", {
    char *old = map_anon(1, rw, MAP_PRIVATE);
    char *both = map_anon(1, rw | PROT_EXEC, MAP_PRIVATE);
    ERR("set", PR5(SET_MDWE, 1, 0, 0, 0));
    ERR("set again", PR5(SET_MDWE, 1, 0, 0, 0));
    ERR("more", PR5(SET_MDWE, 3, 0, 0, 0));
    ERR("off", PR5(SET_MDWE, 0, 0, 0, 0));
    ERR("mmap rwx", mmap(NULL, PG, rw | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    ERR("mmap rx", mmap(NULL, PG, rx, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    ERR("rw to rx", mprotect(old, PG, rx));
    ERR("rw to r", mprotect(old, PG, PROT_READ));
    ERR("rwx to rwx", mprotect(both, PG, rw | PROT_EXEC));
    ERR("rwx to rx", mprotect(both, PG, rx));
    ERR("rx to rwx", mprotect(both, PG, rw | PROT_EXEC));
    ERR("over what there is", mmap(old, PG, rx, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
    IN_CHILD("its child", RET("is", PR5(GET_MDWE, 0, 0, 0, 0)));
  });
}

static void remote(void) {
  int rw = PROT_READ | PROT_WRITE;
  char *a = map_anon(4, rw, MAP_PRIVATE);
  memset(a, 'a', 4 * PG);
  int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
  struct iovec v[3] = {{a, PG}, {a + PG, PG}, {a + 2 * PG, PG}}, bad[2] = {{a, PG}, {a + 1, PG}}, empty[1] = {{a, 0}};
#define PM(fd, vec, n, advice, flags) syscall(SYS_process_madvise, fd, vec, (long)(n), advice, flags)
  RET("self", PM(self, v, 3, MADV_DONTNEED, 0));
  NUM("content", a[PG]);
  NUM("content", a[3 * PG]);
  RET("a flag", PM(self, v, 3, MADV_COLD, 1));
  RET("a bad advice", PM(self, v, 3, 1000, 0));
  RET("second range unaligned", PM(self, bad, 2, MADV_COLD, 0));
  RET("first range unaligned", PM(self, bad + 1, 1, MADV_COLD, 0));
  RET("nothing", PM(self, v, 0, MADV_COLD, 0));
  RET("an empty range", PM(self, empty, 1, MADV_COLD, 0));
  RET("an empty range with a bad advice", PM(self, empty, 1, 1000, 0));
  RET("too many", PM(self, v, 1025, MADV_COLD, 0));
  RET("vector nowhere", PM(self, 8, 1, MADV_COLD, 0));
  RET("no descriptor", PM(-1, v, 1, MADV_COLD, 0));
  RET("no pidfd", PM(0, v, 1, MADV_COLD, 0));
  RET("PIDFD_SELF", PM(-10000, v, 1, MADV_COLD, 0));
  munmap(a + PG, PG);
  RET("a hole", PM(self, v, 3, MADV_COLD, 0));
  int ends[2];
  MUST(pipe(ends));
  pid_t pid = fork();
  if (pid == 0) {
    char c;
    close(ends[1]);
    read(ends[0], &c, 1);
    _exit(a[0] == 'q' ? 3 : 4);
  }
  close(ends[0]);
  int other = (int)syscall(SYS_pidfd_open, pid, 0);
  static const int all[] = {0, 1, 3, 4, 8, 9, 10, 14, 16, 20, 21, 22, 23, 24, 102, 103};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    char what[32];
    snprintf(what, sizeof what, "another's, advice %d", all[i]);
    RET(what, PM(other, v, 1, all[i], 0));
  }
  drop(CAP_SYS_NICE);
  RET("without CAP_SYS_NICE", PM(other, v, 1, MADV_COLD, 0));
  RET("bad advice without it", PM(other, v, 1, MADV_DONTNEED, 0));
  RET("own without it", PM(self, v, 1, MADV_DONTNEED, 0));
  close(ends[1]);
  say("child: %s", wait_text(pid));
  RET("after its end", PM(other, v, 1, MADV_COLD, 0));
}

int main(void) {
  IN_CHILD("thp", thp());
  IN_CHILD("merge", merge());
  IN_CHILD("mdwe", mdwe());
  IN_CHILD("remote", remote());
  IN_CHILD("set_mm", set_mm());
  return 0;
}
