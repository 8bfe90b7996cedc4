/* Files of /proc and /sys: one read whole into `text`, one written with a word. */
#ifndef TEXT_FILE_H
#define TEXT_FILE_H
#include "check.h"

static char text[1 << 18];
static inline char *slurp(const char *path) {
  long n = 0, got;
  int fd = open(path, O_RDONLY);
  while (fd >= 0 && (got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  if (fd >= 0) close(fd);
  text[n] = 0;
  return text;
}
/* 0, or -1 with errno. */
static inline int word(const char *path, const char *value) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  long n = write(fd, value, strlen(value));
  int saved = errno;
  close(fd);
  errno = saved;
  return n == (long)strlen(value) ? 0 : -1;
}
#endif
