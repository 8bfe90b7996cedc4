/* Works with more memory than its memory cgroup may have: 768 pages, of which 256 may be resident. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP "/sys/fs/cgroup/small"
#define PAGES 768

static int put(const char *path, const char *what) {
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, what, strlen(what)) < 0) return -1;
  return close(fd);
}

int main(void) {
  if (put("/sys/fs/cgroup/cgroup.subtree_control", "+memory") != 0 || mkdir(GROUP, 0755) != 0) return 1;
  if (put(GROUP "/memory.max", "1M") != 0 || put(GROUP "/cgroup.procs", "0") != 0) return 2;
  char *memory = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < PAGES; i++) memory[i * 4096]++;
  return 0;
}
