/* What /proc/self/smaps and /proc/self/status say, as text without addresses. */
#ifndef SMAPS_H
#define SMAPS_H
#include "check.h"

static char smaps_buffer[262144];
static inline void slurp_into(const char *path, char *buffer, size_t size) {
  size_t n = 0;
  long got;
  int fd = open(path, O_RDONLY);
  while ((got = read(fd, buffer + n, size - 1 - n)) > 0) n += (size_t)got;
  close(fd);
  buffer[n] = 0;
}

/* The record of the VMA that holds `at`, as it is now, or NULL; the first of its lines, which end in '\n'. */
static inline char *smaps_record(void *at) {
  slurp_into("/proc/self/smaps", smaps_buffer, sizeof smaps_buffer);
  unsigned long where = (unsigned long)at, from, to;
  for (char *line = smaps_buffer; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
    if (*line >= 'A' && *line <= 'Z') continue;
    if (sscanf(line, "%lx-%lx ", &from, &to) == 2 && from <= where && where < to) return line;
  }
  return NULL;
}
/* A field of it in KiB; -1 where there is none. */
static inline long smaps_kib(void *at, const char *field) {
  char *record = smaps_record(at), name[40];
  if (!record) return -1;
  snprintf(name, sizeof name, "\n%s:", field);
  char *found = strstr(record, name);
  return found ? strtol(found + strlen(name), NULL, 10) : -1;
}
/* Its VmFlags, without a blank at the end. */
static inline const char *vm_flags(void *at) {
  static char text[128];
  char *record = smaps_record(at), *found = record ? strstr(record, "\nVmFlags: ") : NULL;
  if (!found) return "(none)";
  snprintf(text, sizeof text, "%.*s", (int)strcspn(found + 10, "\n"), found + 10);
  for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--) text[n - 1] = 0;
  return text;
}
/* Its name as maps shows it, or "". */
static inline const char *vma_name(void *at) {
  static char text[256];
  char *record = smaps_record(at);
  *text = 0;
  if (record) {
    int skip = 0;
    if (sscanf(record, "%*x-%*x %*s %*x %*s %*d %n", &skip) == 0 && skip > 0 && record[skip - 1] == ' ')
      snprintf(text, sizeof text, "%.*s", (int)strcspn(record + skip, "\n"), record + skip);
  }
  return text;
}
/* A line of /proc/self/status in KiB. */
static inline long status_kib(const char *field) {
  static char text[8192];
  char name[40];
  slurp_into("/proc/self/status", text, sizeof text);
  snprintf(name, sizeof name, "\n%s:", field);
  char *found = strstr(text, name);
  return found ? strtol(found + strlen(name), NULL, 10) : -1;
}
#endif
