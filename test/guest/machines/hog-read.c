/* The kernel itself needs the memory: read(2) into pages that are not there, while a child has taken all the rest. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define PG 4096

int main(void) {
  int ready[2];
  char byte;
  if (pipe(ready)) return 9;
  size_t all = 64 << 20;
  char *into = mmap(NULL, 512 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pid_t hog = fork();
  if (hog == 0) {
    FILE *f = fopen("/proc/self/oom_score_adj", "w");
    fprintf(f, "1000");
    fclose(f);
    char *at = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (size_t i = 0; i < 1300; i++) at[i * PG] = 1;
    if (write(ready[1], "r", 1) != 1) _exit(1);
    pause();
  }
  if (read(ready[0], &byte, 1) != 1) return 9;
  int zero = open("/dev/zero", O_RDONLY);
  long got = read(zero, into, 512 * PG);
  int status = 0;
  printf("read %ld\n", got);
  waitpid(hog, &status, 0);
  printf("the hog: signal %d\n", WTERMSIG(status));
  return 0;
}
