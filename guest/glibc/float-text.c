/* printf and scanf of floating point, long double too, in places that are the same for 80-bit and 128-bit long double. */
#include "../check.h"
#include <float.h>
#include <math.h>
#include <wchar.h>
static const double values[] = {0.0, -0.0, 1.0, 0.1, -2.5, 1e100, 1e-100, 123456789.125, DBL_MAX, DBL_MIN, 4.9e-324, 1.0 / 3,
                                3.141592653589793, 6.02214076e23, 1e15, 1e16, 1e17, 0.5, 1.5, 2.5, 999999.5, 9.5, INFINITY, -INFINITY};
int main(void) {
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    double v = values[i];
    say("%g %e %f %.0f %.17g %a", v, v, fabs(v) < 1e30 ? v : 0, fabs(v) < 1e30 ? v : 0, v, v);
    say("%+12.3g|%-12.3e|%012.4f|% .2f|%#.0f|%'.1f|%G", v, v, fabs(v) < 1e9 ? v : 1, fabs(v) < 1e9 ? v : 1, fabs(v) < 1e9 ? v : 1, fabs(v) < 1e9 ? v : 1, v);
    char text[64];
    double back;
    snprintf(text, sizeof text, "%.17g", v);
    if (sscanf(text, "%lf", &back) != 1 || memcmp(&back, &v, sizeof v) != 0) say("%s does not come back", text);
    snprintf(text, sizeof text, "%a", v);
    if (strtod(text, NULL) != v) say("%s does not come back", text);
    float f = (float)v;
    say("%.9g %a", (double)f, (double)f);
  }
  say("nan %g %F", NAN, NAN);
  for (int i = -20; i <= 20; i += 4) say("%.15Lg %.10Le %.6Lf", powl(7.0L, i), powl(3.0L, i) / 7, (long double)i / 8);
  say("%Lg %.18Lg %.18Lg", 1e4000L, 1.0L / 3, 0.1L + 0.2L);
  long double x;
  int n, n2;
  sscanf("  3.25e-2000rest", "%Lf%n", &x, &n);
  say("%.10Lg after %d", x, n);
  sscanf("0x1.8p+3", "%Lf", &x);
  say("%.10Lg", x);
  say("%.15Lg %.15Lg", strtold("12345678901234.5678", NULL), strtold("-inf", NULL));
  say("%.12Lg %.12Lg %.12Lg %.12Lg", sqrtl(2), sinl(1), expl(1), logl(10));
  say("%Lg %Lg %Lg", floorl(-2.5L), fmodl(10.25L, 3), ldexpl(0.75L, 100));
  say("int %lld, uint %llu", (long long)9007199254740993.0L, (unsigned long long)18446744073709551615.0L);
  double a, b;
  float c;
  say("%d", sscanf("1.5,-2e3;inf 0x.8p1", "%lf,%lf;%f", &a, &b, &c));
  say("%g %g %g", a, b, (double)c);
  say("%d", sscanf("abc", "%lf", &a));
  char *end;
  errno = 0;
  a = strtod("1e999x", &end);
  say("%g %s", a, err_name(errno));
  say("%s", end);
  errno = 0;
  a = strtod("1e-400", &end);
  say("%g %s", a, err_name(errno));
  say("%.17g %.17g", strtod("2.2250738585072011e-308", NULL), strtod("179769313486231580793728971405301e276", NULL));
  say("%.60f", 0.1);
  say("%.30g", 1e23);
  wchar_t wide[40];
  swprintf(wide, 40, L"%.3f %ls", 2.0 / 3, L"wide");
  say("%ls", wide);
  char text[40];
  say("%s %s", gcvt(1e21 / 7, 12, text), fcvt(2.345, 1, &n, &n2));
  strfromd(text, sizeof text, "%.5e", 1234.5678);
  say("%s", text);
  return 0;
}
