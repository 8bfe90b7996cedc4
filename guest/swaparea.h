/* A swap area in a file of the current folder, for the guest programs. Needs root, and a file system that can swap. */
#ifndef SWAPAREA_H
#define SWAPAREA_H
#include "check.h"
#include <sys/swap.h>

/* Writes mkswap's header for so many pages into a new file, and puts it to use. */
static inline void swap_area(const char *name, int pages, int priority) {
  static char page[PG];
  uint32_t version = 1, last_page = (uint32_t)pages - 1;
  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(fd);
  for (int i = 0; i < pages; i++) MUST(write(fd, page, PG));
  memcpy(page + 1024, &version, 4);
  memcpy(page + 1028, &last_page, 4);
  memcpy(page + PG - 10, "SWAPSPACE2", 10);
  MUST(pwrite(fd, page, PG, 0));
  MUST(fsync(fd));
  close(fd);
  MUST(swapon(name, SWAP_FLAG_PREFER | priority));
}
#endif
