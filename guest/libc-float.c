/* Floating point as printed: doubles, rounding, special values, functions, long double of exact values. */
#include "check.h"
#include <fenv.h>
#include <float.h>
#include <math.h>
int main(void) {
  volatile double z = 0, one = 1, three = 3, big = 1e308;
  say("%.17g %g %e %a", one / three, 1e100, 123456.789, 0.5);
  say("%f %.0f %.0f %.0f %5.1f|%-8.2f|%+08.3f", 3.14159, 0.5, 1.5, 2.5, 9.96, 1.5, 2.25);
  say("%g %g %g %d %d", big * 10, -big * 10, 0.0 * -one, isnan(z / z) != 0, signbit(-z) != 0);
  say("%.12g %.12g %.12g %.12g", sin(1), cos(1), tan(1), atan2(1, 2));
  say("%.12g %.12g %.12g %.12g", exp(1), log(10), pow(2, 0.5), cbrt(27));
  say("%.17g %.17g", sqrt(2), fma(1e16, 1 + 1e-16, -1e16));
  say("%.17g %.17g %.17g %.17g", floor(-2.5), ceil(-2.5), trunc(-2.5), round(-2.5));
  say("%ld %ld %ld", lrint(2.5), lrint(3.5), lround(2.5));
  say("%.17g %.17g", 4.9e-324, DBL_MIN / 2);
  say("%.9g %.9g", (double)(float)0.1, (double)((float)one / (float)three));
  volatile long double q = 1.5L;
  say("%Lf %.3Lf", q * 3, q / 4);
  say("%d %ld %u", (int)(-1.9 * one), (long)(1e15 * one), (unsigned)(4e9 * one));
  feclearexcept(FE_ALL_EXCEPT);
  volatile double r = one / z;
  say("divide by zero %d %g", fetestexcept(FE_DIVBYZERO) != 0, r);
  r = one / three;
  say("inexact %d", fetestexcept(FE_INEXACT) != 0);
  // Printed in the usual mode: C libraries differ in whether printf follows the mode.
  fesetround(FE_UPWARD); r = one / three; fesetround(FE_TONEAREST); say("up %.17g", r);
  fesetround(FE_DOWNWARD); r = one / three; fesetround(FE_TONEAREST); say("down %.17g", r);
  say("%.17g %.17g", strtod("0.1", NULL), strtod("1e-310", NULL));
  return 0;
}
