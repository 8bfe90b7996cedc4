/* O_DIRECT beside the page cache (6.18, fs/iomap/direct-io.c, mm/filemap.c): both see the same bytes; what must be aligned. And
   sync_file_range. */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>

static char *buffer;

/* The byte at a place, read past the cache. */
static long direct_byte(int fd, off_t at) {
  memset(buffer, 0, 4096);
  if (pread(fd, buffer, 4096, at) < 0) return -errno;
  return (unsigned char)buffer[0];
}

int main(void) {
  buffer = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int plain = open("disk-direct.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(plain);
  int direct = open("disk-direct.tmp", O_RDWR | O_DIRECT);
  MUST(direct);
  YES("the flag is kept", (fcntl(direct, F_GETFL) & O_DIRECT) != 0);

  /* What waits in the cache to be written is written first. */
  memset(buffer, 'a', 3 * 4096);
  RET("write", pwrite(plain, buffer, 3 * 4096, 0));
  NUM("direct reads it", direct_byte(direct, 4096));

  /* What is written past the cache is what the cache shows afterwards, to read and to mappings. */
  char *map = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, plain, 0);
  NUM("mapped", map[4096]);
  memset(buffer, 'b', 4096);
  RET("direct write", pwrite(direct, buffer, 4096, 4096));
  NUM("mapped now", map[4096]);
  char one;
  RET("read", pread(plain, &one, 1, 4096 + 5));
  NUM("read now", one);
  NUM("before it", map[4095]);
  NUM("behind it", map[2 * 4096]);

  /* A store through the mapping, unsynced. */
  map[2 * 4096] = 'c';
  NUM("direct reads the store", direct_byte(direct, 2 * 4096));
  map[2 * 4096] = 'd';
  NUM("and the next", direct_byte(direct, 2 * 4096));

  /* Growing, the end of the file, beyond it. */
  memset(buffer, 'e', 4096);
  RET("grows", pwrite(direct, buffer, 4096, 3 * 4096));
  NUM("size", lseek(plain, 0, SEEK_END));
  MUST(ftruncate(plain, 3 * 4096 + 100));
  RET("short at the end", pread(direct, buffer, 4096, 3 * 4096));
  RET("behind the end", pread(direct, buffer, 4096, 16 * 4096));
  RET("nothing", pread(direct, buffer, 0, 4096));

  /* Sectors of 512 bytes. */
  RET("a sector", pread(direct, buffer, 512, 512));
  NUM("its byte", buffer[0]);
  memset(buffer, 'f', 512);
  RET("writes a sector", pwrite(direct, buffer, 512, 1024));
  NUM("before", map[1023]);
  NUM("in it", map[1024]);
  NUM("behind", map[1536]);
  ERR("position", pread(direct, buffer, 512, 100));
  ERR("length", pread(direct, buffer, 100, 0));
  ERR("position of a write", pwrite(direct, buffer, 512, 100));
  ERR("length of a write", pwrite(direct, buffer, 100, 0));
  struct iovec two[2] = {{buffer, 512}, {buffer + 4096, 1024}};
  RET("two stretches", preadv(direct, two, 2, 0));
  two[0].iov_len = 500;
  ERR("one of them crooked", preadv(direct, two, 2, 0));

  /* The flag comes and goes. */
  MUST(fcntl(direct, F_SETFL, 0));
  RET("without it", pread(direct, buffer, 100, 7));
  MUST(fcntl(direct, F_SETFL, O_DIRECT));
  ERR("with it", pread(direct, buffer, 100, 7));

  map[0] = 'g';
  ERR("sync_file_range", sync_file_range(plain, 0, 4096, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
  ERR("to the end", sync_file_range(plain, 4096, 0, SYNC_FILE_RANGE_WRITE));
  ERR("nothing to do", sync_file_range(plain, 0, 0, 0));
  ERR("flags", sync_file_range(plain, 0, 0, 8));
  ERR("offset", sync_file_range(plain, -1, 1, 0));
  ERR("bytes", sync_file_range(plain, 0, -1, 0));
  ERR("no file", sync_file_range(-1, -1, 0, 8));
  int ends[2];
  MUST(pipe(ends));
  ERR("a pipe", sync_file_range(ends[0], 0, 0, 0));
  ERR("fdatasync", fdatasync(plain));
  ERR("fdatasync of a pipe", fdatasync(ends[0]));
  MUST(unlink("disk-direct.tmp"));
  return 0;
}
