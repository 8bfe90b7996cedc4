/* A child takes all memory that there is and is killed for it; a small one beside it, and the parent, go on. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define PG 4096

int main(int argc, char **argv) {
  int to_parent[2], go[2];
  char byte = 0;
  if (pipe(to_parent) || pipe(go)) return 9;
  pid_t small = fork();
  if (small == 0) {
    char *own = mmap(NULL, 50 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(own, 's', 50 * PG);
    if (write(to_parent[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1) _exit(1);
    for (int i = 0; i < 50 * PG; i++)
      if (own[i] != 's') _exit(2);
    _exit(0);
  }
  if (read(to_parent[0], &byte, 1) != 1) return 9;
  pid_t hog = fork();
  if (hog == 0) {
    if (argc > 1) {
      FILE *f = fopen("/proc/self/oom_score_adj", "w");
      fprintf(f, "%s", argv[1]);
      fclose(f);
    }
    for (;;) {
      char *more = mmap(NULL, 256 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (more == MAP_FAILED) _exit(3);
      for (int i = 0; i < 256; i++) memset(more + i * PG, i | 1, PG);
    }
  }
  int status = 0;
  waitpid(hog, &status, 0);
  printf("the hog: %s %d\n", WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  if (write(go[1], "g", 1) != 1) return 9;
  waitpid(small, &status, 0);
  printf("the small one: %s %d\n", WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  static char log[65536];
  int got = klogctl(3, log, sizeof log - 1);
  log[got > 0 ? got : 0] = 0;
  int kills = 0;
  for (char *at = log; (at = strstr(at, "Out of memory: Killed process")); at++) kills++;
  printf("kills: %d\n", kills);
  if (argc > 2) fputs(log, stdout);
  return 0;
}
