/* System calls given bad pointers return EFAULT, or the part that was good; no signal is raised (read(2), write(2)). */
#include "check.h"
#include <sys/uio.h>
int main(void) {
  int p[2];
  char *r = reserve(4), buffer[16];
  MUST(mprotect(r, PG, PROT_READ | PROT_WRITE));
  MUST(pipe(p));
  RET("write from NULL", write(p[1], hide(NULL), 4));
  RET("write from PROT_NONE", write(p[1], r + PG, 4));
  MUST(write(p[1], "abcd", 4));
  RET("read to read-only text", read(p[0], (char *)main, 4));
  RET("read all the same", read(p[0], buffer, 4));
  MUST(mprotect(r + PG, PG, PROT_READ));
  RET("getcwd to read-only", syscall(SYS_getcwd, r + PG, 100));
  RET("path in PROT_NONE", open(r + 2 * PG, O_RDONLY));
  struct iovec v[2] = {{buffer, 2}, {r + 2 * PG, 2}};
  RET("writev with a bad second part", writev(p[1], v, 2));
  RET("pipe to NULL", pipe(hide(NULL)));
  RET("kernel writes into an untouched page", write(p[1], "xy", 2) == 2 ? read(p[0], r + 100, 2) : -1);
  say("content %c%c", r[100], r[101]);
  return 0;
}
