/*
 * Bench of going to a point of a recording (replay.ts): so many rounds of all kinds of work, each with a stretch of the run to itself, as
 * points of a real program are: sorting, a child of fork that writes, first stores, loads from everywhere, stores to everywhere, system
 * calls, floating point.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1 << 20)
enum { NUMBERS = 1 << 20, LINKS = 8 << 20, WORDS = 8 << 20, SIDE = 96 };

static unsigned numbers[NUMBERS], links[LINKS], words[WORDS];
static double left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];
static unsigned state = 1;

static unsigned next_random(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static int compare(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return (x > y) - (x < y);
}

static void sort(void) {
  for (int i = 0; i < NUMBERS; i++) numbers[i] = next_random();
  qsort(numbers, NUMBERS, sizeof *numbers, compare);
}

static void fork_and_write(void) {
  for (int child = 0; child < 20; child++) {
    if (fork() == 0) {
      for (int i = 0; i < NUMBERS; i += 1024) numbers[i]++;
      _exit(0);
    }
    wait(NULL);
  }
}

static void touch(void) {
  for (int turn = 0; turn < 20; turn++) {
    char *memory = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int at = 0; at < 16 * MIB; at += 4096) memory[at] = (char)turn;
    munmap(memory, 16 * MIB);
  }
}

/* One cycle through all of it. */
static void make_links(void) {
  for (unsigned i = 0; i < LINKS; i++) links[i] = i;
  for (unsigned i = LINKS - 1; i > 0; i--) {
    unsigned other = next_random() % i, kept = links[i];
    links[i] = links[other];
    links[other] = kept;
  }
}

static unsigned chase(void) {
  unsigned at = 0;
  for (int step = 0; step < 4000000; step++) at = links[at];
  return at;
}

static void store(void) {
  for (int turn = 0; turn < 4; turn++)
    for (int i = 0; i < WORDS; i++) words[i] = words[i] * 1664525u + (unsigned)i + 1013904223u;
}

static void call(void) {
  for (int i = 0; i < 1000000; i++) getppid();
}

static void multiply(void) {
  for (int turn = 0; turn < 20; turn++)
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++) {
        double sum = 0;
        for (int k = 0; k < SIDE; k++) sum += left[i][k] * right[k][j];
        product[i][j] = sum + turn;
      }
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1;
  if (rounds > 0) make_links();
  unsigned sum = 0;
  for (int round = 0; round < rounds; round++) {
    sort();
    fork_and_write();
    touch();
    sum += chase();
    store();
    call();
    multiply();
    printf("round %d: %u\n", round, sum + numbers[round] + words[round] + (unsigned)product[1][1]);
    fflush(stdout);
  }
  return 0;
}
