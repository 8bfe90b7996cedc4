/* prctl(2) about an address space. The native machine may lack CONFIG_ANON_VMA_NAME: see expected/explained.txt. */
#include "conform.h"
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#define VMA_NAME(p, n, name) prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, (unsigned long)(p), (unsigned long)(n), (unsigned long)(name))
#define SEVEN(prefix, a, b, c, d) prctl(prefix, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c), (unsigned long)(d))

/* The name of the mapping at `p` in /proc/self/maps. */
static void show_name(const char *what, char *p) {
  static char text[65536];
  long n = 0, got;
  unsigned long from, to;
  int fd = open("/proc/self/maps", O_RDONLY);
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  text[n] = 0;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    if (sscanf(line, "%lx-%lx", &from, &to) != 2 || (unsigned long)p < from || (unsigned long)p >= to) continue;
    char *name = strchr(line, '[');
    say("%s: %s", what, name ? name : strchr(line, '/') ? "a file" : "no name");
  }
}

CASE("prctl", "PR_SET_VMA_ANON_NAME", "a name, another, none") {
  char *p = area(4);
  RESULT("name two pages", VMA_NAME(p + PG, 2 * PG, "one two"));
  MAPS("split", p, 4);
  show_name("named", p + PG);
  show_name("beside it", p);
  RESULT("another", VMA_NAME(p + PG, PG, "other"));
  show_name("renamed", p + PG);
  MAPS("split", p, 4);
  RESULT("the same", VMA_NAME(p + 2 * PG, PG, "other"));
  MAPS("merged", p, 4);
  RESULT("none", VMA_NAME(p, 4 * PG, NULL));
  MAPS("whole", p, 4);
}
CASE("prctl", "PR_SET_VMA_ANON_NAME", "a new mapping beside a named one") {
  char *p = hole(4);
  kmmap(p, PG, RW, ANON | MAP_FIXED, -1, 0);
  RESULT("name", VMA_NAME(p, PG, "n"));
  kmmap(p + PG, PG, RW, ANON | MAP_FIXED, -1, 0);
  MAPS("apart", p, 2);
  RESULT("name", VMA_NAME(p + PG, PG, "n"));
  MAPS("together", p, 2);
}
CASE("prctl", "PR_SET_VMA_ANON_NAME", "fork and mremap keep it") {
  char *p = area(2);
  RESULT("name", VMA_NAME(p, 2 * PG, "kept"));
  IN_CHILD("child", show_name("there", p));
  char *q = kmremap(p, 2 * PG, 4 * PG, MREMAP_MAYMOVE, NULL);
  show_name("moved", q);
}
CASE("prctl", "PR_SET_VMA_ANON_NAME", "shared memory and files") {
  char *s = kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  RESULT("shared memory", VMA_NAME(s, PG, "mine"));
  show_name("shared memory", s);
  int fd = memfd_create("m", 0);
  ftruncate(fd, PG);
  char *m = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0);
  RESULT("memfd", VMA_NAME(m, PG, "mine"));
}
CASE("prctl", "EINVAL", "characters and length of a name") {
  char *p = area(1), text[100];
  memset(text, 'n', sizeof text);
  text[79] = 0;
  RESULT("79 characters", VMA_NAME(p, PG, text));
  text[79] = 'n';
  text[80] = 0;
  RESULT("80 characters", VMA_NAME(p, PG, text));
  RESULT("empty", VMA_NAME(p, PG, ""));
  RESULT("blank and tilde", VMA_NAME(p, PG, " ~"));
  RESULT("bracket", VMA_NAME(p, PG, "a[b"));
  RESULT("closing bracket", VMA_NAME(p, PG, "a]b"));
  RESULT("backslash", VMA_NAME(p, PG, "a\\b"));
  RESULT("backquote", VMA_NAME(p, PG, "a`b"));
  RESULT("dollar", VMA_NAME(p, PG, "$"));
  RESULT("newline", VMA_NAME(p, PG, "a\n"));
  RESULT("beyond ASCII", VMA_NAME(p, PG, "\xc3\xa4"));
  RESULT("unaligned", VMA_NAME(p + 1, PG, "a"));
  RESULT("no length", VMA_NAME(p, 0, "a"));
  RESULT("wraps", VMA_NAME(p, -1, "a"));
  RESULT("another option", SEVEN(PR_SET_VMA, 1, p, PG, "a"));
}
CASE("prctl", "EFAULT", "a name that cannot be read") {
  RESULT("name", VMA_NAME(area(1), PG, 8));
}
CASE("prctl", "ENOMEM", "PR_SET_VMA_ANON_NAME over a hole") {
  char *p = area(3);
  kmunmap(p + PG, PG);
  RESULT("name", VMA_NAME(p, 3 * PG, "a"));
  show_name("behind the hole", p + 2 * PG);
}
