/* A hot set of anonymous memory, used again and again, beside a file that is read from end to end several times. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#define PG 4096

int main(int argc, char **argv) {
  int hot_pages = argc > 1 ? atoi(argv[1]) : 600, file_pages = argc > 2 ? atoi(argv[2]) : 2500, rounds = 4;
  char *hot = mmap(NULL, (size_t)hot_pages * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static char block[16 * PG];
  int fd = open(argv[3], O_RDONLY);
  if (fd < 0 || hot == MAP_FAILED) return 1;
  unsigned long sum = 0, seed = 1;
  for (int round = 0; round < rounds; round++) {
    lseek(fd, 0, SEEK_SET);
    for (int page = 0; page < file_pages; page += 16) {
      if (read(fd, block, sizeof block) <= 0) break;
      for (size_t i = 0; i < sizeof block; i += 256) sum += (unsigned char)block[i];
      /* Some 30 pages of the hot set between two blocks: all of it while an eighth of the file goes by. */
      for (int i = 0; i < 30; i++) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        hot[(seed >> 33) % hot_pages * PG]++;
      }
    }
  }
  printf("%lu\n", sum);
  return 0;
}
