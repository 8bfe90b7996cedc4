/* Neighbouring maps of equal kind are one line in maps; files merge where the offsets meet (vma_merge). */
#include "check.h"
int main(void) {
  scratch();
  int fd = letters("f", 8);
  int an = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, rw = PROT_READ | PROT_WRITE;
  char *r = reserve(24);
  mmap(r, 2 * PG, rw, an, -1, 0);
  mmap(r + 4 * PG, 2 * PG, rw, an, -1, 0);
  show_maps("two", r, 8);
  mmap(r + 2 * PG, 2 * PG, rw, an, -1, 0);
  show_maps("gap filled", r, 8);
  mmap(r + 8 * PG, 2 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
  mmap(r + 10 * PG, 2 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 2 * PG);
  mmap(r + 12 * PG, 2 * PG, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 6 * PG);
  mmap(r + 14 * PG, PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 8 * PG);
  show_maps("file", r + 8 * PG, 8);
  mmap(r + 16 * PG, 2 * PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap(r + 18 * PG, 2 * PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  int count = 0;
  while (fgets(line, sizeof line, maps)) {
    unsigned long a = strtoul(line, NULL, 16);
    count += a >= (unsigned long)(r + 16 * PG) && a < (unsigned long)(r + 20 * PG);
  }
  NUM("lines of two shared anonymous maps", count);
  unlink("f");
  return 0;
}
