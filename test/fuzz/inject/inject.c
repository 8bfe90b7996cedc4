/*
 * Takes the steps of a walk under fault injection (argv[1]): those of the walks over the memory calls (../mm/executor.c), and more that
 * allocate elsewhere (errands.h). What a call answers is nobody's business here: any may fail. Only one thing is said: `ready`, from
 * when on faults are injected.
 *
 * Always true: no step waits for ever. A process that does not say that its step is done in time is killed.
 */
#define _GNU_SOURCE
#include <unistd.h>
#define FUZZ_OWN_REPORT
#define main executor_main
/* What the walks end for, is only the end of the step here; but a process that serves no more does end. */
static void end_step(int status);
#define _exit(status) end_step(status)
#include "../mm/executor.c"
#undef main
#undef _exit
static int is_started;
static void end_step(int status) {
  if (!is_started || status == 93 || status == 94 || status == 81) _exit(status);
  siglongjmp(fault_env, 1);
}
#include "errands.h"

/* A fault outside of the places is of this program itself: a disk that could not bring it back. */
static void on_any_fault(int signal, siginfo_t *info, void *context) {
  if (strcmp(place((unsigned long)info->si_addr), "far") == 0) _exit(70);
  on_fault(signal, info, context);
}

static void report_step(int step) {
  if (sigsetjmp(fault_env, 1) != 0) return;
  parse(steps[step]);
  if (!run_errand(word, argument)) run_call(word, argument);
  out_length = 0;
}

#define PATIENCE_MS 3000
static void take_step(int step) {
  int who = slot_of(step);
  if (who == 0) { report_step(step); return; }
  int pid = BOARD->pid[who];
  if (pid == 0) return;
  struct pollfd done = {done_pipe[0], POLLIN, 0};
  char byte;
  if (write(command_pipe[who][1], &step, sizeof step) != sizeof step) return;
  if (poll(&done, 1, PATIENCE_MS) == 1 && read(done_pipe[0], &byte, 1) == 1) return;
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  BOARD->pid[who] = 0;
  /* What it was told it has not read. */
  while (fcntl(command_pipe[who][0], F_SETFL, O_NONBLOCK) == 0 && read(command_pipe[who][0], &step, sizeof step) > 0) {}
  fcntl(command_pipe[who][0], F_SETFL, 0);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  if (strcmp(argv[1], "--leaf") == 0) return run_leaf();
  int file = open_file(argv[1], O_RDONLY);
  long n = 0, got;
  while ((got = read(file, script + n, sizeof script - 1 - (size_t)n)) > 0) n += got;
  close(file);
  char *rest = script, *line;
  while (step_count < MAX_STEPS && (line = strsep(&rest, "\n")))
    if (*line) steps[step_count++] = line;
  start();
  alarm(0);
  is_started = 1;
  install_handler(on_any_fault);
  signal(SIGPIPE, SIG_IGN);
  if (write(1, "ready\n", 6) != 6) return 3;
  for (int step = 0; step < step_count; step++) take_step(step);
  return 0;
}
