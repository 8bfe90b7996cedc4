/* What replay.test.ts asks about: a page that a child copies, a counter, a file, and standard input. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile long counter;
static char *page;

static void touch_page(void) { page[0] = 1; }
static void copy_page(void) { page[0] = 2; }

int main(void) {
  char line[64] = "", text[16] = "";
  page = mmap((void *)0x20000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  touch_page();
  for (int i = 0; i < 1000; i++) counter++;
  pid_t child = fork();
  if (child == 0) {
    copy_page();
    _exit(page[0]);
  }
  int status;
  waitpid(child, &status, 0);
  FILE *file = fopen("input.txt", "r");
  if (file == NULL || fgets(text, sizeof text, file) == NULL) return 1;
  if (fgets(line, sizeof line, stdin) == NULL) return 1;
  printf("counter at %p is %ld, the child's page %d, mine %d, %s%s", (void *)&counter, counter, WEXITSTATUS(status),
         page[0], text, line);
  return 3;
}
