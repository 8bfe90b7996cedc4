/* setjmp, qsort, malloc, varargs, string and number formatting of the C library. */
#include "check.h"
static jmp_buf env;
static void deep(int n);
static void (*volatile next)(int) = deep; /* through a pointer: the compiler sees no endless recursion */
static void deep(int n) {
  if (n == 0) longjmp(env, 7);
  next(n - 1);
}
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static long sum(int n, ...) {
  va_list l;
  long s = 0;
  va_start(l, n);
  for (int i = 0; i < n; i++) s += i & 1 ? (long)va_arg(l, double) : va_arg(l, long);
  va_end(l);
  return s;
}
int main(void) {
  volatile int kept = 1;
  int r = setjmp(env);
  if (r == 0) { kept = 2; deep(50); }
  say("longjmp %d, kept %d", r, kept);
  int v[1000];
  unsigned s = 1;
  for (int i = 0; i < 1000; i++) { s = s * 1103515245 + 12345; v[i] = (int)(s >> 16); }
  qsort(v, 1000, sizeof *v, compare);
  int sorted = 1;
  for (int i = 1; i < 1000; i++) sorted &= v[i - 1] <= v[i];
  say("sorted %d, %d..%d", sorted, v[0], v[999]);
  NUM("varargs", sum(12, 1L, 2.0, 3L, 4.0, 5L, 6.0, 7L, 8.0, 9L, 10.0, 11L, 12.0));
  char *blocks[500];
  unsigned bad = 0;
  for (int i = 0; i < 500; i++) { blocks[i] = malloc((size_t)(i * 37 + 1)); memset(blocks[i], i, (size_t)(i * 37 + 1)); }
  for (int i = 0; i < 500; i += 2) { blocks[i] = realloc(blocks[i], (size_t)(i * 91 + 1)); bad += (unsigned char)blocks[i][0] != (i & 255); }
  for (int i = 0; i < 500; i++) { bad += (unsigned char)blocks[i][0] != (i & 255); free(blocks[i]); }
  NUM("bad blocks", bad);
  char *big = malloc(50 << 20);
  big[49 << 20] = 1;
  free(big);
  char *zero = calloc(1000, 1000);
  int nonzero = 0;
  for (int i = 0; i < 1000000; i++) nonzero |= zero[i];
  NUM("calloc is zero", nonzero);
  char *volatile none = malloc((size_t)1 << 60);
  YES("too much is NULL", none == NULL);
  void *aligned = aligned_alloc(4096, 8192);
  YES("aligned", ((uintptr_t)aligned & 4095) == 0);
  say("%d %x %o %5d|%-5d|%05d %ld %c%% %s %.3s", -42, 255, 8, 42, 42, 42, 1L << 40, 'x', "text", "cutoff");
  say("%ld %lx %d", strtol("-0x1f", NULL, 16), strtoul("ffffffffffffffff", NULL, 16), atoi("  12abc"));
  volatile __int128 wide = (__int128)1 << 100;
  say("128 bits: %lx", (unsigned long)((wide / 12345) >> 40));
  FILE *f = tmpfile();
  fprintf(f, "%d %s\n", 17, "word");
  rewind(f);
  int n; char word[8];
  int items = fscanf(f, "%d %7s", &n, word);
  say("%d %d %s", items, n, word);
  return 0;
}
