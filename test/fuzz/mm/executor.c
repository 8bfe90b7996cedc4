/*
 * Takes the steps of a walk from a file (argv[1]) and runs them (runtime.h). A line a step:  SLOT CALL ARGUMENT...
 * Arguments: A5 (page 5 of the arena), A5+8, T3, H2, p7 (7 pages in bytes), f1 (a descriptor), b (the buffer), numbers.
 */
#include "runtime.h"

#define MAX_STEPS 4096
static char script[256 * 1024];
static char *steps[MAX_STEPS];
static int step_count;
static char word[24];
static long argument[6];

static long read_argument(const char *from) {
  char *end;
  long base = 0;
  switch (*from) {
  case 'A': base = A_BASE; break;
  case 'T': base = t_base; break;
  case 'H': base = h_base; break;
  case 'p': break;
  case 'f': return fd[atol(from + 1)];
  case 'b': return (long)io_buffer + (from[1] ? atol(from + 1) : 0);
  default: return (long)strtoull(from, NULL, 0);
  }
  base += strtol(from + 1, &end, 10) * PG;
  return *end ? base + strtol(end, NULL, 10) : base;
}

/* Of `SLOT CALL ARGUMENT...`, the call and its arguments. */
static void parse(const char *line) {
  char copy[256];
  strncpy(copy, line, sizeof copy - 1);
  copy[sizeof copy - 1] = 0;
  int count = 0;
  char *rest = copy + 2, *token = strsep(&rest, " ");
  snprintf(word, sizeof word, "%s", token);
  memset(argument, 0, sizeof argument);
  while (count < 6 && (token = strsep(&rest, " "))) argument[count++] = read_argument(token);
}

static int slot_of(int step) { return steps[step][0] - '0'; }
static void run_step(int step) {
  parse(steps[step]);
  run_call(word, argument);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  int file = open_file(argv[1], O_RDONLY);
  long n = 0, got;
  while ((got = read(file, script + n, sizeof script - 1 - (size_t)n)) > 0) n += got;
  close(file);
  char *rest = script, *line;
  while (step_count < MAX_STEPS && (line = strsep(&rest, "\n")))
    if (*line) steps[step_count++] = line;
  run_walk(step_count);
  return 0;
}
