// Writes floating-point test vectors to stdout: what a real implementation (qemu-riscv64, or hardware) answers.
// usage: generate SEED COUNT      Build: riscv64-linux-gnu-gcc -O1 -static generate.c -o generate
// A record is 36 bytes, little-endian: u8 operation, u8 rounding mode, u8 fflags after, u8 0, then the full 64-bit
// registers a, b, c, result. Operations are numbered in the order of OPERATIONS; vectors.ts holds the same list.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t u64;
static u64 a, b, c, r, flags;

#define RUN(text)                                                                                                     \
  __asm__ volatile("fsflags x0\n fmv.d.x ft0, %2\n fmv.d.x ft1, %3\n fmv.d.x ft2, %4\n mv t0, %2\n" text              \
                   "\n frflags %1\n mv %0, t1"                                                                        \
                   : "=&r"(r), "=&r"(flags)                                                                           \
                   : "r"(a), "r"(b), "r"(c)                                                                           \
                   : "t0", "t1", "ft0", "ft1", "ft2", "ft3")
#define TO_F(text) RUN(text "\n fmv.x.d t1, ft3")
#define F1(name) TO_F(name " ft3, ft0")
#define F2(name) TO_F(name " ft3, ft0, ft1")
#define F3(name) TO_F(name " ft3, ft0, ft1, ft2")
#define X1(name) RUN(name " t1, ft0")
#define X2(name) RUN(name " t1, ft0, ft1")
#define FROM_X(name) TO_F(name " ft3, t0")

#define ARITHMETIC(D, f)                                                                                              \
  D(F2("fadd." f)) D(F2("fsub." f)) D(F2("fmul." f)) D(F2("fdiv." f)) D(F1("fsqrt." f)) D(F3("fmadd." f))             \
  D(F3("fmsub." f)) D(F3("fnmsub." f)) D(F3("fnmadd." f)) D(F2("fsgnj." f)) D(F2("fsgnjn." f)) D(F2("fsgnjx." f))     \
  D(F2("fmin." f)) D(F2("fmax." f)) D(X2("feq." f)) D(X2("flt." f)) D(X2("fle." f)) D(X1("fclass." f))                \
  D(X1("fcvt.w." f)) D(X1("fcvt.wu." f)) D(X1("fcvt.l." f)) D(X1("fcvt.lu." f))                                       \
  D(FROM_X("fcvt." f ".w")) D(FROM_X("fcvt." f ".wu")) D(FROM_X("fcvt." f ".l")) D(FROM_X("fcvt." f ".lu"))
#define OPERATIONS(D)                                                                                                 \
  ARITHMETIC(D, "s") D(F1("fcvt.s.d")) D(X1("fmv.x.w")) D(FROM_X("fmv.w.x"))                                          \
  ARITHMETIC(D, "d") D(F1("fcvt.d.s")) D(X1("fmv.x.d")) D(FROM_X("fmv.d.x"))
enum { PER_FORMAT = 29, OPERATION_COUNT = 58 };

static void run(int operation) {
  int index = 0;
#define CASE(code)                                                                                                    \
  if (index++ == operation) code;
  OPERATIONS(CASE)
}

static u64 state;
static u64 next(void) { // xorshift64*
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1Dull;
}
static u64 below(u64 n) { return (next() >> 20) % n; }

static double as_double(u64 x) { double d; memcpy(&d, &x, 8); return d; }
static u64 double_bits(double d) { u64 x; memcpy(&x, &d, 8); return x; }
static float as_float(u64 x) { uint32_t w = (uint32_t)x; float f; memcpy(&f, &w, 4); return f; }
static u64 float_bits(float f) { uint32_t w; memcpy(&w, &f, 4); return w; }

// A significand with structure: full, few high bits, few low bits, runs of ones.
static u64 fraction(int bits) {
  u64 mask = (1ull << bits) - 1;
  switch (below(7)) {
    case 0: return 0;
    case 1: return mask;
    case 2: return (next() << below(bits)) & mask;
    case 3: return 1ull << below(bits);
    case 4: return (mask << below(bits)) & mask;
    case 5: return below(4);
    default: return next() & mask;
  }
}

static u64 number(int bits, int exponent_bits) {
  u64 top = (1ull << exponent_bits) - 1, bias = top >> 1, exponent;
  switch (below(10)) {
    case 0: exponent = 0; break;
    case 1: exponent = top; break;
    case 2: exponent = 1 + below(3); break;
    case 3: exponent = top - 1 - below(3); break;
    case 4: exponent = bias / 2 + below(4); break;
    case 5: case 6: exponent = bias - 2 + below(70); break;
    case 7: exponent = bias - 4 + below(9); break;
    default: exponent = 1 + below(top - 1); break;
  }
  return (next() >> 63) << (bits + exponent_bits) | exponent << bits | fraction(bits);
}

static u64 any_double(void) { return number(52, 11); }
static u64 any_float(void) {
  u64 x = number(23, 8);
  return below(64) == 0 ? any_double() : 0xffffffff00000000ull | x; // now and then not NaN-boxed
}
static u64 any_integer(void) {
  switch (below(4)) {
    case 0: return next() >> below(64);
    case 1: return (u64)((int64_t)next() >> below(64));
    case 2: return (1ull << below(64)) - 2 + below(4);
    default: return fraction(53) << below(12);
  }
}

static u64 nudge(u64 x) { return below(2) ? x : x + below(3) - 1; }

// Operands that land near a result worth looking at: cancellations, exact quotients, perfect squares, the underflow limit.
static void pick(int operation) {
  int is_double = operation >= PER_FORMAT, op = operation % PER_FORMAT;
  if (op >= 22 && op <= 25 || op == 28) { a = any_integer(); b = c = 0; return; }
  int source_double = op == 26 ? !is_double : is_double;
  a = source_double ? any_double() : any_float();
  b = source_double ? any_double() : any_float();
  c = source_double ? any_double() : any_float();
  if (op == 26 && !is_double && below(2)) a = nudge(double_bits(as_float(number(23, 8))) + (below(2) << 28));
  if (below(3) == 0 && (op <= 8 || op >= 12 && op <= 16)) {
    u64 box = 0xffffffff00000000ull;
    if (source_double) {
      double x = as_double(a), y = as_double(b);
      if (op == 3) a = nudge(double_bits(x * y));
      else if (op == 4) a = nudge(double_bits(x * x));
      else if (op >= 5 && op <= 8) c = nudge(double_bits(below(2) ? x * y : -x * y));
      else b = nudge(a ^ (below(2) << 63));
    } else {
      float x = as_float(a), y = as_float(b);
      if (op == 3) a = box | (uint32_t)nudge(float_bits(x * y));
      else if (op == 4) a = box | (uint32_t)nudge(float_bits(x * x));
      else if (op >= 5 && op <= 8) c = box | (uint32_t)nudge(float_bits(below(2) ? x * y : -x * y));
      else b = box | (uint32_t)nudge(a ^ (below(2) << 31));
    }
  } else if (below(4) == 0 && op >= 2 && op <= 8) { // the product or quotient falls near the smallest normal, or the largest
    int bits = source_double ? 52 : 23;
    int64_t bias = source_double ? 1023 : 127, limit = source_double ? 2046 : 254;
    int64_t ea = (a >> bits) & (source_double ? 0x7ff : 0xff);
    int64_t target = below(3) ? -(int64_t)below(4) + 2 : below(12) ? limit + 1 - (int64_t)below(4) : -(int64_t)below(60);
    int64_t eb = op == 3 ? ea - target + bias : target - ea + bias;
    if (eb > 0 && eb <= limit) {
      u64 keep = b & ((1ull << bits) - 1);
      b = source_double ? (u64)eb << bits | keep : 0xffffffff00000000ull | (u64)eb << bits | keep;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 3) { fprintf(stderr, "usage: generate SEED COUNT\n"); return 2; }
  state = strtoull(argv[1], 0, 0) * 0x9E3779B97F4A7C15ull + 1;
  long count = atol(argv[2]);
  for (long i = 0; i < count; i++) {
    int operation = i % OPERATION_COUNT;
    __asm__ volatile("fsrm x0");
    pick(operation);
    u64 rm = below(5);
    __asm__ volatile("fsrm %0" ::"r"(rm));
    run(operation);
    __asm__ volatile("fsrm x0");
    uint8_t head[4] = {operation, rm, flags, 0};
    fwrite(head, 1, 4, stdout);
    u64 words[4] = {a, b, c, r};
    fwrite(words, 8, 4, stdout);
  }
  return 0;
}
