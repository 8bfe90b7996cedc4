/* Pipes in packet mode: O_DIRECT at a writing end keeps writes apart (pipe(2), fs/pipe.c, 6.18). */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static int p[2];

static void get(const char *what, size_t n) {
  static char buffer[16384];
  ssize_t got = read(p[0], buffer, n);
  int left = 0;
  MUST(ioctl(p[0], FIONREAD, &left));
  if (got < 0) say("%s: %s", what, err_name(errno));
  else say("%s: %ld \"%.*s\", %d left", what, (long)got, got > 8 ? 8 : (int)got, buffer, left);
}
static void put(const char *text) { MUST(write(p[1], text, strlen(text))); }

int main(void) {
  static char big[9000];
  MUST(pipe2(p, O_DIRECT | O_NONBLOCK));
  YES("flag of the writer", fcntl(p[1], F_GETFL) & O_DIRECT);
  YES("none of the reader", !(fcntl(p[0], F_GETFL) & O_DIRECT));
  put("abc"), put("de"), put("fghij");
  get("more than one holds", 100);
  get("less than one holds", 1);
  get("the third", 5);
  get("nothing", 1);
  memset(big, 'x', sizeof big);
  RET("longer than a page", write(p[1], big, sizeof big));
  get("first", sizeof big);
  get("second", 10);
  get("third", sizeof big);
  get("nothing", 1);
  RET("empty", write(p[1], "", 0));
  get("no packet", 1);
  struct iovec v[2] = {{"ab", 2}, {"cd", 2}};
  RET("two buffers, one packet", writev(p[1], v, 2));
  get("it", 10);
  put("one"), put("two");
  char a[2], b[8];
  struct iovec in[2] = {{a, 2}, {b, 8}};
  RET("into two buffers", readv(p[0], in, 2));
  get("the next", 0);
  get("the next", 10);
  put("packet");
  MUST(fcntl(p[1], F_SETFL, O_NONBLOCK));
  YES("flag gone", !(fcntl(p[1], F_GETFL) & O_DIRECT));
  put("stream"), put("ing");
  get("the packet", 100);
  get("bytes", 4);
  get("bytes", 100);
  put("bytes");
  MUST(fcntl(p[1], F_SETFL, O_NONBLOCK | O_DIRECT));
  put("packet");
  get("bytes, then a packet", 100);
  get("nothing", 1);
  put("ab"), put("cd");
  int n = 0;
  while (write(p[1], "z", 1) == 1) n++;
  NUM("packets until it is full", n);
  say("%s", err_name(errno));
  get("one", 100);
  RET("room for one", write(p[1], "y", 1));
  RET("and no more", write(p[1], "y", 1));
  close(p[1]);
  for (n = 0; read(p[0], big, 100) > 0;) n++;
  NUM("packets that were left", n);
  return 0;
}
