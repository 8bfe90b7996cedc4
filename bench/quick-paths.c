/* Paths of the kernel, each so many times: quick-paths faults|forks|calls N. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 2048
static char written[64 * 4096];

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  long n = atol(argv[2]);
  if (strcmp(argv[1], "faults") == 0) {
    for (long done = 0; done < n; done += PAGES) {
      char *at = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (at == MAP_FAILED) return 3;
      for (int page = 0; page < PAGES; page++) at[page * 4096] = 1;
      munmap(at, PAGES * 4096);
    }
  } else if (strcmp(argv[1], "forks") == 0) {
    memset(written, 1, sizeof written);
    for (long i = 0; i < n; i++) {
      pid_t pid = fork();
      if (pid == 0) {
        for (int page = 0; page < 64; page++) written[page * 4096] = 2;
        _exit(0);
      }
      int status;
      if (waitpid(pid, &status, 0) != pid || status != 0) return 4;
    }
  } else
    for (long i = 0; i < n; i++) if (getppid() < 0) return 5;
  return 0;
}
