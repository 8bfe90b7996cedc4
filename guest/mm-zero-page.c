/* A read fault maps the zero page; the write after it is a second fault that copies (do_anonymous_page, wp_page_copy). */
#include "check.h"
int main(void) {
  volatile char *p = map_anon(16, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  int sum = 0;
  minflt();
  long before = minflt();
  for (int i = 0; i < 16; i++) sum += p[i * PG];
  NUM("faults of reading 16 pages", minflt() - before);
  NUM("sum", sum);
  before = minflt();
  for (int i = 0; i < 16; i++) p[i * PG] = (char)i;
  NUM("faults of writing them", minflt() - before);
  for (int i = 0; i < 16; i++) sum += p[i * PG];
  NUM("sum", sum);
  return 0;
}
