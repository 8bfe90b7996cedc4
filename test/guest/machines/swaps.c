/* Names and sizes of the swap areas, and their sum in meminfo. */
#include <stdio.h>

int main(void) {
  char line[512], path[256];
  unsigned long kib;
  FILE *f = fopen("/proc/swaps", "r");
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "%255s partition %lu", path, &kib) == 2) printf("%s %lu kB\n", path, kib);
  fclose(f);
  f = fopen("/proc/meminfo", "r");
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "SwapTotal: %lu", &kib) == 1) printf("SwapTotal %lu kB\n", kib);
  return 0;
}
