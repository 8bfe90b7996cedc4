/* A handler that uses all registers leaves the interrupted code's integer and FP registers as they were. */
#include "check.h"
#include <math.h>
#include <sys/time.h>
static volatile int ticks;
static volatile double sink;
static void on_tick(int sig) {
  (void)sig;
  ticks++;
  double x = ticks;
  for (int i = 1; i < 40; i++) x = x * 1.0001 + sqrt(x + i) - i / (x + 3);
  sink = x;
}
int main(void) {
  signal(SIGALRM, on_tick);
  struct itimerval it = {{0, 1000}, {0, 1000}};
  setitimer(ITIMER_REAL, &it, NULL);
  int rounds = 0, bad = 0;
  double first = 0;
  unsigned long first_hash = 0;
  while (ticks < 25) {
    double a = 1, b = 2, c = 3, d = 4, e = 5;
    unsigned long h = 88172645463325252UL;
    for (int i = 0; i < 20000; i++) {
      a = a * 0.999 + b * 0.001; b = b * 0.998 + c * 0.002; c = c + d * 1e-6; d = d - e * 1e-7; e = sqrt(e * e + a * 1e-9);
      h ^= h << 13; h ^= h >> 7; h ^= h << 17;
    }
    double sum = a + b + c + d + e;
    if (rounds++ == 0) { first = sum; first_hash = h; }
    bad += sum != first || h != first_hash;
  }
  YES("many rounds", rounds > 1);
  NUM("rounds that differ", bad);
  say("hash %lx", first_hash);
  say("sum %.6f", first);
  return 0;
}
