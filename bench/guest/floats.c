/* Floating-point kernels. An operation is one call of the kernel. Results are sums of integers made of the values: all agree to the bit. */
#include "bench.h"
#include <math.h>
#include <stdint.h>

static void repeat(long n, uint64_t (*kernel)(void)) {
  uint64_t sum = 0;
  measure_begin();
  for (long i = 0; i < n; i++) sum = sum * 31 + kernel();
  measure_end();
  check(sum);
}

/* Product of two matrices of 48 x 48. */
#define SIDE 48
static double left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];
static uint64_t matmul_once(void) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) left[i][j] = i * 0.5 + j, right[i][j] = j * 0.25 - i;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      double sum = 0;
      for (int k = 0; k < SIDE; k++) sum += left[i][k] * right[k][j];
      product[i][j] = sum;
    }
  return (uint64_t)(int64_t)product[7][11];
}

/* Five bodies under gravity, 100 steps. */
struct body {
  double x, y, z, vx, vy, vz, mass;
};
static uint64_t nbody_once(void) {
  struct body bodies[5];
  for (int i = 0; i < 5; i++) bodies[i] = (struct body){i * 1.5, i * i * 0.25, -i, 0.01 * i, 0.02, -0.01 * i, 1.0 / (i + 1)};
  for (int step = 0; step < 100; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        struct body *a = &bodies[i], *b = &bodies[j];
        double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
        double squared = dx * dx + dy * dy + dz * dz + 0.01;
        double pull = 0.001 / (squared * sqrt(squared));
        a->vx -= dx * b->mass * pull, a->vy -= dy * b->mass * pull, a->vz -= dz * b->mass * pull;
        b->vx += dx * a->mass * pull, b->vy += dy * a->mass * pull, b->vz += dz * a->mass * pull;
      }
    for (int i = 0; i < 5; i++) bodies[i].x += bodies[i].vx, bodies[i].y += bodies[i].vy, bodies[i].z += bodies[i].vz;
  }
  return (uint64_t)(int64_t)(bodies[0].x * 1e6);
}

/* The Mandelbrot set, 32 x 32 points in single precision. */
static uint64_t mandelbrot_once(void) {
  uint64_t inside = 0;
  for (int row = 0; row < 32; row++)
    for (int column = 0; column < 32; column++) {
      float cx = column * 0.09375f - 2.0f, cy = row * 0.0625f - 1.0f, x = 0, y = 0;
      int i = 0;
      for (; i < 50 && x * x + y * y < 4.0f; i++) {
        float next = x * x - y * y + cx;
        y = 2.0f * x * y + cy;
        x = next;
      }
      inside += (uint64_t)i;
    }
  return inside;
}

static void matmul_run(long n) { repeat(n, matmul_once); }
static void nbody_run(long n) { repeat(n, nbody_once); }
static void mandelbrot_run(long n) { repeat(n, mandelbrot_once); }

static const struct benchmark all[] = {{"matmul", matmul_run}, {"nbody", nbody_run}, {"mandelbrot", mandelbrot_run}};
BENCH_MAIN(all)
