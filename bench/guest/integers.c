/* Integer kernels. An operation is one call of the kernel, some 10 to 100 microseconds natively. */
#include "bench.h"
#include <stdint.h>

static void repeat(long n, uint64_t (*kernel)(void)) {
  uint64_t sum = 0;
  bench_seed = 2463534242u;
  measure_begin();
  for (long i = 0; i < n; i++) sum = sum * 31 + kernel();
  measure_end();
  check(sum);
}

/* Quicksort of 4,096 numbers: branches that nobody can predict. */
static int numbers[4096];
static void quicksort(int *v, int low, int high) {
  while (low < high) {
    int i = low, j = high, pivot = v[(low + high) / 2];
    while (i <= j) {
      while (v[i] < pivot) i++;
      while (v[j] > pivot) j--;
      if (i <= j) {
        int held = v[i];
        v[i++] = v[j];
        v[j--] = held;
      }
    }
    if (j - low < high - i) {
      quicksort(v, low, j);
      low = i;
    } else {
      quicksort(v, i, high);
      high = j;
    }
  }
}
static uint64_t sort_once(void) {
  for (int i = 0; i < 4096; i++) numbers[i] = (int)next_random();
  quicksort(numbers, 0, 4095);
  return (uint64_t)(unsigned)numbers[1000];
}

/* SHA-256 of 16 KiB (FIPS 180-4; the round constants are computed, from the cube roots of primes, at the first call). */
static uint32_t sha_k[64];
static void sha_constants(void) {
  for (int count = 0, candidate = 2; count < 64; candidate++) {
    int is_prime = 1;
    for (int d = 2; d * d <= candidate; d++) is_prime &= candidate % d != 0;
    if (!is_prime) continue;
    /* floor(2^32 * cbrt(p)): the largest r with r^3 <= p * 2^96. */
    unsigned __int128 low = 0;
    uint64_t root = 0;
    for (int bit = 35; bit >= 0; bit--) {
      uint64_t trial = root | (uint64_t)1 << bit;
      low = (unsigned __int128)trial * trial;
      /* trial^3 <= p << 96, without overflow: low is below 2^72 */
      unsigned __int128 high_part = (low >> 32) * trial + ((((low & 0xffffffffu) * trial)) >> 32);
      if (high_part < ((unsigned __int128)candidate << 64)) root = trial;
    }
    sha_k[count++] = (uint32_t)root;
  }
}
#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))
static void sha_block(uint32_t *state, const unsigned char *block) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++) {
    const unsigned char *b = block + 4 * i;
    w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
  }
  for (int i = 16; i < 64; i++) {
    uint32_t a = w[i - 15], b = w[i - 2];
    w[i] = w[i - 16] + (ROTATE(a, 7) ^ ROTATE(a, 18) ^ a >> 3) + w[i - 7] + (ROTATE(b, 17) ^ ROTATE(b, 19) ^ b >> 10);
  }
  memcpy(s, state, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t one = s[7] + (ROTATE(s[4], 6) ^ ROTATE(s[4], 11) ^ ROTATE(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_k[i] + w[i];
    uint32_t two = (ROTATE(s[0], 2) ^ ROTATE(s[0], 13) ^ ROTATE(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + one, s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = one + two;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}
static unsigned char message[16384];
static uint64_t sha256_once(void) {
  if (sha_k[0] == 0) {
    sha_constants();
    if (sha_k[0] != 0x428a2f98u || sha_k[63] != 0xc67178f2u) exit(6);
    for (size_t i = 0; i < sizeof message; i++) message[i] = (unsigned char)next_random();
  }
  static uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  for (size_t at = 0; at < sizeof message; at += 64) sha_block(state, message + at);
  return state[0];
}

/* A parser of arithmetic by recursive descent, over a text of 4 KiB. */
static char text[4200];
static const char *cursor;
static uint64_t parse_sum(void);
static uint64_t parse_atom(void) {
  while (*cursor == ' ') cursor++;
  if (*cursor == '(') {
    cursor++;
    uint64_t value = parse_sum();
    cursor++;
    return value;
  }
  if (*cursor == '-') {
    cursor++;
    return -parse_atom();
  }
  uint64_t value = 0;
  if (*cursor >= 'a' && *cursor <= 'z') {
    while (*cursor >= 'a' && *cursor <= 'z') value = value * 26 + (uint64_t)(*cursor++ - 'a');
    return value;
  }
  while (*cursor >= '0' && *cursor <= '9') value = value * 10 + (uint64_t)(*cursor++ - '0');
  return value;
}
static uint64_t parse_product(void) {
  uint64_t value = parse_atom();
  for (;;) {
    while (*cursor == ' ') cursor++;
    if (*cursor == '*') cursor++, value *= parse_atom();
    else if (*cursor == '/') {
      cursor++;
      uint64_t by = parse_atom();
      value = by == 0 ? value : value / by;
    } else return value;
  }
}
static uint64_t parse_sum(void) {
  uint64_t value = parse_product();
  for (;;) {
    while (*cursor == ' ') cursor++;
    if (*cursor == '+') cursor++, value += parse_product();
    else if (*cursor == '-') cursor++, value -= parse_product();
    else return value;
  }
}
static void make_text(void) {
  size_t at = 0;
  int depth = 0;
  while (at < 4096) {
    unsigned r = next_random();
    if (r % 7 == 0 && depth < 20) text[at++] = '(', depth++;
    for (unsigned i = 0; i <= r / 8 % 4; i++) text[at++] = (char)(r % 3 == 0 ? 'a' + (r >> (5 + i)) % 26 : '0' + (r >> (5 + i)) % 10);
    if (r % 5 == 0 && depth > 0) text[at++] = ')', depth--;
    if (r % 2 == 0) text[at++] = ' ';
    text[at++] = "+-*/"[r / 64 % 4];
  }
  text[at++] = '1';
  while (depth-- > 0) text[at++] = ')';
  text[at] = 0;
}
static uint64_t parser_once(void) {
  if (text[0] == 0) make_text();
  cursor = text;
  return parse_sum();
}

/* Calls: Ackermann's and Fibonacci's functions. */
static __attribute__((noinline)) uint64_t fibonacci(uint64_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}
static volatile uint64_t depth_wanted = 16;
static uint64_t recursion_once(void) { return fibonacci(depth_wanted) + ackermann(2, depth_wanted); }

/* An interpreter of bytecode with a stack: the sum of n % d for n and d below 40. */
enum { PUSH, LOAD, STORE, ADD, MOD, LESS, JUMP_IF_ZERO, JUMP, HALT };
static const int bytecode[] = {
    PUSH, 1, STORE, 0,                                    /*  0: n = 1 */
    LOAD, 0, PUSH, 40, LESS, JUMP_IF_ZERO, 50,            /*  4: while (n < 40) { */
    PUSH, 1, STORE, 1,                                    /* 11:   d = 1 */
    LOAD, 1, PUSH, 40, LESS, JUMP_IF_ZERO, 41,            /* 15:   while (d < 40) { */
    LOAD, 2, LOAD, 0, LOAD, 1, MOD, ADD, STORE, 2,        /* 22:     sum += n % d */
    LOAD, 1, PUSH, 1, ADD, STORE, 1,                      /* 32:     d++ */
    JUMP, 15,                                             /* 39:   } */
    LOAD, 0, PUSH, 1, ADD, STORE, 0,                      /* 41:   n++ */
    JUMP, 4,                                              /* 48: } */
    HALT,                                                 /* 50: the sum is in variable 2 */
};
static uint64_t bytecode_once(void) {
  uint64_t stack[8], *top = stack, variables[3] = {0};
  for (const int *at = bytecode;;) {
    switch (*at++) {
      case PUSH: *top++ = (uint64_t)*at++; break;
      case LOAD: *top++ = variables[*at++]; break;
      case STORE: variables[*at++] = *--top; break;
      case ADD: top--, top[-1] += top[0]; break;
      case MOD: top--, top[-1] %= top[0]; break;
      case LESS: top--, top[-1] = top[-1] < top[0]; break;
      case JUMP_IF_ZERO: at = *--top == 0 ? bytecode + *at : at + 1; break;
      case JUMP: at = bytecode + *at; break;
      default: return variables[2];
    }
  }
}

/* CoreMark-like: a list that is searched and reversed, small integer matrices, a state machine over text, and a CRC of all. */
struct item {
  struct item *next;
  int16_t key, value;
};
static struct item items[256];
static uint16_t crc16(uint16_t crc, uint16_t value) {
  for (int i = 0; i < 16; i++, value >>= 1) crc = (uint16_t)((crc ^ value) & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
  return crc;
}
static uint16_t list_work(uint16_t crc) {
  struct item *head = NULL;
  for (int i = 0; i < 256; i++) items[i] = (struct item){head, (int16_t)(i * 37 % 256), (int16_t)(crc + i)}, head = &items[i];
  for (int round = 0; round < 8; round++) {
    struct item *at = head;
    while (at != NULL && at->key != round * 29 % 256) at = at->next;
    crc = crc16(crc, at == NULL ? 0 : (uint16_t)at->value);
    struct item *reversed = NULL;
    while (head != NULL) {
      struct item *next = head->next;
      head->next = reversed;
      reversed = head;
      head = next;
    }
    head = reversed;
  }
  return crc;
}
static int16_t left_matrix[16][16], right_matrix[16][16];
static uint16_t matrix_work(uint16_t crc) {
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) left_matrix[i][j] = (int16_t)(crc + i * j), right_matrix[i][j] = (int16_t)(i - j);
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) {
      int32_t sum = 0;
      for (int k = 0; k < 16; k++) sum += left_matrix[i][k] * right_matrix[k][j];
      crc = crc16(crc, (uint16_t)(sum >> 3));
    }
  return crc;
}
static uint16_t state_work(uint16_t crc) {
  static const char input[] = "5012,-874,+0.5e3,x17,12e,3.14159,.5,-,0x1f,1e-9,+77,9.,hello,42";
  unsigned counts[5] = {0};
  int state = 0;
  for (const char *at = input; *at != 0; at++) {
    if (*at == ',') counts[state]++, state = 0;
    else switch (state) {
        case 0: state = *at == '+' || *at == '-' || (*at >= '0' && *at <= '9') ? 1 : *at == '.' ? 2 : 4; break;
        case 1: state = *at >= '0' && *at <= '9' ? 1 : *at == '.' ? 2 : *at == 'e' ? 3 : 4; break;
        case 2: state = *at >= '0' && *at <= '9' ? 2 : *at == 'e' ? 3 : 4; break;
        case 3: state = *at == '-' || *at == '+' || (*at >= '0' && *at <= '9') ? 3 : 4; break;
        default: break;
      }
  }
  for (int i = 0; i < 5; i++) crc = crc16(crc, (uint16_t)counts[i]);
  return crc;
}
static uint64_t coremark_once(void) {
  static uint16_t crc = 1;
  crc = list_work(crc);
  crc = matrix_work(crc);
  return crc = state_work(crc);
}

/* Dhrystone-like: records through pointers, strings, small procedures. */
struct record {
  struct record *link;
  int kind, number;
  char name[32];
};
static struct record one_record, other_record;
static char one_name[32] = "A PROGRAM OF RECORDS, ONE PLACE", other_name[32];
static __attribute__((noinline)) int choose(int a, char b) { return a == 2 ? b == 'R' ? 3 : 1 : a + (b & 1); }
static __attribute__((noinline)) void copy_record(struct record *from, struct record *into) {
  *into = *from;
  into->number += choose(from->kind, from->name[2]);
  into->link = from;
}
static uint64_t dhrystone_once(void) {
  uint64_t sum = 0;
  for (int i = 0; i < 200; i++) {
    one_record.kind = i % 3;
    one_record.number = i;
    strcpy(one_record.name, one_name);
    copy_record(&one_record, &other_record);
    strcpy(other_name, other_record.name);
    other_name[i % 30] = (char)('A' + i % 26);
    if (strcmp(one_name, other_name) > 0) sum += (uint64_t)other_record.number;
    else sum += (uint64_t)other_record.link->number * 3;
    sum = sum * 7 / 3;
  }
  return sum;
}

static void sort_run(long n) { repeat(n, sort_once); }
static void sha256_run(long n) { repeat(n, sha256_once); }
static void parser_run(long n) { repeat(n, parser_once); }
static void recursion_run(long n) { repeat(n, recursion_once); }
static void bytecode_run(long n) { repeat(n, bytecode_once); }
static void coremark_run(long n) { repeat(n, coremark_once); }
static void dhrystone_run(long n) { repeat(n, dhrystone_once); }

static const struct benchmark all[] = {
    {"sort", sort_run},         {"sha256", sha256_run},     {"parser", parser_run},       {"recursion", recursion_run},
    {"bytecode", bytecode_run}, {"coremark", coremark_run}, {"dhrystone", dhrystone_run},
};
BENCH_MAIN(all)
