/* Files through the page cache: in the current folder, which is one of the host. An operation is a page, or a MiB. */
#include "bench.h"
#include <fcntl.h>
#include <sys/mman.h>

#define MIB (1L << 20)
#define CHUNK (64L << 10)

static char path[] = "bench-file.tmp";
/* At the start of a page: where a linker puts an array differs, and what the host's copies take with it. */
static char chunk[CHUNK] __attribute__((aligned(PAGE)));

static int make_file(long bytes) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) fail("open");
  memset(chunk, 7, sizeof chunk);
  for (long at = 0; at < bytes; at += CHUNK)
    if (write(fd, chunk, CHUNK) != CHUNK) fail("write");
  return fd;
}

static void remove_file(int fd) {
  close(fd);
  unlink(path);
}

/* Each page of a mapped file that the page cache has. */
static void file_map_read(long n) {
  const long pages = 4096;
  int fd = make_file(pages * PAGE);
  int sum = 0;
  for (long left = n; left > 0; left -= pages) {
    volatile char *at = mmap(NULL, (size_t)(pages * PAGE), PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) fail("mmap");
    long end = left < pages ? left : pages;
    measure_begin();
    for (long i = 0; i < end; i++) sum += at[i * PAGE];
    measure_end();
    munmap((void *)at, (size_t)(pages * PAGE));
  }
  if (sum == 1) puts("");
  remove_file(fd);
}

/* A store to each page of a mapped file of 4 MiB, then msync: the bytes are on the disk. */
static void file_map_write_msync(long n) {
  const long pages = 1024;
  int fd = make_file(pages * PAGE);
  fsync(fd);
  char *at = mmap(NULL, (size_t)(pages * PAGE), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) fail("mmap");
  measure_begin();
  for (long left = n; left > 0; left -= pages) {
    long end = left < pages ? left : pages;
    for (long i = 0; i < end; i++) at[i * PAGE] = (char)left;
    if (msync(at, (size_t)(pages * PAGE), MS_SYNC) != 0) fail("msync");
  }
  measure_end();
  munmap(at, (size_t)(pages * PAGE));
  remove_file(fd);
}

/* read of 64 KiB each through a file of 64 MiB that the page cache has. */
static void read_64m(long n) {
  int fd = make_file(64 * MIB);
  measure_begin();
  for (long left = n; left > 0; left -= 64) {
    long end = left < 64 ? left : 64;
    for (long at = 0; at < end * MIB; at += CHUNK)
      if (pread(fd, chunk, CHUNK, at) != CHUNK) fail("pread");
  }
  measure_end();
  remove_file(fd);
}

/* write of 64 KiB each over a file of 64 MiB that the page cache has; nobody waits for the disk. */
static void write_64m(long n) {
  int fd = make_file(64 * MIB);
  measure_begin();
  for (long left = n; left > 0; left -= 64) {
    long end = left < 64 ? left : 64;
    for (long at = 0; at < end * MIB; at += CHUNK)
      if (pwrite(fd, chunk, CHUNK, at) != CHUNK) fail("pwrite");
  }
  measure_end();
  remove_file(fd);
}

static const struct benchmark all[] = {
    {"file_map_read", file_map_read},
    {"file_map_write_msync", file_map_write_msync},
    {"read_64m", read_64m},
    {"write_64m", write_64m},
};
BENCH_MAIN(all)
