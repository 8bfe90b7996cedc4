/* Faults on pages that are not there, resolved by a reader in another thread: messages, COPY, ZEROPAGE, WAKE, signals, the end. */
#include "uffd.h"
#include <stddef.h>
#include <sys/uio.h>

static int fd, stage[2];
static char *area, *source;

static void *toucher(void *arg) {
  volatile char *p = arg;
  char got = *p;
  return (void *)(long)got;
}

static void *writer(void *arg) {
  volatile char *p = arg;
  *p = 5;
  return (void *)(long)*p;
}

static long join(pthread_t t) {
  void *r;
  pthread_join(t, &r);
  return (long)r;
}

static void fault(const char *what, struct u_msg m, char *base) {
  say("%s: event %x flags %llx offset %ld", what, m.event, (unsigned long long)m.arg.fault.flags,
      (long)(m.arg.fault.address - (u64)(uintptr_t)base));
}

static pthread_t spawn(void *(*run)(void *), void *arg) {
  pthread_t t;
  pthread_create(&t, NULL, run, arg);
  return t;
}

static void info(const char *what) {
  char link[64], text[512] = "";
  snprintf(link, sizeof link, "/proc/self/fdinfo/%d", fd);
  int f = open(link, O_RDONLY);
  ssize_t n = read(f, text, sizeof text - 1);
  (void)n;
  close(f);
  unsigned long pending = 99, total = 99;
  char *from = strstr(text, "pending:");
  if (from) sscanf(from, "pending: %lu total: %lu", &pending, &total);
  say("%s: pending %lu total %lu", what, pending, total);
}

static void basics(void) {
  fd = u_open(O_NONBLOCK, 0);
  area = u_anon(16);
  source = u_anon(4);
  memset(source, 3, 4 * PG);
  MUST(u_reg(fd, area, 16 * PG, M_MISSING));

  pthread_t t = spawn(toucher, area + 100);
  struct pollfd p = {fd, POLLIN, 0};
  NUM("poll", poll(&p, 1, 5000));
  NUM("revents", p.revents);
  info("asleep");
  fault("read", u_next(fd), area);
  info("read");
  YES("nothing more", u_quiet(fd));
  FILL("copy", u_copy(fd, area, source, PG, 0));
  NUM("got", join(t));
  info("awake");

  t = spawn(writer, area + PG + 200);
  fault("write", u_next(fd), area);
  FILL("zero", u_fill(fd, U_ZEROPAGE, area + PG, PG, 0));
  NUM("got", join(t));

  t = spawn(toucher, area + 2 * PG);
  fault("read", u_next(fd), area);
  FILL("copy without waking", u_copy(fd, area + 2 * PG, source, PG, 1));
  info("still asleep");
  ERR("wake", u_wake(fd, area + 2 * PG, PG));
  NUM("got", join(t));

  t = spawn(toucher, area + 3 * PG);
  fault("first", u_next(fd), area);
  ERR("wake for nothing", u_wake(fd, area, 16 * PG));
  fault("again", u_next(fd), area);
  FILL("copy three", u_copy(fd, area + 3 * PG, source, 3 * PG, 0));
  NUM("got", join(t));
  NUM("others", area[4 * PG] + area[5 * PG]);

  pthread_t two[2] = {spawn(toucher, area + 6 * PG), 0};
  struct u_msg first = u_next(fd);
  two[1] = spawn(toucher, area + 6 * PG + 8);
  fault("one", first, area);
  fault("two", u_next(fd), area);
  info("both");
  FILL("both", u_copy(fd, area + 6 * PG, source, PG, 0));
  NUM("got", join(two[0]) + join(two[1]));

  t = spawn(toucher, area + 7 * PG);
  fault("unread", u_next(fd), area);
  ERR("unregister", u_unreg(fd, area, 16 * PG));
  NUM("got", join(t));
  YES("kept", area[0] == 3 && area[PG] == 0 && area[3 * PG] == 3);
  close(fd);
}

static void several(void) {
  struct u_msg m[4];
  fd = u_open(O_NONBLOCK, F_THREAD_ID | F_EXACT);
  area = u_anon(4);
  MUST(u_reg(fd, area, 4 * PG, M_MISSING));
  pthread_t t = spawn(toucher, area + 123);
  struct pollfd p = {fd, POLLIN, 0};
  poll(&p, 1, 5000);
  NUM("too short", read(fd, m, 31));
  NUM("long read", read(fd, m, sizeof m));
  fault("exact", m[0], area);
  YES("another thread", m[0].arg.fault.ptid != 0 && m[0].arg.fault.ptid != (unsigned)getpid());
  close(fd);
  NUM("close wakes", join(t));
  /* A blocking descriptor: the read waits. */
  fd = u_open(0, 0);
  area = u_anon(4);
  MUST(u_reg(fd, area, 4 * PG, M_MISSING));
  t = spawn(writer, area + 50);
  NUM("blocking read", read(fd, m, sizeof m));
  fault("blocking", m[0], area);
  FILL("copy", u_copy(fd, area, source, PG, 0));
  NUM("got", join(t));
  close(fd);
}

static volatile int handled;
static void *mover(void *arg) {
  (void)arg;
  struct u_msg m = u_next(fd);
  fault("before the signal", m, area);
  pthread_t main_thread = *(pthread_t *)arg;
  pthread_kill(main_thread, SIGUSR1);
  m = u_next(fd);
  fault("after the signal", m, area);
  say("handler ran: %d", handled);
  FILL("copy", u_copy(fd, area, source, PG, 1));
  u_wake(fd, area, PG);
  return NULL;
}

static void on_signal(int s) { (void)s; handled++; }

static void signals(void) {
  struct sigaction a = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &a, NULL);
  pthread_t self = pthread_self();
  fd = u_open(O_NONBLOCK, 0);
  area = u_anon(4);
  MUST(u_reg(fd, area, 4 * PG, M_MISSING));
  pthread_t t = spawn(mover, &self);
  NUM("interrupted read", *(volatile char *)(area + 9));
  join(t);
  NUM("handled", handled);
  close(fd);
}

static void *server(void *arg) {
  long count = (long)arg;
  while (count-- > 0) {
    struct u_msg m = u_next(fd);
    fault("served", m, area);
    memset(source, 0x41, PG);
    char *page = (char *)(uintptr_t)(m.arg.fault.address & ~(PG - 1));
    /* The line is out before the sleeper can print its own. */
    FILL("copy", u_copy(fd, page, source, PG, 1));
    u_wake(fd, page, PG);
  }
  return NULL;
}

static void *reader_of_pipe(void *arg) {
  return (void *)(long)read(stage[0], arg, 2 * PG);
}

/* The kernel itself meets the pages. */
static void in_calls(void) {
  int file = open("/tmp/uffd-missing.file", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2];
  unlink("/tmp/uffd-missing.file");
  char *plain = u_anon(4), text[16] = "";
  memset(plain, 0x62, 4 * PG);
  MUST(write(file, plain, 4 * PG) == 4 * PG ? 0 : -1);
  fd = u_open(O_NONBLOCK, 0);
  area = u_anon(16);
  MUST(u_reg(fd, area, 16 * PG, M_MISSING));
  pthread_t t = spawn(server, (void *)2L);
  RET("write from a missing page", pwrite(file, area + 100, PG, 0));
  join(t);
  MUST(pread(file, text, 4, 10) == 4 ? 0 : -1);
  say("written: %s", text);
  t = spawn(server, (void *)3L);
  RET("read into missing pages", pread(file, area + 2 * PG + 10, 2 * PG, PG));
  join(t);
  say("read: %.2s%.2s%.2s", area + 2 * PG + 9, area + 3 * PG - 1, area + 4 * PG + 9);
  t = spawn(server, (void *)1L);
  struct stat st;
  memset(&st, 0, sizeof st);
  RET("a structure", fstat(file, (struct stat *)(area + 5 * PG)));
  join(t);
  fstat(file, &st);
  YES("the structure", memcmp(&st, area + 5 * PG, offsetof(struct stat, st_atime)) == 0);
  t = spawn(server, (void *)1L);
  int *pair = (int *)(area + 6 * PG + 8);
  RET("descriptors", pipe(pair));
  join(t);
  memcpy(p, pair, sizeof p);
  RET("they work", write(p[1], "hallo", 5));
  t = spawn(server, (void *)1L);
  RET("a pipe into a missing page", read(p[0], area + 7 * PG, 100));
  join(t);
  say("from the pipe: %.5s%.1s", area + 7 * PG, area + 7 * PG + 5);
  t = spawn(server, (void *)1L);
  ERR("a path in a missing page", open(area + 8 * PG, O_RDONLY));
  join(t);
  t = spawn(server, (void *)2L);
  struct iovec v[3] = {{plain, 10}, {area + 9 * PG, 10}, {area + 10 * PG, 10}};
  RET("vectors", writev(p[1], v, 3));
  join(t);
  char out[40] = "";
  RET("arrived", read(p[0], out, sizeof out - 1));
  say("what: %s", out);
  memcpy(stage, p, sizeof stage);
  t = spawn(reader_of_pipe, area + 11 * PG);
  usleep(1000);
  pthread_t s = spawn(server, (void *)1L);
  long wrote = write(p[1], "abc", 3), got = join(t);
  join(s);
  say("write to the waiting: %ld %ld", wrote, got);
  say("it got: %.3s", area + 11 * PG);
  /* Locking and populating make pages present: their faults are messages, too. */
  t = spawn(server, (void *)2L);
  ERR("mlock", mlock(area + 12 * PG, 2 * PG));
  join(t);
  munlock(area + 12 * PG, 2 * PG);
  int mem = open("/proc/self/mem", O_RDWR);
  ERR("/proc/self/mem does not wait", pread(mem, text, 4, (off_t)(uintptr_t)(area + 15 * PG)));
  close(mem);
  YES("no message", u_quiet(fd));
  struct iovec to = {text, 4}, from = {area + 14 * PG, 4};
  t = spawn(server, (void *)1L);
  RET("process_vm_readv", process_vm_readv(getpid(), &to, 1, &from, 1, 0));
  join(t);
  close(fd);

  fd = u_open(O_NONBLOCK | 1, 0);
  area = u_anon(2);
  MUST(u_reg(fd, area, 2 * PG, M_MISSING));
  ERR("user mode only: read", pread(file, area, 10, 0));
  ERR("user mode only: write", pwrite(file, area, 10, 0));
  ERR("user mode only: path", open(area, O_RDONLY));
  YES("user mode only: quiet", u_quiet(fd));
  t = spawn(server, (void *)1L);
  NUM("user mode only: own read", area[5]);
  join(t);
  close(fd);
  close(file);
}

static sigjmp_buf back;
static void on_bus(int s, siginfo_t *i, void *c) {
  (void)s; (void)c;
  say("SIGBUS offset %ld adrerr %d", (long)((char *)i->si_addr - area), i->si_code == BUS_ADRERR);
  siglongjmp(back, 1);
}

static void sigbus(void) {
  struct sigaction a = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO}, old;
  sigaction(SIGBUS, &a, &old);
  fd = u_open(O_NONBLOCK, F_SIGBUS);
  area = u_anon(3);
  MUST(u_reg(fd, area, 3 * PG, M_MISSING));
  if (sigsetjmp(back, 1) == 0) *(volatile char *)(area + 5);
  if (sigsetjmp(back, 1) == 0) *(volatile char *)(area + PG + 5) = 1;
  ERR("call", read(0, area + 2 * PG, 0));
  int zero = open("/dev/zero", O_RDONLY);
  ERR("read", read(zero, area + 2 * PG, 8));
  close(zero);
  FILL("copy", u_copy(fd, area, source, PG, 0));
  NUM("now", area[5]);
  close(fd);
  sigaction(SIGBUS, &old, NULL);
}

/* A sleeper that is killed with its whole process. */
static void killed(void) {
  int ready[2];
  MUST(pipe(ready));
  for (int kernel = 0; kernel < 2; kernel++) {
    pid_t child = fork();
    if (child == 0) {
      fd = u_open(O_NONBLOCK, 0);
      area = u_anon(2);
      MUST(u_reg(fd, area, 2 * PG, M_MISSING));
      if (kernel) {
        int zero = open("/dev/zero", O_RDONLY);
        if (write(ready[1], "g", 1) != 1) _exit(1);
        _exit(read(zero, area, 1) == 1 ? 0 : 1);
      }
      spawn(toucher, area);
      u_next(fd);
      if (write(ready[1], "g", 1) != 1) _exit(1);
      pause();
    }
    char byte;
    MUST(read(ready[0], &byte, 1));
    if (kernel) usleep(2000);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    NUM("killed by", WTERMSIG(status));
  }
}

int main(void) {
  basics();
  several();
  signals();
  in_calls();
  sigbus();
  killed();
  return 0;
}
