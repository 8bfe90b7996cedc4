/* A process that shares all of its memory with its parent takes more than there is: the one that is killed is not reaped at once. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void) {
  if (vfork() == 0) {
    for (;;) {
      char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (at == MAP_FAILED) _exit(1);
      memset(at, 1, 1 << 20);
    }
  }
  return 0;
}
