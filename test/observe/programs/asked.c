/* Pages that go because the program asks for it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
  char *memory = mmap(NULL, 40 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 40; i++) memory[i * 4096] = (char)(i + 1);
  madvise(memory, 40 * 4096, 21 /* MADV_PAGEOUT */);
  /* Ten of them are wanted again. */
  for (int i = 0; i < 10; i++) memory[i * 4096]++;
  /* Of its own file what is not mapped goes. */
  int fd = open("/proc/self/exe", O_RDONLY);
  static char text[4096];
  while (read(fd, text, sizeof text) > 0)
    ;
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  lseek(fd, 0, SEEK_SET);
  while (read(fd, text, sizeof text) > 0)
    ;
  int knob = open("/proc/sys/vm/drop_caches", O_WRONLY);
  if (write(knob, "1\n", 2) != 2) return 1;
  return 0;
}
