/* Each page at an address of its own, brought to where its life is to be told. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PG 4096L
#define HUGE (2L << 20)
#define AT(n) ((char *)(0x20000000L + (n)*0x1000000L))
#define RW (PROT_READ | PROT_WRITE)
#define MADV_GUARD_INSTALL 102
#define MADV_COLLAPSE 25

static void put(const char *file, const char *text) {
  int fd = open(file, O_WRONLY);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) printf("%s: no\n", file);
  close(fd);
}

static void nap(long ms) { nanosleep(&(struct timespec){0, ms * 1000000}, NULL); }

static char *map(int n, long bytes, int flags, int fd) { return mmap(AT(n), bytes, RW, flags | MAP_FIXED, fd, 0); }

static char *anon(int n, long bytes) { return map(n, bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1); }

static void must(int result, const char *what) {
  if (result != 0) perror(what);
}

static void low_on_the_stack(void) {
  volatile char deep[100 * PG];
  deep[0] = 1;
}

int main(void) {
  volatile char sink;
  int fd = open("/tmp/page-lives", O_RDWR | O_CREAT, 0600);
  for (int i = 0; i < 8; i++) must(pwrite(fd, "x", 1, i * PG) != 1, "pwrite");
  char *own = map(0, 8 * PG, MAP_PRIVATE, fd);
  sink = own[3 * PG];
  own[0] = 1;
  char *shared = map(1, 8 * PG, MAP_SHARED, fd);
  shared[0] = 2;

  char *swapped = anon(2, PG);
  for (int i = 0; i < PG; i += 5) swapped[i] = (char)i;
  must(madvise(swapped, PG, MADV_PAGEOUT), "MADV_PAGEOUT");
  nap(20);
  sink = swapped[0];

  char *merged = anon(3, 2 * PG);
  memset(merged, 9, 2 * PG);
  must(madvise(merged, 2 * PG, MADV_MERGEABLE), "MADV_MERGEABLE");
  put("/sys/kernel/mm/ksm/sleep_millisecs", "1");
  put("/sys/kernel/mm/ksm/run", "1");
  nap(50);
  put("/sys/kernel/mm/ksm/run", "0");
  merged[0] = 3;

  char *huge = anon(4, HUGE);
  must(madvise(huge, HUGE, MADV_HUGEPAGE), "MADV_HUGEPAGE");
  huge[5 * PG] = 1;
  must(mprotect(huge + 7 * PG, PG, PROT_READ), "mprotect");

  char *small = anon(5, HUGE);
  must(madvise(small, HUGE, MADV_NOHUGEPAGE), "MADV_NOHUGEPAGE");
  for (int i = 0; i < 512; i++) small[i * PG] = 1;
  must(madvise(small, HUGE, MADV_HUGEPAGE), "MADV_HUGEPAGE");
  must(madvise(small, HUGE, MADV_COLLAPSE), "MADV_COLLAPSE");

  char *pooled = map(6, HUGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
  pooled[3 * PG] = 1;

  char *none = anon(7, PG);
  none[0] = 1;
  must(mprotect(none, PG, PROT_NONE), "mprotect");

  char *dropped = anon(8, PG);
  dropped[0] = 1;
  must(madvise(dropped, PG, MADV_DONTNEED), "MADV_DONTNEED");
  dropped[0] = 2;
  mremap(dropped, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, AT(9));

  char *guarded = anon(10, PG);
  must(madvise(guarded, PG, MADV_GUARD_INSTALL), "MADV_GUARD_INSTALL");

  char *ours = map(11, PG, MAP_SHARED | MAP_ANONYMOUS, -1);
  char *mine = anon(12, PG);
  sink = mine[0];
  ours[0] = mine[0] = 1;
  if (fork() == 0) {
    ours[0] = mine[0] = 2;
    _exit(0);
  }
  wait(NULL);
  mine[0] = 3;

  low_on_the_stack();
  (void)sink;
  puts("done");
  return 0;
}
