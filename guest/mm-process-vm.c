/* process_vm_readv and process_vm_writev: results, partial results, errors. */
#include "check.h"
#include <sys/uio.h>

static char *pages;
static struct iovec L(void *p, size_t n) { return (struct iovec){p, n}; }
static long rd(pid_t pid, struct iovec *l, int ln, struct iovec *r, int rn, unsigned long flags) {
  return process_vm_readv(pid, l, (unsigned long)ln, r, (unsigned long)rn, flags);
}
static long wr(pid_t pid, struct iovec *l, int ln, struct iovec *r, int rn, unsigned long flags) {
  return process_vm_writev(pid, l, (unsigned long)ln, r, (unsigned long)rn, flags);
}

int main(void) {
  /* Six pages: data, data, read-only, PROT_NONE, data, hole. */
  pages = reserve(8);
  MUST(mprotect(pages, 5 * PG, PROT_READ | PROT_WRITE));
  for (int i = 0; i < 5; i++) memset(pages + i * PG, 'a' + i, PG);
  MUST(mprotect(pages + 2 * PG, PG, PROT_READ));
  MUST(mprotect(pages + 3 * PG, PG, PROT_NONE));
  MUST(munmap(pages + 5 * PG, PG));
  int go[2], ready[2];
  MUST(pipe(go));
  MUST(pipe(ready));
  pid_t pid = fork();
  if (pid == 0) {
    char c = 1;
    close(go[1]);
    if (write(ready[1], &c, 1) != 1) _exit(1);
    if (read(go[0], &c, 1) < 0) _exit(2);
    say("child sees %c%c%c%c", pages[0], pages[PG], pages[PG + 1], pages[4 * PG]);
    _exit(pages[2 * PG] == 'c' ? 0 : 3);
  }
  char c;
  if (read(ready[0], &c, 1) != 1) return 1;
  static char buffer[16 * 4096];
  struct iovec l, r, two[2], three[3];

  l = L(buffer, 10); r = L(pages, 10);
  NUM("read", rd(pid, &l, 1, &r, 1, 0));
  YES("bytes", memcmp(buffer, "aaaaaaaaaa", 10) == 0);
  l = L(buffer, 5);
  NUM("local shorter", rd(pid, &l, 1, &r, 1, 0));
  l = L(buffer, 100);
  NUM("remote shorter", rd(pid, &l, 1, &r, 1, 0));
  l = L(buffer, 4 * PG); r = L(pages + PG, 4 * PG);
  NUM("up to PROT_NONE", rd(pid, &l, 1, &r, 1, 0));
  r = L(pages + 3 * PG, PG);
  ERR("PROT_NONE", rd(pid, &l, 1, &r, 1, 0));
  r = L(pages + 5 * PG, PG);
  ERR("hole", rd(pid, &l, 1, &r, 1, 0));
  two[0] = L(pages, 8); two[1] = L(pages + 5 * PG, 8);
  NUM("second vector bad", rd(pid, &l, 1, two, 2, 0));
  two[0] = L(pages + 5 * PG, 8); two[1] = L(pages, 8);
  ERR("first vector bad", rd(pid, &l, 1, two, 2, 0));
  three[0] = L(pages, 3); three[1] = L(pages + PG - 1, 2); three[2] = L(pages + 4 * PG, 4);
  memset(buffer, 0, sizeof buffer);
  NUM("gather", rd(pid, &l, 1, three, 3, 0));
  say("gathered %s", buffer);
  two[0] = L(buffer, 2); two[1] = L(buffer + 100, 7);
  NUM("scatter", rd(pid, two, 2, three, 3, 0));
  say("scattered %.2s %.7s", buffer, buffer + 100);
  /* The local side */
  l = L(pages + 3 * PG, 10); r = L(pages, 10);
  ERR("local bad", rd(pid, &l, 1, &r, 1, 0));
  two[0] = L(buffer, 4); two[1] = L(pages + 3 * PG, 4);
  NUM("local half bad", rd(pid, two, 2, &r, 1, 0));
  l = L((void *)-4096L, 10);
  ERR("local kernel", rd(pid, &l, 1, &r, 1, 0));
  l = L(buffer, 10); r = L((void *)-4096L, 10);
  ERR("remote kernel", rd(pid, &l, 1, &r, 1, 0));
  /* Counts and flags */
  r = L(pages, 10);
  ERR("flags", rd(pid, &l, 1, &r, 1, 1));
  NUM("no local", rd(pid, &l, 0, &r, 1, 0));
  NUM("no remote", rd(pid, &l, 1, &r, 0, 0));
  static struct iovec many[1025];
  for (int i = 0; i < 1025; i++) many[i] = L(pages + i, 1);
  NUM("1024 remote", rd(pid, (l = L(buffer, 2000), &l), 1, many, 1024, 0));
  ERR("1025 remote", rd(pid, &l, 1, many, 1025, 0));
  for (int i = 0; i < 1025; i++) many[i] = L(buffer + i, 1);
  ERR("1025 local", rd(pid, many, 1025, &r, 1, 0));
  ERR("vector unreadable", rd(pid, (struct iovec *)8, 1, &r, 1, 0));
  ERR("remote vector unreadable", rd(pid, &l, 1, (struct iovec *)8, 1, 0));
  l = L(buffer, (size_t)-1);
  ERR("length negative", rd(pid, &l, 1, &r, 1, 0));
  l = L(buffer, 10); r = L(pages, (size_t)-1);
  ERR("remote length negative", rd(pid, &l, 1, &r, 1, 0));
  r = L(pages, 0);
  NUM("empty remote", rd(pid, &l, 1, &r, 1, 0));
  r = L((void *)8, 0);
  NUM("empty remote nowhere", rd(pid, &l, 1, &r, 1, 0));
  r = L(pages, 10);
  ERR("no such process", rd(4194000, &l, 1, &r, 1, 0));
  ERR("pid -1", rd(-1, &l, 1, &r, 1, 0));
  ERR("pid 0", rd(0, &l, 1, &r, 1, 0));
  NUM("self", rd(getpid(), &l, 1, &r, 1, 0));
  /* Writing */
  memset(buffer, 'Z', sizeof buffer);
  l = L(buffer, 1); r = L(pages, 1);
  NUM("write", wr(pid, &l, 1, &r, 1, 0));
  l = L(buffer, PG); r = L(pages + 2 * PG, PG);
  ERR("write read-only", wr(pid, &l, 1, &r, 1, 0));
  l = L(buffer, 2 * PG); r = L(pages + PG + 1, 2 * PG);
  NUM("write up to read-only", wr(pid, &l, 1, &r, 1, 0));
  l = L(pages + 3 * PG, 8); r = L(pages, 8);
  ERR("write from nowhere", wr(pid, &l, 1, &r, 1, 0));
  say("own page untouched: %c", pages[0]);
  /* Rights */
  IN_CHILD("as another user", {
    if (setgid(1234) != 0 || setuid(1234) != 0) _exit(9);
    l = L(buffer, 8); r = L(pages, 8);
    ERR("read", rd(pid, &l, 1, &r, 1, 0));
    ERR("write", wr(pid, &l, 1, &r, 1, 0));
    ERR("nothing asked", rd(pid, &l, 1, &r, 0, 0));
  });
  close(go[0]);
  close(go[1]);
  say("child: %s", wait_text(pid));
  ERR("after its end", rd(pid, &l, 1, &r, 1, 0));
  return 0;
}
