/* personality: kept through fork, cut at exec; where things go and what may be executed under each of its flags. */
#include "check.h"
#include <sys/personality.h>
#ifndef UNAME26
#define UNAME26 0x0020000
#endif

static char where[256];
/* What a fresh program finds: its stack, heap, mappings and vdso. */
static void report(void) {
  char *first = map_anon(1, PROT_READ, MAP_PRIVATE), *second = map_anon(3, PROT_READ, MAP_PRIVATE);
  char line[512], rights[8] = "", zero[32] = "none";
  unsigned long stack = 0, vdso = 0, from;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    unsigned long to;
    char perms[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3) continue;
    if (strstr(line, "[stack]")) stack = to;
    if (strstr(line, "[vdso]")) vdso = from;
    if (from == 0) snprintf(zero, sizeof zero, "%s %lu", perms, to / PG);
    if (from <= (unsigned long)first && (unsigned long)first < to) strcpy(rights, perms);
  }
  fclose(maps);
  printf("%lx %lx %lx %lx %s %s %x %s\n", stack, vdso, (unsigned long)sbrk(0), (unsigned long)first,
         second > first ? "up" : "down", rights, personality(0xffffffff), zero);
  fflush(stdout);
}
struct seen {
  unsigned long stack, vdso, brk, map;
  char direction[8], rights[8];
  unsigned kept;
  char zero[32];
};
static struct seen look(unsigned long persona) {
  struct seen s;
  int p[2];
  MUST(pipe(p));
  pid_t pid = fork();
  if (pid == 0) {
    dup2(p[1], 1);
    personality(persona);
    char *argv[] = {"proc-personality", "report", NULL};
    execv("/proc/self/exe", argv);
    _exit(9);
  }
  close(p[1]);
  long n = 0, got;
  while ((got = read(p[0], where + n, sizeof where - 1 - (size_t)n)) > 0) n += got;
  where[n] = 0;
  close(p[0]);
  waitpid(pid, NULL, 0);
  sscanf(where, "%lx %lx %lx %lx %7s %7s %x %31[^\n]", &s.stack, &s.vdso, &s.brk, &s.map, s.direction, s.rights, &s.kept, s.zero);
  return s;
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    report();
    return 0;
  }
  say("at first %x", personality(0xffffffff));
  say("set %x", personality(ADDR_NO_RANDOMIZE));
  say("then %x", personality(0xffffffff));
  IN_CHILD("fork", { say("child has %x", personality(0xffffffff)); });
  personality(0x12345678);
  say("anything %x", personality(0));
  struct seen a = look(0), b = look(0);
  say("plain: %s, %s, kept %x", a.direction, a.rights, a.kept);
  YES("stacks differ", a.stack != b.stack);
  YES("mappings differ", a.map != b.map);
  YES("vdsos differ", a.vdso != b.vdso);
  YES("heaps differ", a.brk != b.brk);
  a = look(ADDR_NO_RANDOMIZE), b = look(ADDR_NO_RANDOMIZE);
  say("not random: %s, %s, kept %x", a.direction, a.rights, a.kept);
  YES("stacks are the same", a.stack == b.stack);
  YES("mappings are the same", a.map == b.map);
  YES("vdsos are the same", a.vdso == b.vdso);
  YES("heaps are the same", a.brk == b.brk);
  YES("the stack ends in a round place", (a.stack & 0xffff) == 0 || (a.stack & 0xffff) == 0xf000);
  a = look(ADDR_COMPAT_LAYOUT | ADDR_NO_RANDOMIZE);
  say("compatible: %s, %s, kept %x", a.direction, a.rights, a.kept);
  YES("below the other", a.map < b.map);
  a = look(ADDR_LIMIT_3GB | ADDR_LIMIT_32BIT | ADDR_NO_RANDOMIZE);
  YES("limits change nothing", a.map == b.map && a.stack == b.stack);

  say("page zero: %s", a.zero);
  a = look(MMAP_PAGE_ZERO);
  say("page zero: %s", a.zero);

  personality(READ_IMPLIES_EXEC);
  char *m = reserve(8);
  MUST(mprotect(m, PG, PROT_READ));
  MUST(mprotect(m + PG, PG, PROT_READ | PROT_WRITE));
  MUST(mprotect(m + 2 * PG, PG, PROT_WRITE));
  MUST(mprotect(m + 3 * PG, PG, PROT_NONE));
  MUST(mmap(m + 4 * PG, PG, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
  MUST(mmap(m + 5 * PG, PG, PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
  int fd = open("/proc/self/exe", O_RDONLY);
  MUST(mmap(m + 6 * PG, PG, PROT_READ, MAP_FIXED | MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
  close(fd);
  char line[512];
  FILE *maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps)) {
    unsigned long from, to;
    char perms[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3 || to <= (unsigned long)m || from >= (unsigned long)m + 8 * PG) continue;
    if (from < (unsigned long)m) from = (unsigned long)m;
    if (to > (unsigned long)m + 8 * PG) to = (unsigned long)m + 8 * PG;
    say("  [%ld,%ld) %s", (long)(from - (unsigned long)m) / PG, (long)(to - (unsigned long)m) / PG, perms);
  }
  fclose(maps);
  return 0;
}
