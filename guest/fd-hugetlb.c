/* Files of 2 MiB pages: memfd_create(MFD_HUGETLB), hugetlbfs mounts, and the pool's own files. Needs root. */
#include "hugepool.h"
#include <sys/mount.h>
#include <sys/statfs.h>

#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4
#endif
#define SYS "/sys/kernel/mm/hugepages/hugepages-2048kB/"

static int make(const char *name, unsigned flags) { return (int)syscall(SYS_memfd_create, name, flags); }
static char *map(int fd, long pages, int prot, int flags, long offset) {
  return mmap(NULL, (size_t)(pages * HP), prot, flags, fd, offset);
}
static void show(const char *title, int fd) {
  struct stat st;
  MUST(fstat(fd, &st));
  say("%s: size %ld blksize %ld blocks %ld mode %o", title, (long)st.st_size, (long)st.st_blksize, (long)st.st_blocks, (unsigned)st.st_mode);
}
static long sysfs(const char *name) {
  char path[128];
  snprintf(path, sizeof path, SYS "%s", name);
  char *at = slurp(path);
  return *at ? strtol(at, NULL, 10) : -1;
}

static void memfd(void) {
  ERR("unknown size", make("x", MFD_HUGETLB | (25u << 26)));
  ERR("size without MFD_HUGETLB", make("x", 21u << 26));
  int fd = make("pages", MFD_HUGETLB | 2);
  YES("memfd", fd >= 0);
  show("empty", fd);
  ERR("truncate to a small page", ftruncate(fd, PG));
  ERR("truncate to 4", ftruncate(fd, 4 * HP));
  show("4 pages", fd);
  pool("nothing mapped");
  ERR("write", write(fd, "x", 1));
  char buffer[16] = "before";
  RET("read of a hole", pread(fd, buffer, 8, HP - 4));
  YES("zeroes", memcmp(buffer, "\0\0\0\0\0\0\0\0", 8) == 0);
  ERR("map at a small page", map(fd, 1, PROT_READ, MAP_SHARED, PG) == MAP_FAILED ? -1 : 0);
  char *p = map(fd, 4, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  YES("mapped", p != MAP_FAILED);
  show_maps("maps", p, 4 * HP / PG);
  pool("4 mapped");
  strcpy(p + HP - 3, "across");
  pool("2 touched");
  show("2 touched", fd);
  RET("pread", pread(fd, buffer, 7, HP - 3));
  say("bytes: %s", buffer);
  char *q = map(fd, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
  YES("private", q != MAP_FAILED);
  pool("and 2 private");
  NUM("reads the file", q[HP]);
  q[HP] = 'Q';
  pool("private written");
  NUM("the file's", p[HP]);
  NUM("the copy", q[HP]);
  READS("third, private", q);
  ERR("seals", fcntl(fd, 1033, 2 | 4));
  RET("seals now", fcntl(fd, 1034));
  ERR("grow sealed", ftruncate(fd, 5 * HP));
  ERR("shrink sealed", ftruncate(fd, 3 * HP));
  ERR("punch a small page", fallocate(fd, 3, HP, PG));
  NUM("zeroed", p[HP]);
  NUM("private kept", q[HP]);
  pool("before the hole");
  ERR("punch a page", fallocate(fd, 3, HP, HP));
  pool("after the hole");
  NUM("hole", p[HP]);
  NUM("private", q[HP]);
  pool("touched again");
  ERR("unmap", munmap(p, 4 * HP));
  ERR("unmap private", munmap(q, 2 * HP));
  pool("unmapped");
  close(fd);
  pool("closed");

  fd = make("second", MFD_HUGETLB);
  ERR("allocate 2", fallocate(fd, 0, 0, 2 * HP));
  show("allocated", fd);
  pool("2 allocated");
  ERR("allocate 20", fallocate(fd, 0, 0, 20 * HP));
  pool("as many as there are");
  show("allocated", fd);
  ERR("truncate to 2", ftruncate(fd, 2 * HP));
  pool("truncated");
  p = map(fd, 3, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  YES("mapping lengthens the file", p != MAP_FAILED);
  show("lengthened", fd);
  p[2 * HP] = 1;
  pool("3 there");
  ERR("truncate to 1", ftruncate(fd, HP));
  pool("1 left");
  READS("inside", p);
  READS("beyond the end", p + HP);
  WRITES("beyond the end", p + 2 * HP);
  ERR("unmap", munmap(p, 3 * HP));
  NUM("seek to the end", lseek(fd, 0, SEEK_END));
  ERR("fsync", fsync(fd));
  close(fd);
  pool("closed");
}

static void files(void) {
  struct statfs fs;
  if (mkdir("/tmp/fd-hugetlb.mnt", 0755) != 0 && errno != EEXIST) MUST(-1);
  ERR("mount with an odd size", mount("none", "/tmp/fd-hugetlb.mnt", "hugetlbfs", 0, "pagesize=3M"));
  ERR("mount with an unknown option", mount("none", "/tmp/fd-hugetlb.mnt", "hugetlbfs", 0, "colour=red"));
  ERR("mount with min_size beyond the pool", mount("none", "/tmp/fd-hugetlb.mnt", "hugetlbfs", 0, "min_size=200M"));
  MUST(mount("none", "/tmp/fd-hugetlb.mnt", "hugetlbfs", 0, "pagesize=2M,size=8M,min_size=4M,nr_inodes=3"));
  pool("mounted");
  MUST(statfs("/tmp/fd-hugetlb.mnt", &fs));
  say("statfs: type %lx bsize %ld blocks %ld free %ld files %ld", (unsigned long)fs.f_type, (long)fs.f_bsize, (long)fs.f_blocks,
      (long)fs.f_bfree, (long)fs.f_files);
  int fd = open("/tmp/fd-hugetlb.mnt/a", O_RDWR | O_CREAT | O_EXCL, 0640);
  YES("create", fd >= 0);
  show("file", fd);
  char *p = map(fd, 1, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  YES("map 1", p != MAP_FAILED);
  pool("1 of the 2 sure ones");
  p[3] = 'x';
  pool("touched");
  MUST(statfs("/tmp/fd-hugetlb.mnt", &fs));
  NUM("free blocks", fs.f_bfree);
  ERR("map 5 of 4", map(fd, 5, PROT_READ | PROT_WRITE, MAP_SHARED, 0) == MAP_FAILED ? -1 : 0);
  char *q = map(fd, 4, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
  YES("map 4", q != MAP_FAILED);
  pool("4 mapped");
  NUM("same page", q[3]);
  munmap(q, 4 * HP);
  munmap(p, HP);
  close(fd);
  pool("closed, still there");
  fd = open("/tmp/fd-hugetlb.mnt/b", O_RDWR | O_CREAT, 0600);
  YES("second file", fd >= 0);
  ERR("third file", open("/tmp/fd-hugetlb.mnt/c", O_RDWR | O_CREAT, 0600));
  ERR("umount while open", umount("/tmp/fd-hugetlb.mnt"));
  close(fd);
  fd = open("/tmp/fd-hugetlb.mnt/a", O_RDONLY);
  char c = 0;
  RET("read", pread(fd, &c, 1, 3));
  NUM("kept", c);
  close(fd);
  ERR("unlink a", unlink("/tmp/fd-hugetlb.mnt/a"));
  pool("unlinked");
  ERR("umount", umount("/tmp/fd-hugetlb.mnt"));
  pool("unmounted");
  ERR("rmdir", rmdir("/tmp/fd-hugetlb.mnt"));
}

static void numbers(void) {
  NUM("nr_hugepages", sysfs("nr_hugepages"));
  NUM("free_hugepages", sysfs("free_hugepages"));
  NUM("resv_hugepages", sysfs("resv_hugepages"));
  NUM("surplus_hugepages", sysfs("surplus_hugepages"));
  NUM("nr_overcommit_hugepages", sysfs("nr_overcommit_hugepages"));
  ERR("write of free_hugepages", open(SYS "free_hugepages", O_WRONLY));
  YES("write nr_hugepages", put(SYS "nr_hugepages", 2) == 0);
  pool("2 pages");
  YES("not a number", put(SYS "nr_hugepages", -1) != 0);
  char *p = mmap(NULL, 2 * HP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  p[0] = 1;
  YES("write 0 while in use", put(SYS "nr_hugepages", 0) == 0);
  pool("in use");
  munmap(p, 2 * HP);
  pool("let go");
  YES("overcommit 3", put(SYS "nr_overcommit_hugepages", 3) == 0);
  NUM("sysctl", strtol(slurp("/proc/sys/vm/nr_overcommit_hugepages"), NULL, 10));
  p = mmap(NULL, 3 * HP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  YES("from the machine's memory", p != MAP_FAILED);
  pool("surplus");
  ERR("4 of 3", mmap(NULL, HP, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) == MAP_FAILED ? -1 : 0);
  p[HP] = 1;
  pool("touched");
  munmap(p, HP);
  pool("one less");
  YES("2 of the pool's own", put(SYS "nr_hugepages", 2) == 0);
  pool("adopted");
  munmap(p + HP, 2 * HP);
  pool("let go");
  YES("overcommit 0", put(SYS "nr_overcommit_hugepages", 0) == 0);
  YES("pool 0", put(SYS "nr_hugepages", 0) == 0);
  pool("end");
}

int main(void) {
  long before = field("/proc/meminfo", "HugePages_Total");
  MUST(put("/proc/sys/vm/nr_hugepages", 8));
  memfd();
  files();
  numbers();
  put("/proc/sys/vm/nr_hugepages", before);
  return 0;
}
