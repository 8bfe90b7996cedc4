/* Where mmap puts what it is asked for above the default window, and that the CPU and the kernel both reach it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
  static const int bits[] = {37, 46, 48, 52, 53, 55, 60};
  for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++) {
    char *hint = (char *)(1UL << bits[i]);
    char *at = mmap(hint, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int isIn = at != MAP_FAILED && (unsigned long)at < 1UL << 47;
    /* An odd address in the second page, by a store and by a system call. */
    at[4099] = 'x';
    int pipes[2];
    if (pipe(pipes) != 0 || write(pipes[1], at + 4099, 1) != 1 || read(pipes[0], at + 4101, 1) != 1) return 1;
    char *fixed = mmap(hint + 0x100000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    printf("2^%d: %s, holds %c%c, fixed: %s\n", bits[i], at == hint ? "taken" : isIn ? "below the window" : "elsewhere",
           at[4099], at[4101], fixed != MAP_FAILED ? "ok" : errno == ENOMEM ? "ENOMEM" : "another error");
  }
  FILE *f = fopen("/proc/cpuinfo", "r");
  char line[256];
  while (fgets(line, sizeof line, f))
    if (strncmp(line, "mmu", 3) == 0) fputs(line, stdout);
  return 0;
}
