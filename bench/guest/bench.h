/*
 * What every benchmark has in common. A program is called NAME N: it warms up with half of N operations, then does N of them
 * and prints, on standard output, a line when measuring begins and one when it stops:
 *
 *   @begin
 *   @end NANOSECONDS CPU
 *
 * NANOSECONDS is CLOCK_MONOTONIC and CPU the CPU time of the process and of the children that it waited for, in ns: the truth
 * natively and under qemu. Inside Faultline clocks are virtual, so the harness takes its own time of the two lines there. There may be several pairs: they are summed. `@skip REASON` stands for all of it; `@check NUMBER`, a result,
 * must be the same everywhere for the same N.
 */
#ifndef BENCH_H
#define BENCH_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096L

struct benchmark {
  const char *name;
  /* Does n operations, and calls measure_begin and measure_end around what counts. */
  void (*run)(long n);
};

static int is_measuring;
static struct timespec measure_start;
static long measure_cpu;

static long cpu_ns(void) {
  struct rusage own, children;
  getrusage(RUSAGE_SELF, &own);
  getrusage(RUSAGE_CHILDREN, &children);
  long us = own.ru_utime.tv_usec + own.ru_stime.tv_usec + children.ru_utime.tv_usec + children.ru_stime.tv_usec;
  return us * 1000 + (own.ru_utime.tv_sec + own.ru_stime.tv_sec + children.ru_utime.tv_sec + children.ru_stime.tv_sec) * 1000000000L;
}

static void say_line(const char *line, size_t length) {
  if (write(1, line, length) != (ssize_t)length) _exit(9);
}

static inline void measure_begin(void) {
  if (!is_measuring) return;
  say_line("@begin\n", 7);
  measure_cpu = cpu_ns();
  clock_gettime(CLOCK_MONOTONIC, &measure_start);
}

static inline void measure_end(void) {
  if (!is_measuring) return;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  long cpu = cpu_ns() - measure_cpu;
  long ns = (now.tv_sec - measure_start.tv_sec) * 1000000000L + (now.tv_nsec - measure_start.tv_nsec);
  char line[60];
  say_line(line, (size_t)snprintf(line, sizeof line, "@end %ld %ld\n", ns, cpu));
}

__attribute__((unused)) static void skip(const char *reason) {
  char line[120];
  say_line(line, (size_t)snprintf(line, sizeof line, "@skip %s\n", reason));
  _exit(0);
}

__attribute__((unused)) static void fail(const char *what) {
  perror(what);
  _exit(3);
}

__attribute__((unused)) static void check(unsigned long result) {
  if (!is_measuring) return;
  char line[40];
  say_line(line, (size_t)snprintf(line, sizeof line, "@check %lu\n", result));
}

static int run_benchmark(const struct benchmark *all, size_t count, int argc, char **argv) {
  if (argc < 3) return 2;
  long n = atol(argv[2]);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(all[i].name, argv[1]) != 0) continue;
    all[i].run(n / 2 + 1);
    is_measuring = 1;
    all[i].run(n);
    return 0;
  }
  return 2;
}

#define BENCH_MAIN(all) \
  int main(int argc, char **argv) { return run_benchmark(all, sizeof all / sizeof all[0], argc, argv); }

/* xorshift: the same numbers everywhere. */
static unsigned bench_seed = 2463534242u;
__attribute__((unused)) static inline unsigned next_random(void) {
  bench_seed ^= bench_seed << 13;
  bench_seed ^= bench_seed >> 17;
  bench_seed ^= bench_seed << 5;
  return bench_seed;
}
#endif
