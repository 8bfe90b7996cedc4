/* splice, tee, vmsplice, sendfile and copy_file_range. */
#include "check.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

int main(void) {
  scratch();
  int p[2], q[2];
  char text[32] = {0};
  MUST(pipe(p));
  MUST(pipe(q));
  int file = letters("a", 3);
  loff_t at = PG - 2;
  RET("splice from a file", splice(file, &at, p[1], NULL, 5, 0));
  NUM("offset moved", at - PG);
  RET("read", read(p[0], text, sizeof text));
  say("got %.5s", text);
  RET("splice at the file's own position", splice(file, NULL, p[1], NULL, 4, 0));
  NUM("position at the end stays", lseek(file, 0, SEEK_CUR) - 3 * PG);
  lseek(file, 0, SEEK_SET);
  RET("splice", splice(file, NULL, p[1], NULL, 4, 0));
  NUM("position", lseek(file, 0, SEEK_CUR));
  RET("tee", tee(p[0], q[1], 100, 0));
  RET("read the copy", read(q[0], text, sizeof text));
  RET("read the first", read(p[0], text, sizeof text));
  write(p[1], "into the file", 13);
  at = 10;
  RET("splice to a file", splice(p[0], NULL, file, &at, 100, 0));
  RET("pread", pread(file, text, 16, 8));
  say("got %.16s", text);
  write(p[1], "moved", 5);
  RET("splice pipe to pipe", splice(p[0], NULL, q[1], NULL, 3, 0));
  RET("read", read(q[0], text, sizeof text));
  RET("rest", read(p[0], text, sizeof text));
  RET("splice of an empty pipe, not waiting", splice(p[0], NULL, q[1], NULL, 3, SPLICE_F_NONBLOCK));
  RET("tee of an empty pipe, not waiting", tee(p[0], q[1], 3, SPLICE_F_NONBLOCK));
  ERR("two files", splice(file, NULL, file, NULL, 3, 0));
  ERR("offset of a pipe", splice(p[0], &at, file, NULL, 3, 0));
  ERR("same pipe", splice(p[0], NULL, p[1], NULL, 3, 0));
  ERR("tee of a file", tee(file, p[1], 3, 0));
  ERR("tee to itself", tee(p[0], p[1], 3, 0));
  ERR("bad flag", splice(p[0], NULL, file, NULL, 3, 64));
  ERR("bad descriptor", splice(999, NULL, file, NULL, 3, 0));
  RET("of nothing", splice(p[0], NULL, file, NULL, 0, 0));
  int append = open("a", O_WRONLY | O_APPEND);
  write(p[1], "x", 1);
  ERR("to an appending file", splice(p[0], NULL, append, NULL, 3, 0));
  read(p[0], text, 1);

  struct iovec iov[2] = {{"gift ", 5}, {"wrapped", 7}};
  RET("vmsplice", vmsplice(p[1], iov, 2, 0));
  RET("read", read(p[0], text, sizeof text));
  say("got %.12s", text);
  write(p[1], "back", 4);
  struct iovec into = {text, 32};
  RET("vmsplice from a pipe", vmsplice(p[0], &into, 1, 0));
  say("got %.4s", text);
  ERR("vmsplice of a file", vmsplice(file, iov, 1, 0));

  off_t from = 2 * PG;
  RET("sendfile to a pipe", sendfile(p[1], file, &from, 6));
  NUM("offset moved", from - 2 * PG);
  RET("read", read(p[0], text, sizeof text));
  say("got %.6s", text);
  int copy = open("b", O_RDWR | O_CREAT, 0644);
  lseek(file, 0, SEEK_SET);
  RET("sendfile to a file", sendfile(copy, file, NULL, 100000));
  NUM("size", lseek(copy, 0, SEEK_END) / PG);
  RET("sendfile at the end", sendfile(copy, file, NULL, 100000));
  ERR("sendfile from a pipe", sendfile(copy, p[0], NULL, 10));
  ERR("sendfile to a read-only file", sendfile(open("a", O_RDONLY), file, NULL, 10));
  ERR("sendfile negative offset", (from = -1, sendfile(copy, file, &from, 10)));

  loff_t in = PG, out = 0;
  RET("copy_file_range", copy_file_range(file, &in, copy, &out, PG, 0));
  say("offsets %ld %ld", (long)in / PG, (long)out / PG);
  pread(copy, text, 2, 0);
  say("got %.2s", text);
  in = 0, out = 2 * PG + 5;
  RET("copy_file_range inside one file", copy_file_range(file, &in, file, &out, 10, 0));
  in = 0, out = 5;
  ERR("overlapping", copy_file_range(file, &in, file, &out, 10, 0));
  in = 100 * PG, out = 0;
  RET("beyond the end", copy_file_range(file, &in, copy, &out, 10, 0));
  ERR("flags", copy_file_range(file, &in, copy, &out, 10, 1));
  ERR("a pipe", copy_file_range(p[0], NULL, copy, NULL, 10, 0));
  ERR("a folder", copy_file_range(open(".", O_RDONLY), NULL, copy, NULL, 10, 0));
  unlink("a");
  unlink("b");
  return 0;
}
