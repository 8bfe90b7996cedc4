/* remap_file_pages where the mapping that it replaces is the last one of its file. */
#include "check.h"
#include <sys/shm.h>
#define remap(p, n, pgoff) syscall(SYS_remap_file_pages, p, (size_t)(n), 0UL, (unsigned long)(pgoff), 0UL)
int main(void) {
  int rw = PROT_READ | PROT_WRITE;
  int id = shmget(IPC_PRIVATE, 2 * PG, IPC_CREAT | 0600);
  char *p = shmat(id, NULL, 0);
  ERR("a part", remap(p, PG, 0));
  p[0] = 'a';
  p[PG] = 'b';
  ERR("the whole", remap(p, 2 * PG, 0));
  ERR("removed", shmctl(id, IPC_RMID, NULL));
  ERR("a part of what is removed", remap(p, PG, 1));
  say("%c", p[0]);
  ERR("the whole of what is removed", remap(p, 2 * PG, 0));
  READS("it", p);
  READS("its second page", p + PG);
  ERR("where nothing is left", remap(p, PG, 1));
  ERR("shmdt", shmdt(p));
  char *s = map_anon(2, rw, MAP_SHARED);
  s[PG] = 'c';
  ERR("shared anonymous", remap(s, 2 * PG, 0));
  say("%c", s[PG]);
  int fd = (int)syscall(SYS_memfd_create, "m", 0);
  MUST(ftruncate(fd, 2 * PG));
  char *m = mmap(NULL, 2 * PG, rw, MAP_SHARED, fd, 0);
  m[PG] = 'd';
  close(fd);
  ERR("a closed memfd", remap(m, 2 * PG, 0));
  say("%c", m[PG]);
  return 0;
}
