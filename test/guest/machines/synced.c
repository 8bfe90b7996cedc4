/* Stores through a shared mapping, makes them safe, says so, and goes on storing for ever. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES 256

int main(void) {
  int fd = open("data", O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (ftruncate(fd, PAGES * 4096) != 0) return 1;
  volatile char *map = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  for (int i = 0; i < PAGES; i++) map[i * 4096 + 7] = (char)(i + 1);
  if (msync((void *)map, PAGES * 4096, MS_SYNC) != 0) return 1;
  if (write(1, "synced\n", 7) != 7) return 1;
  for (;;)
    for (int i = 0; i < PAGES; i++) map[i * 4096 + 8]++;
}
