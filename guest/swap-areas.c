/* swapon and swapoff of a file: what is refused and how, what a file that is swap refuses, what /proc says (mm/swapfile.c, 6.18). */
#include "check.h"
#include <sys/swap.h>
#include <sys/sysinfo.h>

#define PAGES 256
static char page[PG];
static const char *const name = "swapfile";

static void write_header(uint32_t version, uint32_t last_page, uint32_t bad_pages, const char *magic) {
  memset(page, 0, PG);
  memcpy(page + 1024, &version, 4);
  memcpy(page + 1028, &last_page, 4);
  memcpy(page + 1032, &bad_pages, 4);
  memcpy(page + PG - 10, magic, 10);
  int fd = open(name, O_RDWR);
  MUST(fd);
  MUST(pwrite(fd, page, PG, 0));
  MUST(fsync(fd));
  close(fd);
}

/* Type, size and priority of the line of /proc/swaps that ends in our name, or that there is none. */
static void show_swaps(const char *when) {
  char line[512], path[256], type[32];
  long size, used, priority;
  FILE *f = fopen("/proc/swaps", "r");
  const char *found = "not listed";
  char text[128];
  while (fgets(line, sizeof line, f))
    if (sscanf(line, "%255s %31s %ld %ld %ld", path, type, &size, &used, &priority) == 5 &&
        strcmp(path + strlen(path) - strlen(name), name) == 0) {
      snprintf(text, sizeof text, "%s of %ld KiB, priority %s%ld", type, size, priority < 0 ? "below " : "", priority < 0 ? -1 : priority);
      found = text;
    }
  fclose(f);
  say("%s: %s", when, found);
}

static long swap_total(void) {
  struct sysinfo info;
  MUST(sysinfo(&info));
  return (long)(info.totalswap * info.mem_unit / 1024);
}

int main(void) {
  ERR("flags that there are none of", swapon("nowhere", 0x80000));
  ERR("no file", swapon("nowhere", 0));
  ERR("no name", swapon("", 0));
  ERR("a bad address", swapon((char *)8, 0));
  ERR("a folder", swapon("/tmp", 0));
  ERR("a character device", swapon("/dev/null", 0));
  ERR("swapoff of no file", swapoff("nowhere"));
  ERR("swapoff of what is no swap", swapoff("/dev/null"));
  ERR("swapoff of a bad address", swapoff((char *)8));
  int shm = open("/dev/shm/swap-areas", O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(ftruncate(shm, 64 * PG));
  ERR("a file of tmpfs", swapon("/dev/shm/swap-areas", 0));
  close(shm);
  unlink("/dev/shm/swap-areas");
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    MUST(setuid(65534));
    ERR("swapon without the right", swapon("nowhere", 0));
    ERR("bad flags without the right", swapon("nowhere", 0x80000));
    ERR("swapoff without the right", swapoff("nowhere"));
    _exit(0);
  }
  MUST(waitpid(child, NULL, 0));

  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(fd);
  for (int i = 0; i < PAGES; i++) MUST(write(fd, page, PG));
  MUST(fsync(fd));
  ERR("no signature", swapon(name, 0));
  write_header(2, PAGES - 1, 0, "SWAPSPACE2");
  ERR("version 2", swapon(name, 0));
  write_header(1, PAGES - 1, 0, "SWAP-SPACE");
  ERR("the old signature", swapon(name, 0));
  write_header(1, 0, 0, "SWAPSPACE2");
  ERR("no pages", swapon(name, 0));
  write_header(1, PAGES, 0, "SWAPSPACE2");
  ERR("shorter than it says", swapon(name, 0));
  write_header(1, PAGES - 1, 1, "SWAPSPACE2");
  ERR("bad pages in a file", swapon(name, 0));
  write_header(1, PAGES - 1, 0, "SWAPSPACE2");
  MUST(chmod(name, 0444));
  show_swaps("before");
  long before = swap_total();
  ERR("swapon", swapon(name, 0));
  show_swaps("after");
  say("swap is %ld KiB more", swap_total() - before);
  ERR("again", swapon(name, 0));
  ERR("write", write(fd, page, PG));
  ERR("write of nothing", write(fd, page, 0));
  ERR("shorter", ftruncate(fd, PG));
  ERR("truncate to the same size", truncate(name, PAGES * PG));
  ERR("fallocate", fallocate(fd, 0, 0, PG));
  ERR("open to truncate", open(name, O_RDWR | O_TRUNC));
  ERR("unlink", unlink(name));
  ERR("rename", rename(name, "other"));
  void *shared = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  say("a shared writable mapping: %s", shared == MAP_FAILED ? err_name(errno) : "done");
  void *private = mmap(NULL, PG, PROT_READ, MAP_PRIVATE, fd, 0);
  YES("a private mapping shows the header", private != MAP_FAILED && memcmp((char *)private + PG - 10, "SWAPSPACE2", 10) == 0);
  munmap(private, PG);
  YES("read shows it too", pread(fd, page, PG, 0) == PG && memcmp(page + PG - 10, "SWAPSPACE2", 10) == 0);
  ERR("swapoff", swapoff(name));
  show_swaps("gone");
  say("swap is %ld KiB more", swap_total() - before);
  ERR("swapoff again", swapoff(name));
  ERR("swapon with a priority", swapon(name, SWAP_FLAG_PREFER | 7));
  show_swaps("with a priority");
  ERR("swapoff", swapoff(name));
  write_header(1, 99, 0, "SWAPSPACE2");
  MUST(ftruncate(fd, 8L << 30));
  write_header(1, (uint32_t)((8L << 30) / PG - 1), 0, "SWAPSPACE2");
  ERR("a file of 8 GiB with holes", swapon(name, 0));
  MUST(ftruncate(fd, PAGES * PG));
  write_header(1, 99, 0, "SWAPSPACE2");
  ERR("swapon of a part of the file", swapon(name, 0));
  show_swaps("a part");
  ERR("swapoff", swapoff(name));
  ERR("write", pwrite(fd, page, PG, 0));
  ERR("unlink", unlink(name));
  close(fd);
  return 0;
}
