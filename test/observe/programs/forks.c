/* Memory that two forks share, and who writes it: numbers that a reader can count. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char *table;

__attribute__((noinline)) static void fill(int pages) {
  for (int i = 0; i < pages; i++) table[i * 4096] = 1;
}

__attribute__((noinline)) static void child_work(int pages) {
  for (int i = 0; i < pages; i++) table[i * 4096]++;
}

__attribute__((noinline)) static void parent_work(int pages) {
  for (int i = 0; i < pages; i++) table[i * 4096] += 2;
}

int main(void) {
  table = malloc(600 * 4096);
  fill(500);
  for (int round = 1; round <= 2; round++) {
    pid_t child = fork();
    if (child == 0) {
      child_work(100 * round);
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
  int ends[2];
  char byte = 0;
  if (pipe(ends) != 0) return 1;
  pid_t child = fork();
  if (child == 0) _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
  parent_work(50);
  if (write(ends[1], &byte, 1) != 1) return 1;
  waitpid(child, NULL, 0);
  return 0;
}
