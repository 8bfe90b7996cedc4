/* CPU kernels without a C library: `cpu-kernels K N` semantics are fixed at compile time by -DKERNEL and -DROUNDS. */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

static void finish(u64 value) {
  register u64 a0 __asm__("a0") = value & 0x7f;
  register u64 a7 __asm__("a7") = 93;
  __asm__ volatile("ecall" : : "r"(a0), "r"(a7));
  __builtin_unreachable();
}

static u32 rng = 12345;
static u32 next(void) {
  rng ^= rng << 13;
  rng ^= rng >> 17;
  rng ^= rng << 5;
  return rng;
}

#if KERNEL == 0 /* sha256-like mixing */
#define ROR(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
static u64 kernel(void) {
  u32 w[64], a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
  for (int i = 0; i < 16; i++) w[i] = next();
  for (int i = 16; i < 64; i++) {
    u32 s0 = ROR(w[i - 15], 7) ^ ROR(w[i - 15], 18) ^ (w[i - 15] >> 3);
    u32 s1 = ROR(w[i - 2], 17) ^ ROR(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  for (int i = 0; i < 64; i++) {
    u32 t1 = h + (ROR(e, 6) ^ ROR(e, 11) ^ ROR(e, 25)) + ((e & f) ^ (~e & g)) + w[i];
    u32 t2 = (ROR(a, 2) ^ ROR(a, 13) ^ ROR(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  return a ^ h;
}
#elif KERNEL == 1 /* quicksort */
static int data[4096];
static void sort(int *v, int low, int high) {
  while (low < high) {
    int i = low, j = high, pivot = v[(low + high) / 2];
    while (i <= j) {
      while (v[i] < pivot) i++;
      while (v[j] > pivot) j--;
      if (i <= j) {
        int t = v[i];
        v[i++] = v[j];
        v[j--] = t;
      }
    }
    if (j - low < high - i) {
      sort(v, low, j);
      low = i;
    } else {
      sort(v, i, high);
      high = j;
    }
  }
}
static u64 kernel(void) {
  for (int i = 0; i < 4096; i++) data[i] = (int)next();
  sort(data, 0, 4095);
  return (u64)data[100];
}
#elif KERNEL == 2 /* calls */
static __attribute__((noinline)) u64 fib(u64 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
/* Volatile: clang would call fib once for all rounds. */
static volatile u64 depth = 20;
static u64 kernel(void) { return fib(depth); }
#elif KERNEL == 3 /* a bytecode interpreter */
static const u8 program[] = {0, 1, 2, 3, 1, 1, 4, 2, 0, 3, 5, 2, 4, 1, 6};
static u64 kernel(void) {
  u64 acc = 1, x = 3, turns = 0;
  for (u32 pc = 0; turns < 2000;) {
    switch (program[pc++]) {
      case 0: acc += x; break;
      case 1: x ^= acc; break;
      case 2: acc = acc * 3 + 1; break;
      case 3: x = (x >> 3) + turns; break;
      case 4: acc -= x; break;
      case 5: x |= 7; break;
      default: pc = 0; turns++; break;
    }
  }
  return acc ^ x;
}
#elif KERNEL == 4 /* memory copy of 64 KiB, and a walk over 8 MiB that misses the TLB's first ways */
static u64 a[8192], b[8192], big[1 << 20];
static u64 kernel(void) {
  for (int i = 0; i < 8192; i++) b[i] = a[i] + 1;
  u64 sum = 0;
  for (int i = 0; i < 2048; i++) sum += big[(u64)(i * 2654435761u) & 0xfffff]++;
  return sum + b[77];
}
#elif KERNEL == 5 /* double and single precision */
static double m[32][32], n[32][32], r[32][32];
static u64 kernel(void) {
  float scale = 1.0f;
  for (int i = 0; i < 32; i++)
    for (int j = 0; j < 32; j++) m[i][j] = i * 0.5 + j, n[i][j] = j * 0.25 - i;
  for (int i = 0; i < 32; i++)
    for (int j = 0; j < 32; j++) {
      double s = 0;
      for (int k = 0; k < 32; k++) s += m[i][k] * n[k][j];
      r[i][j] = s;
      scale = scale * 0.999f + 0.001f;
    }
  return (u64)(long)(r[3][4] * scale);
}
#endif

#ifdef HOSTED /* with the C library around it, which starts at main */
int main(void) {
#else
void _start(void) {
#endif
  u64 sum = 0;
  for (u64 i = 0; i < ROUNDS; i++) sum += kernel();
  finish(sum);
}
