/* Uses up the machine's memory in the way that argv[1] names, and tells what happened. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int map(const char *path) {
  int fd = open(path, O_RDWR);
  off_t size = lseek(fd, 0, SEEK_END);
  char *at = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return 1;
  int right = 0;
  for (off_t i = 0; i < size; i += 4096) at[i] = i >> 12;
  for (off_t i = 0; i < size; i += 4096) right += at[i] == (char)(i >> 12);
  printf("%d of %d pages\n", right, (int)(size / 4096));
  return 0;
}

static int touch(void) {
  pid_t child = fork();
  if (child == 0)
    for (;;) memset(mmap(0, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1, 1 << 20);
  int status;
  waitpid(child, &status, 0);
  printf("the hog's signal: %d\n", WTERMSIG(status));
  return 0;
}

static int deep(void) {
  int made = 0, gone = 0;
  while (made < 12000 && mkdir("d", 0755) == 0 && chdir("d") == 0) made++;
  while (gone < made && chdir("..") == 0 && rmdir("d") == 0) gone++;
  printf("deep %d, all gone %d\n", made > 500, gone == made);
  while (mkdir("d", 0755) == 0 && chdir("d") == 0);
  return 0;
}

static int forks(void) {
  int made = 0, ended = 0;
  pid_t child;
  signal(SIGTERM, SIG_DFL);
  while ((child = fork()) > 0) made++;
  if (child == 0) for (;;) pause();
  signal(SIGTERM, SIG_IGN);
  kill(0, SIGTERM);
  while (wait(0) > 0) ended++;
  printf("many %d, all ended %d\n", made > 10, ended == made);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  if (!strcmp(argv[1], "map")) return map(argv[2]);
  if (!strcmp(argv[1], "touch")) return touch();
  if (!strcmp(argv[1], "deep")) return deep();
  return forks();
}
