/* membarrier(2): commands, what must be registered first, what fork and exec keep (kernel/sched/membarrier.c, 6.18). */
#include "check.h"
#include <pthread.h>

#define GLOBAL 1
#define GLOBAL_EXPEDITED 2
#define REGISTER_GLOBAL 4
#define PRIVATE 8
#define REGISTER_PRIVATE 16
#define CORE 32
#define REGISTER_CORE 64
#define RSEQ (128 | 256) /* only with restartable sequences */
#define GET 512

static long barrier(int command, unsigned flags, int cpu) { return syscall(SYS_membarrier, command, flags, cpu); }

static void registered(const char *what) {
  long mask = barrier(GET, 0, 0);
  say("%s: %ld", what, mask < 0 ? mask : mask & ~RSEQ);
}

static void *thread(void *unused) {
  (void)unused;
  registered("in a thread");
  return NULL;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    registered("after exec");
    return 0;
  }
  say("query: %ld", barrier(0, 0, 0) & ~RSEQ);
  registered("nothing");
  RET("global", barrier(GLOBAL, 0, 0));
  RET("global expedited", barrier(GLOBAL_EXPEDITED, 0, 0));
  RET("private, not registered", barrier(PRIVATE, 0, 0));
  RET("core, not registered", barrier(CORE, 0, 0));
  RET("register core", barrier(REGISTER_CORE, 0, 0));
  registered("core");
  RET("private", barrier(PRIVATE, 0, 0));
  RET("core", barrier(CORE, 0, 0));
  RET("register private", barrier(REGISTER_PRIVATE, 0, 0));
  RET("private", barrier(PRIVATE, 0, 0));
  registered("private");
  RET("register global", barrier(REGISTER_GLOBAL, 0, 0));
  registered("global");
  RET("again", barrier(REGISTER_PRIVATE, 0, 0));
  RET("flags of a query", barrier(0, 1, 0));
  RET("flags of a barrier", barrier(PRIVATE, 1, 0));
  RET("two at once", barrier(3, 0, 0));
  RET("unknown", barrier(1024, 0, 0));
  RET("negative", barrier(-1, 0, 0));
  pid_t child = fork();
  if (child == 0) {
    registered("after fork");
    RET("private", barrier(PRIVATE, 0, 0));
    execl("/proc/self/exe", argv[0], "again", NULL);
    _exit(1);
  }
  say("child: %s", wait_text(child));
  pthread_t t;
  pthread_create(&t, NULL, thread, NULL);
  pthread_join(t, NULL);
  return 0;
}
