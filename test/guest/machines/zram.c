/* Swap that is compressed in the machine's own memory: what /proc and /sys say of it while pages go out and come back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>
#define PG 4096
#define EACH 40

static const char *slurp(const char *path) {
  static char text[65536];
  int fd = open(path, O_RDONLY);
  ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  text[got > 0 ? got : 0] = 0;
  close(fd);
  return text;
}

struct stat_of { long long orig, compr, used, limit, max, same, compacted, huge, since; };

static struct stat_of mm_stat(void) {
  struct stat_of s;
  int got = sscanf(slurp("/sys/block/zram0/mm_stat"), "%lld %lld %lld %lld %lld %lld %lld %lld %lld", &s.orig, &s.compr,
                   &s.used, &s.limit, &s.max, &s.same, &s.compacted, &s.huge, &s.since);
  if (got != 9) exit(9);
  return s;
}

static long vmstat(const char *name) {
  const char *at = strstr(slurp("/proc/vmstat"), name);
  return at ? atol(at + strlen(name)) : -1;
}

static void fill(unsigned char *page, int which) {
  static unsigned random = 1;
  for (int i = 0; i < PG; i++) {
    random = random * 1664525 + 1013904223;
    page[i] = which % 3 == 0 ? 'a' + i % 8 : which % 3 == 1 ? "a line of a text, "[i % 18] : random >> 24;
  }
  if (which % 3 == 1) memcpy(page + 100, &which, sizeof which);
}

static int put(const char *name, const char *text) {
  int fd = open(name, O_WRONLY);
  if (fd < 0) return errno;
  int result = write(fd, text, strlen(text)) < 0 ? errno : 0;
  close(fd);
  return result;
}

int main(void) {
  static unsigned char copy[3 * EACH * PG];
  printf("%s", slurp("/proc/swaps"));
  printf("disksize %s", slurp("/sys/block/zram0/disksize"));
  printf("comp_algorithm %s", slurp("/sys/block/zram0/comp_algorithm"));
  printf("set up already: %d %d\n", put("/sys/block/zram0/disksize", "1M") == EBUSY, put("/sys/block/zram0/comp_algorithm", "lz4") == EBUSY);
  printf("no such algorithm, no size, read only: %d %d %d\n", put("/sys/block/zram0/comp_algorithm", "lz5") == EINVAL,
         put("/sys/block/zram0/disksize", "0") == EINVAL, access("/sys/block/zram0/mm_stat", R_OK));
  struct stat st;
  printf("a block device: %d\n", stat("/dev/zram0", &st) == 0 && S_ISBLK(st.st_mode));
  struct stat_of boot = mm_stat();
  printf("at boot, the header: %lld\n", boot.orig);
  printf("line of %zu\n", strlen(slurp("/sys/block/zram0/mm_stat")));

  unsigned char *own = mmap(NULL, sizeof copy, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 3 * EACH; i++) fill(own + i * PG, i);
  memcpy(copy, own, sizeof copy);
  long frames = vmstat("nr_zspages ");
  if (madvise(own, sizeof copy, MADV_PAGEOUT)) return 9;
  struct stat_of s = mm_stat();
  printf("stored: %lld, same: %lld, huge: %lld, since: %lld\n", (s.orig - boot.orig) / PG, s.same, s.huge, s.since);
  printf("compressed to less than a half: %d\n", s.compr < s.orig / 2 && s.compr > s.huge * PG);
  printf("frames for those alone: %d\n", s.used >= s.compr && s.used < s.compr + 8 * PG && s.max == s.used);
  printf("nr_zspages: %d\n", vmstat("nr_zspages ") * PG == s.used && frames * PG == boot.used);
  printf("all as before: %d\n", memcmp(own, copy, sizeof copy) == 0);
  s = mm_stat();
  printf("back again: %lld, huge: %lld, since: %lld\n", (s.orig - boot.orig) / PG, s.huge, s.since);
  if (madvise(own, sizeof copy, MADV_PAGEOUT)) return 9;
  printf("swapoff: %d\n", swapoff("/dev/zram0"));
  s = mm_stat();
  printf("nothing is left but the header: %d %d\n", s.orig == boot.orig, s.used == boot.used);
  printf("all as before: %d\n", memcmp(own, copy, sizeof copy) == 0);
  printf("swapon: %d\n", swapon("/dev/zram0", 0));
  printf("%s", strstr(slurp("/proc/swaps"), "/dev"));
  return 0;
}
