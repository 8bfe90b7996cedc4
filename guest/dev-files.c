/* /dev/null, zero, full, random, urandom and getrandom (null(4), full(4), random(4)). */
#include "check.h"
#include <sys/random.h>
int main(void) {
  char b[64];
  int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
  int rnd = open("/dev/random", O_RDONLY), u = open("/dev/urandom", O_RDONLY);
  RET("null read", read(null, b, 10)); RET("null write", write(null, b, 10));
  memset(b, 1, sizeof b);
  RET("zero read", read(zero, b, 10)); say("%d%d%d", b[0], b[9], b[10]);
  RET("zero write", write(zero, b, 10));
  RET("full read", read(full, b, 10)); ERR("full write", write(full, b, 10));
  char x[32] = {0}, y[32] = {0};
  RET("random", read(rnd, x, 32)); RET("urandom", read(u, y, 32));
  YES("differ", memcmp(x, y, 32) != 0);
  RET("getrandom", getrandom(x, 32, 0)); ERR("bad flag", getrandom(x, 32, 64));
  char *p = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
  p[5] = 3; say("private map of /dev/zero: %d %d", p[5], p[PG]);
  ERR("map of /dev/null", mmap(NULL, PG, PROT_READ, MAP_PRIVATE, null, 0));
  return 0;
}
