/* What test/events/events.test.ts counts: fork, swap, files, huge pages, merging, locks and advice, with too little memory for all
 * of it. Prints what it finds, so that a wrong page shows. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MB (1 << 20)
#define PAGE 4096
#define MADV_COLD_ 20
#define MADV_PAGEOUT_ 21

static void put(const char *file, const char *text) {
  int fd = open(file, O_WRONLY);
  if (fd >= 0) {
    if (write(fd, text, strlen(text)) < 0) perror(file);
    close(fd);
  }
}

static char *map(size_t bytes, int flags, int fd) {
  char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (at == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  return at;
}

static void fill(char *at, size_t bytes, int seed) {
  for (size_t i = 0; i < bytes; i += PAGE) memset(at + i, (int)(seed + i / PAGE) | 1, 64);
}

static long wrong(const char *at, size_t bytes, int seed) {
  long bad = 0;
  for (size_t i = 0; i < bytes; i += PAGE) bad += at[i] != (char)((int)(seed + i / PAGE) | 1);
  return bad;
}

int main(void) {
  put("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
  /* Huge pages: one is split by munmap of a part, one goes to swap, one is merged of small ones. */
  char *huge = map(6 * MB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  char *aligned = (char *)(((unsigned long)huge + 2 * MB - 1) & ~(2ul * MB - 1));
  madvise(aligned, 4 * MB, MADV_HUGEPAGE);
  fill(aligned, 4 * MB, 3);
  madvise(aligned + 64 * PAGE, 8 * PAGE, MADV_DONTNEED);
  /* Two stretches of the same words, which ksmd merges, and one of zeroes. */
  char *same = map(64 * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  for (int i = 0; i < 48; i++) memset(same + i * PAGE, 'a' + i % 4, PAGE);
  memset(same + 48 * PAGE, 0, 8 * PAGE);
  madvise(same, 64 * PAGE, MADV_MERGEABLE);
  put("/sys/kernel/mm/ksm/use_zero_pages", "1");
  put("/sys/kernel/mm/ksm/pages_to_scan", "1000");
  put("/sys/kernel/mm/ksm/advisor_mode", "scan-time");
  put("/sys/kernel/mm/ksm/run", "1");
  put("/proc/self/oom_score_adj", "10");
  for (int i = 0; i < 5; i++) usleep(30000);
  same[0] = 'x';
  madvise(same + 8 * PAGE, 8 * PAGE, MADV_UNMERGEABLE);
  /* A file, stored to through a mapping and through write. */
  int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || ftruncate(fd, 2 * MB) != 0) return 1;
  char *file = map(2 * MB, MAP_SHARED, fd);
  fill(file, 2 * MB, 9);
  msync(file, MB, MS_SYNC);
  char *shared = map(MB, MAP_SHARED | MAP_ANONYMOUS, -1);
  fill(shared, MB, 5);
  /* Memory that a child shares, and copies in part. */
  char *own = map(6 * MB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  fill(own, 6 * MB, 1);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    fill(own, MB, 77);
    fill(shared, MB / 4, 6);
    long bad = wrong(own, MB, 77) + wrong(own + MB, 5 * MB, 1 + MB / PAGE);
    _exit(bad != 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  printf("child %d\n", status);
  fill(own, MB / 2, 1);
  /* Locks, advice, moves. */
  mlock(own, 16 * PAGE);
  madvise(own + MB, MB, MADV_COLD_);
  madvise(own + 2 * MB, MB, MADV_PAGEOUT_);
  char *lazy = map(MB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  fill(lazy, MB, 2);
  madvise(lazy, MB, MADV_FREE);
  char *more = map(8 * MB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  fill(more, 8 * MB, 4);
  munlock(own, 16 * PAGE);
  own = mremap(own, 6 * MB, 7 * MB, MREMAP_MAYMOVE);
  long bad = wrong(own, 6 * MB, 1) + wrong(more, 8 * MB, 4) + wrong(file, 2 * MB, 9);
  bad += wrong(aligned, 64 * PAGE, 3) + wrong(aligned + 72 * PAGE, 4 * MB - 72 * PAGE, 3 + 72);
  for (int i = 1; i < 48; i++) bad += same[i * PAGE] != 'a' + i % 4;
  printf("wrong %ld\n", bad);
  put("/sys/kernel/mm/ksm/run", "2");
  put("/proc/sys/vm/drop_caches", "3");
  return 0;
}
