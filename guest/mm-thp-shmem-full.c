/* A mount in RAM that is full of huge pages of which files use little: what lies past their ends makes room. Needs root. */
#include "thp-shmem.h"
#include <sys/statfs.h>

#define DIR "/tmp/mm-thp-shmem-full.d"

static long free_pages(void) {
  struct statfs fs;
  MUST(statfs(DIR, &fs));
  return (long)fs.f_bfree;
}
static int file(const char *name) {
  char path[64];
  snprintf(path, sizeof path, DIR "/%s", name);
  int fd = open(path, O_RDWR | O_CREAT, 0600);
  MUST(fd);
  return fd;
}

int main(void) {
  umount2(DIR, MNT_DETACH);
  mkdir(DIR, 0700);
  MUST(mount("none", DIR, "tmpfs", 0, "huge=always,size=4m"));
  NUM("free", free_pages());
  int a = file("a"), b = file("b"), c = file("c");
  RET("a", pwrite(a, "x", 1, 0));
  RET("b", pwrite(b, "x", 1, 5 * PG));
  NUM("free", free_pages());
  RET("c", pwrite(c, "x", 1, 0));
  NUM("pages of a", blocks(a));
  NUM("pages of b", blocks(b));
  NUM("pages of c", blocks(c));
  NUM("free", free_pages());
  RET("a further", pwrite(a, "x", 1, HP));
  NUM("pages of a", blocks(a));
  NUM("free", free_pages());
  char byte = 0;
  RET("read", pread(b, &byte, 1, 5 * PG));
  NUM("kept", byte == 'x');
  close(a);
  close(b);
  close(c);
  MUST(umount(DIR));

  MUST(mount("none", DIR, "tmpfs", 0, "huge=always,size=8m"));
  a = file("a");
  RET("a", pwrite(a, "x", 1, 0));
  ERR("allocated past its end", fallocate(a, FALLOC_FL_KEEP_SIZE, 0, 6 * PG));
  NUM("pages of a", blocks(a));
  ERR("a hole", fallocate(a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PG, PG));
  NUM("pages of a", blocks(a));
  ERR("cut off", ftruncate(a, 1));
  NUM("pages of a", blocks(a));
  b = file("b");
  ERR("allocated past its end", fallocate(b, FALLOC_FL_KEEP_SIZE, HP - 3 * PG, PG));
  NUM("pages of b", blocks(b));
  ERR("a hole", fallocate(b, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PG));
  NUM("pages of b", blocks(b));
  close(a);
  close(b);
  MUST(umount(DIR));
  MUST(rmdir(DIR));
  return 0;
}
