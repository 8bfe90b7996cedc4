/* A grandchild that outlives its parent, a child of vfork, and one that executes a program. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *table;

static void touch(int pages) {
  for (int i = 0; i < pages; i++) table[i * 4096]++;
}

int main(int argc, char **argv) {
  if (argc > 1) return 0;
  table = malloc(200 * 4096);
  touch(100);
  int ends[2];
  char byte = 0;
  if (pipe(ends) != 0) return 1;
  pid_t child = fork();
  if (child == 0) {
    /* The grandchild has all pages of its grandmother until she says that she has written. */
    if (fork() == 0) _exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  touch(40);
  if (write(ends[1], &byte, 1) != 1) return 1;
  child = vfork();
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
  child = fork();
  if (child == 0) {
    touch(3);
    execl(argv[0], argv[0], "again", NULL);
    _exit(1);
  }
  waitpid(child, NULL, 0);
  return 0;
}
