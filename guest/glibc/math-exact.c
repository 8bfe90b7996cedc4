/* The math library: what is exact by definition bit for bit, the rest to 13 digits; rounding modes and exception flags. */
#include "../check.h"
#include <complex.h>
#include <fenv.h>
#include <math.h>
static uint64_t hash = 14695981039346656037u;
static void mix(double v) {
  uint64_t bits;
  if (isnan(v)) v = 12345.0;
  memcpy(&bits, &v, 8);
  hash = (hash ^ bits) * 1099511628211u;
}
static uint64_t state = 88172645463325252u;
static double some(int range) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return ldexp((double)(int64_t)state, (int)(state % (unsigned)(2 * range)) - range - 63);
}
#define EXACT(name, ...) do { hash = 14695981039346656037u; for (int i = 0; i < 4000; i++) { double x = some(60), y = some(60), z = some(60); \
  (void)y; (void)z; mix(__VA_ARGS__); } say("%-10s %016lx", name, (unsigned long)hash); } while (0)
static const char *flags(void) {
  static char text[80];
  snprintf(text, sizeof text, "%s%s%s%s%s", fetestexcept(FE_INEXACT) ? "inexact " : "", fetestexcept(FE_UNDERFLOW) ? "underflow " : "",
           fetestexcept(FE_OVERFLOW) ? "overflow " : "", fetestexcept(FE_DIVBYZERO) ? "divbyzero " : "", fetestexcept(FE_INVALID) ? "invalid" : "");
  return text;
}
#define FLAGS(name, expression) do { feclearexcept(FE_ALL_EXCEPT); volatile double r_ = (expression); (void)r_; say("%s: %g %s", name, isnan(r_) ? 0 : r_, flags()); } while (0)
#define NEAR(name, expression) say("%-8s %.13g", name, expression)
/* Not the inline code of x86-64, which assumes rounding to nearest. */
static double (*volatile rint_call)(double) = rint;
int main(void) {
  EXACT("sqrt", sqrt(fabs(x)));
  EXACT("fma", fma(x, y, z));
  EXACT("fmaf", (double)fmaf((float)x, (float)y, (float)z));
  EXACT("sqrtf", (double)sqrtf((float)fabs(x)));
  EXACT("fmod", fmod(x, y));
  EXACT("remainder", remainder(x, y));
  EXACT("floor", floor(x) + ceil(y) * trunc(z));
  EXACT("rint", rint(x) + nearbyint(y) - round(z));
  EXACT("lrint", (double)lrint(x) + (double)llround(ldexp(y, -10)));
  EXACT("nextafter", nextafter(x, y));
  EXACT("frexp", ({ int e; double m = frexp(x, &e); m + e; }));
  EXACT("modf", ({ double whole; double part = modf(x, &whole); part * 2 + whole; }));
  EXACT("logb", logb(x) + ilogb(y) + scalbn(z, 3));
  EXACT("minmax", fmin(x, y) + fmax(y, z) + fdim(x, z) + copysign(x, y));
  EXACT("divide", x / y + z * x - y);
  EXACT("float", (double)((float)x / (float)y));
  EXACT("int", (double)(int64_t)x + (double)(uint32_t)(int64_t)y);
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD};
  volatile double one = 1, three = 3, big = 1e308, tiny = 1e-308, half = 2.5, zero = 0;
  for (int m = 0; m < 4; m++) {
    fesetround(modes[m]);
    say("mode %d: %a %a %.0f %.0f %ld", m, one / three, -one / three, rint_call(half), rint_call(-half), lrint(1.5 * three));
    say("  %a %a %.3f", sqrt(three), big * three, 2.0005);
  }
  fesetround(FE_TONEAREST);
  FLAGS("1/3", one / three);
  FLAGS("1/0", one / zero);
  FLAGS("0/0", zero / zero);
  FLAGS("overflow", big * big);
  FLAGS("underflow", tiny * tiny);
  FLAGS("exact", three * three);
  FLAGS("sqrt(-1)", sqrt(-one));
  FLAGS("log(0)", log(zero));
  fenv_t saved;
  feholdexcept(&saved);
  feraiseexcept(FE_OVERFLOW);
  feupdateenv(&saved);
  say("updated: %s", flags());
  for (double v = 0.25; v < 40; v *= 2.5) {
    say("x = %g", v);
    NEAR("sin", sin(v)); NEAR("cos", cos(v)); NEAR("tan", tan(v)); NEAR("atan", atan(v)); NEAR("exp", exp(v)); NEAR("log", log(v));
    NEAR("pow", pow(v, 1.7)); NEAR("cbrt", cbrt(v)); NEAR("sinh", sinh(v)); NEAR("tanh", tanh(v)); NEAR("erf", erf(v)); NEAR("tgamma", tgamma(v));
    NEAR("lgamma", lgamma(v)); NEAR("hypot", hypot(v, 3)); NEAR("atan2", atan2(v, -2)); NEAR("log1p", log1p(v)); NEAR("expm1", expm1(v)); NEAR("j0", j0(v));
    say("sinf %.5g expf %.5g powf %.5g", (double)sinf((float)v), (double)expf((float)v), (double)powf((float)v, 0.3f));
  }
  double complex z = cexp(1 + 2 * I) * csqrt(-3 + 4 * I);
  say("complex %.12g %.12g", creal(z), cimag(z));
  say("reduction %.13g %.13g", sin(1e22), cos(123456789.0));
  return 0;
}
