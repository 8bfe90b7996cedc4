/* Makes some hundred mappings of all kinds, cuts, protects, moves and drops them, and prints /proc/self/maps between. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *title) {
  char line[512];
  FILE *f = fopen("/proc/self/maps", "r");
  printf("%s\n", title);
  while (fgets(line, sizeof line, f)) fputs(line, stdout);
  fclose(f);
}

int main(void) {
  char *many[200];
  setvbuf(stdout, malloc(1 << 16), _IOFBF, 1 << 16);
  for (int i = 0; i < 200; i++) many[i] = mmap(0, 8192 + 4096 * (i % 5), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  show("one block");
  for (int i = 0; i < 200; i += 3) munmap(many[i], 4096);
  for (int i = 1; i < 200; i += 3) mprotect(many[i], 4096, PROT_READ);
  show("holes and rights");
  for (int i = 0; i < 40; i++) mmap(0, 4096 * (1 + i % 3), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *moved = mremap(many[2], 4096, 65536, MREMAP_MAYMOVE);
  moved[40000] = 1;
  mmap((void *)0x10000000, 65536, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  show("filled again");
  fflush(stdout);
  if (fork() == 0) {
    show("child");
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  for (int i = 1; i < 200; i++) munmap(many[i], 8192 + 4096 * (i % 5));
  show("at the end");
  return 0;
}
