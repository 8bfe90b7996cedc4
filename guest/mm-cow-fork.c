/* Private pages after fork: each side sees only its own writes; the last owner reuses the page (fork(2), do_wp_page). */
#include "check.h"
int main(void) {
  char *p = map_anon(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  int go[2], done[2];
  char c = 0;
  MUST(pipe(go)); MUST(pipe(done));
  for (int i = 0; i < 8; i++) p[i * PG] = 'p';
  pid_t pid = fork();
  if (pid == 0) {
    p[0] = 'c';
    if (write(done[1], "x", 1) != 1 || read(go[0], &c, 1) != 1) _exit(9);
    say("child sees %c%c%c", p[0], p[PG], p[2 * PG]);
    minflt();
    long before = minflt();
    for (int i = 3; i < 8; i++) p[i * PG] = 'c';
    NUM("child faults of writing 5 shared pages", minflt() - before);
    _exit(0);
  }
  MUST(read(done[0], &c, 1));
  p[PG] = 'P';
  say("parent sees %c%c%c", p[0], p[PG], p[2 * PG]);
  MUST(write(go[1], "x", 1));
  say("child: %s", wait_text(pid));
  minflt();
  long before = minflt();
  for (int i = 2; i < 8; i++) p[i * PG] = 'r';
  NUM("parent faults of reusing 6 pages", minflt() - before);
  before = minflt();
  for (int i = 2; i < 8; i++) p[i * PG] = 's';
  NUM("parent faults after that", minflt() - before);
  return 0;
}
