/* One page cache behind read, write and maps; a shared map between processes; private isolation (mmap(2)). */
#include "check.h"
int main(void) {
  scratch();
  int fd = letters("f", 4);
  char *s = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *p = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, PG);
  close(fd);
  say("map %c%c%c%c, at offset 1 page %c", s[0], s[PG], s[2 * PG], s[3 * PG], p[0]);
  IN_CHILD("child", s[0] = 'C'; p[0] = 'D'; say("child sees %c%c", s[0], p[0]));
  say("parent sees %c%c", s[0], p[0]);
  fd = open("f", O_RDWR);
  char buffer[3] = {0};
  MUST(pread(fd, buffer, 1, 0));
  say("read sees %s", buffer);
  unlink("f");
  s[2 * PG] = 'U';
  MUST(pread(fd, buffer, 1, 2 * PG));
  say("after unlink %s", buffer);
  show_maps("shape", s, 4);
  YES("name ends in (deleted)", ({ FILE *f = fopen("/proc/self/maps", "r"); char line[512]; int found = 0;
    while (fgets(line, sizeof line, f)) found |= strstr(line, "/f (deleted)") != NULL; fclose(f); found; }));
  minflt();
  long before = minflt();
  volatile char *again = mmap(NULL, 4 * PG, PROT_READ, MAP_SHARED, fd, 0);
  int sum = again[0] + again[PG] + again[2 * PG] + again[3 * PG];
  NUM("faults of reading 4 cached pages (fault-around)", minflt() - before);
  NUM("sum", sum);
  before = minflt();
  for (int i = 0; i < 4; i++) p[i * PG < 3 * PG ? i * PG : 0] = 'w';
  YES("each private write faults once", minflt() - before == 3);
  return 0;
}
