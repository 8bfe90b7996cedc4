/* Pages in a swap file: MADV_PAGEOUT puts them there, smaps, status and pagemap tell of it, and every operation on memory finds
   them (6.18). */
#include "smaps.h"
#include "swaparea.h"
#include <sched.h>

#define PAGES 256
static const char *const name = "swapfile2";

static void show(const char *what, void *at) {
  say("%s: Rss %ld, Swap %ld, SwapPss %ld, VmSwap %ld", what, smaps_kib(at, "Rss"), smaps_kib(at, "Swap"),
      smaps_kib(at, "SwapPss"), status_kib("VmSwap"));
}

static void fill(char *at, int pages, char first) {
  for (int i = 0; i < pages; i++) memset(at + i * PG, first + i, PG);
}

static int holds(const char *at, int pages, char first) {
  for (int i = 0; i < pages; i++)
    for (int j = 0; j < PG; j++)
      if (at[i * PG + j] != (char)(first + i)) return 0;
  return 1;
}

/* Bit 62 of each page's word in pagemap. */
static void show_pagemap(const char *what, const char *at, int pages) {
  uint64_t words[32];
  char text[33] = {0};
  int fd = open("/proc/self/pagemap", O_RDONLY);
  MUST(pread(fd, words, (size_t)pages * 8, (off_t)((uintptr_t)at / PG * 8)));
  close(fd);
  for (int i = 0; i < pages; i++) text[i] = words[i] >> 63 ? 'p' : words[i] >> 62 & 1 ? 's' : '-';
  say("%s: %s", what, text);
}

static void in_child(const char *what, char *a, int pages, char first) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    show(what, a);
    YES("the child reads what the parent wrote", holds(a, pages, first));
    show("child", a);
    fill(a, pages, 'A');
    YES("and writes its own", holds(a, pages, 'A'));
    _exit(0);
  }
  MUST(waitpid(child, NULL, 0));
}

int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  unsigned cpu = 0;
  syscall(SYS_getcpu, &cpu, NULL, NULL);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  MUST(sched_setaffinity(0, sizeof one, &one));
  swap_area(name, PAGES, 100);
  char *w = reserve(200);
  char *a = mmap(w, 16 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  fill(a, 16, 'a');
  show("filled", a);
  ERR("PAGEOUT", madvise(a, 16 * PG, MADV_PAGEOUT));
  show("out", a);
  show_pagemap("pagemap", a, 16);
  YES("page 3 is as it was", holds(a + 3 * PG, 1, 'd'));
  show("one is back", a);
  show_pagemap("pagemap", a, 16);
  a[4 * PG] = 'E';
  show("one is written", a);
  ERR("PAGEOUT again", madvise(a, 16 * PG, MADV_PAGEOUT));
  show("out", a);
  YES("the write is kept", a[4 * PG] == 'E' && a[4 * PG + 1] == 'e');
  a[4 * PG] = 'e';

  ERR("PAGEOUT", madvise(a, 16 * PG, MADV_PAGEOUT));
  in_child("fork", a, 16, 'a');
  show("parent", a);
  YES("the parent has its own", holds(a, 16, 'a'));
  show("read", a);

  ERR("PAGEOUT", madvise(a, 16 * PG, MADV_PAGEOUT));
  MUST(mprotect(a, 4 * PG, PROT_READ));
  MUST(mprotect(a, 16 * PG, rw));
  show("after mprotect there and back", a);
  char *b = mremap(a + 8 * PG, 8 * PG, 8 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, w + 40 * PG);
  YES("mremap", b == w + 40 * PG);
  show("moved", b);
  show("left", a);
  YES("moved pages are as they were", holds(b, 8, 'i'));
  ERR("DONTNEED of four", madvise(a, 4 * PG, MADV_DONTNEED));
  show("four are dropped", a);
  say("content %d %c", a[0], a[4 * PG]);
  ERR("FREE of two", madvise(a + 5 * PG, 2 * PG, MADV_FREE));
  show("two are dropped", a);
  say("content %d %d %c", a[5 * PG], a[6 * PG], a[7 * PG]);
  show("read", a);
  ERR("PAGEOUT", madvise(b, 8 * PG, MADV_PAGEOUT));
  MUST(munmap(b + 2 * PG, 3 * PG));
  show("a hole is cut", b);
  ERR("mlock", mlock(b, 2 * PG));
  show("locked", b);
  MUST(munlock(b, 2 * PG));
  ERR("WILLNEED", madvise(b + 5 * PG, 3 * PG, MADV_WILLNEED));
  show("wanted", b + 5 * PG);
  YES("and there", holds(b + 5 * PG, 3, 'n'));

  /* A private copy of a page of a file goes to swap, too; the file's page does not. */
  int file = open("swap-pages-file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (int i = 0; i < 4; i++) MUST(pwrite(file, "file", 4, i * PG));
  char *f = mmap(w + 60 * PG, 4 * PG, rw, MAP_PRIVATE | MAP_FIXED, file, 0);
  f[PG] = 'F';
  ERR("PAGEOUT of a private copy", madvise(f, 4 * PG, MADV_PAGEOUT));
  show("private copy", f);
  say("content %.4s %.4s", f, f + PG);
  MUST(ftruncate(file, 0));
  show("truncated", f);
  close(file);
  unlink("swap-pages-file");

  /* Shared memory. */
  char *s = mmap(w + 80 * PG, 8 * PG, rw, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  fill(s, 8, 's');
  ERR("PAGEOUT of shared memory", madvise(s, 8 * PG, MADV_PAGEOUT));
  show("shared", s);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    YES("the child reads it", holds(s, 8, 's'));
    s[0] = 'S';
    _exit(0);
  }
  MUST(waitpid(child, NULL, 0));
  say("the parent sees %c", s[0]);
  s[0] = 's';
  int fd = memfd_create("m", 0);
  MUST(ftruncate(fd, 4 * PG));
  char *m = mmap(w + 100 * PG, 4 * PG, rw, MAP_SHARED | MAP_FIXED, fd, 0);
  fill(m, 4, 'm');
  ERR("PAGEOUT of a memfd", madvise(m, 4 * PG, MADV_PAGEOUT));
  struct stat st;
  MUST(fstat(fd, &st));
  say("blocks %ld", (long)st.st_blocks);
  char got[3] = {0};
  MUST(pread(fd, got, 2, PG + 5));
  say("read %s", got);
  MUST(pwrite(fd, "!", 1, 2 * PG));
  say("written %c%c", m[2 * PG], m[2 * PG + 1]);
  ERR("PAGEOUT of a memfd", madvise(m, 4 * PG, MADV_PAGEOUT));
  NUM("data", lseek(fd, 0, SEEK_DATA));
  NUM("hole", lseek(fd, 0, SEEK_HOLE));
  ERR("REMOVE", madvise(m + PG, PG, MADV_REMOVE));
  NUM("hole", lseek(fd, 0, SEEK_HOLE));
  MUST(ftruncate(fd, 3 * PG + 100));
  MUST(ftruncate(fd, 4 * PG));
  say("the rest of the last page is %d, before it %c", m[3 * PG + 100], m[3 * PG + 99]);
  close(fd);

  /* swapoff brings all back. */
  ERR("PAGEOUT", madvise(s, 8 * PG, MADV_PAGEOUT));
  char *z = mmap(w + 120 * PG, 32 * PG, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  fill(z, 32, ' ');
  MUST(mprotect(z, 8 * PG, PROT_READ));
  ERR("PAGEOUT", madvise(z + 8 * PG, 24 * PG, MADV_PAGEOUT));
  show("out", z + 8 * PG);
  ERR("swapoff", swapoff(name));
  show("back", z + 8 * PG);
  YES("all is as it was", holds(z, 32, ' ') && holds(s, 8, 's') && holds(b + 5 * PG, 3, 'n'));
  z[8 * PG] = 1;
  YES("and can be written", z[8 * PG] == 1);
  ERR("unlink", unlink(name));
  return 0;
}
