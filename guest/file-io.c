/* Reading and writing: append, truncate, holes, positioned and vectored transfers, sendfile, copy_file_range. */
#include "check.h"
#include <sys/sendfile.h>
#include <sys/uio.h>
int main(void) {
  scratch();
  char buffer[64] = {0};
  int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0644);
  ERR("O_EXCL again", open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
  ERR("not there", open("g", O_RDONLY));
  ERR("O_DIRECTORY of a file", open("f", O_RDONLY | O_DIRECTORY));
  ERR("write to a directory", open(".", O_WRONLY));
  ERR("below a file", open("f/x", O_RDONLY));
  RET("write", write(fd, "hello world", 11));
  RET("pread", pread(fd, buffer, 5, 6));
  say("'%s'", buffer);
  RET("pwrite", pwrite(fd, "W", 1, 6));
  RET("offset stays", lseek(fd, 0, SEEK_CUR));
  int ap = open("f", O_WRONLY | O_APPEND);
  MUST(lseek(ap, 0, SEEK_SET));
  RET("append", write(ap, "!!", 2));
  RET("offset after append", lseek(ap, 0, SEEK_CUR));
  RET("SEEK_END", lseek(fd, -3, SEEK_END));
  RET("read", read(fd, buffer, 60));
  RET("at the end", read(fd, buffer, 60));
  ERR("seek before the start", lseek(fd, -1, SEEK_SET));
  ERR("bad whence", lseek(fd, 0, 99));
  RET("seek behind the end", lseek(fd, 5 * PG, SEEK_SET));
  RET("write there", write(fd, "end", 3));
  RET("SEEK_HOLE", lseek(fd, 0, SEEK_HOLE));
  RET("SEEK_DATA", lseek(fd, PG, SEEK_DATA));
  ERR("SEEK_DATA at the end", lseek(fd, 6 * PG, SEEK_DATA));
  RET("read in the hole", pread(fd, buffer, 2, 3 * PG));
  say("%d%d", buffer[0], buffer[1]);
  MUST(ftruncate(fd, 5));
  struct stat st;
  MUST(fstat(fd, &st));
  NUM("size", st.st_size);
  MUST(ftruncate(fd, 20));
  MUST(pread(fd, buffer, 20, 0));
  say("'%s' then %d", buffer, buffer[19]);
  ERR("negative size", ftruncate(fd, -1));
  struct iovec v[3] = {{"one", 3}, {"", 0}, {"three", 5}};
  MUST(lseek(fd, 0, SEEK_SET));
  RET("writev", writev(fd, v, 3));
  char a[4] = {0}, b[8] = {0};
  struct iovec w[2] = {{a, 3}, {b, 5}};
  RET("preadv", preadv(fd, w, 2, 0));
  say("'%s' '%s'", a, b);
  ERR("writev of -1 parts", syscall(SYS_writev, fd, v, -1L));
  int out = open("g", O_RDWR | O_CREAT | O_TRUNC, 0600);
  off_t at = 3;
  RET("sendfile", sendfile(out, fd, &at, 5));
  NUM("offset", at);
  loff_t from = 0, to = 5;
  RET("copy_file_range", copy_file_range(fd, &from, out, &to, 3, 0));
  memset(buffer, 0, sizeof buffer);
  MUST(pread(out, buffer, 20, 0));
  say("'%s'", buffer);
  int tr = open("g", O_WRONLY | O_TRUNC);
  MUST(fstat(tr, &st));
  NUM("O_TRUNC", st.st_size);
  ERR("fsync", fsync(out));
  ERR("write nothing", write(out, "", 0));
  unlink("f"); unlink("g");
  return 0;
}
