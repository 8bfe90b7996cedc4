/* Code written into memory runs after mprotect PROT_EXEC and an instruction fence (mprotect(2)). */
#include "check.h"
#ifdef __x86_64__
static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42,%eax; ret */
#else
static const unsigned char code[] = {0x13, 0x05, 0xa0, 0x02, 0x67, 0x80, 0x00, 0x00}; /* li a0,42; ret */
#endif
int main(void) {
  char *p = map_anon(1, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  memcpy(p, code, sizeof code);
  __builtin___clear_cache(p, p + sizeof code);
  say("call before mprotect: %s", probe(p, 'x'));
  ERR("mprotect", mprotect(p, PG, PROT_READ | PROT_EXEC));
  NUM("call", ((int (*)(void))hide(p))());
  WRITES("it", p);
  MUST(mprotect(p, PG, PROT_READ | PROT_WRITE | PROT_EXEC));
  for (int i = 0; i < 3; i++) {
#ifdef __x86_64__
    p[1] = (char)(50 + i);
#else
    uint32_t li = 0x00000513u | (uint32_t)(50 + i) << 20;
    memcpy(p, &li, 4);
#endif
    __builtin___clear_cache(p, p + sizeof code);
    NUM("changed code", ((int (*)(void))hide(p))());
  }
  return 0;
}
