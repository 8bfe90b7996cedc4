/* fork(2) and memory: what a child has of each kind of mapping, and copy on write. */
#include "conform.h"
#include <pthread.h>
#include <sched.h>

CASE("fork", "", "private memory: each has its own after a store") {
  char *p = area(2);
  p[0] = p[PG] = 'p';
  IN_CHILD("child", BYTE("child before", p); p[0] = 'c'; BYTE("child after", p));
  BYTE("parent", p);
  p[PG] = 'q';
  BYTE("parent's second", p + PG);
}
CASE("fork", "", "parent writes first: the child keeps the old") {
  char *p = area(1);
  int ends[2];
  char c;
  MUST(pipe(ends));
  p[0] = 'o';
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[1]);
    (void)read(ends[0], &c, 1);
    BYTE("child", p);
    _exit(0);
  }
  p[0] = 'n';
  close(ends[1]);
  say("child: %s", wait_text(pid));
  BYTE("parent", p);
}
CASE("fork", "", "shared anonymous memory, shared and private file") {
  int fd = disk("f", 2);
  char *a = kmmap(NULL, PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *s = kmmap(NULL, PG, RW, MAP_SHARED, fd, 0);
  char *v = kmmap(NULL, PG, RW, MAP_PRIVATE, fd, PG);
  v[1] = 'p';
  IN_CHILD("child", a[0] = 'c'; s[0] = 'c'; v[1] = 'c'; v[2] = 'c');
  BYTE("anonymous", a);
  BYTE("shared file", s);
  BYTE("private file", v + 1);
  BYTE("private file, third", v + 2);
}
CASE("fork", "", "lines of the child are those of the parent") {
  char *p = area(8);
  kmprotect(p + PG, PG, PROT_READ);
  kmmap(p + 2 * PG, PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  kmunmap(p + 4 * PG, PG);
  kmmap(p + 5 * PG, 2 * PG, PROT_READ, MAP_PRIVATE | MAP_FIXED, disk("f", 2), 0);
  MAPS("parent", p, 8);
  IN_CHILD("child", MAPS("child", p, 8));
}
CASE("fork", "", "flags that a child keeps and loses") {
  char *p = area(10);
  kmadvise(p, PG, MADV_DONTDUMP);
  kmadvise(p + PG, PG, MADV_RANDOM);
  kmadvise(p + 2 * PG, PG, MADV_SEQUENTIAL);
  kmlock(p + 3 * PG, PG);
  kmlock2(p + 4 * PG, PG, MLOCK_ONFAULT);
  kmadvise(p + 5 * PG, PG, MADV_WIPEONFORK);
  kmadvise(p + 6 * PG, PG, MADV_DONTFORK);
  kmmap(p + 7 * PG, PG, RW, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0);
  kmmap(p + 8 * PG, PG, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  kmmap(p + 9 * PG, PG, RW, ANON | MAP_FIXED | MAP_STACK, -1, 0);
  for (int i = 0; i < 10; i++) show_flags("parent", p + i * PG);
  IN_CHILD("child", for (int i = 0; i < 10; i++) show_flags("child", p + i * PG));
}
CASE("fork", "", "a growing stack in the child") {
  char *p = hole(400), *top = p + 380 * PG;
  kmmap(top, PG, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  IN_CHILD("child", top[-1] = 1; MAPS("child", top - 2 * PG, 4));
  MAPS("parent", top - 2 * PG, 4);
}
CASE("fork", "", "a mapping that the parent unmaps stays in the child") {
  char *p = area(1);
  int ends[2];
  char c;
  MUST(pipe(ends));
  p[0] = 'k';
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[1]);
    (void)read(ends[0], &c, 1);
    BYTE("child", p);
    _exit(0);
  }
  kmunmap(p, PG);
  close(ends[1]);
  say("child: %s", wait_text(pid));
}
CASE("fork", "", "read-only after fork: content is common until it is writable") {
  char *p = area(1);
  p[0] = 'r';
  IN_CHILD("child", kmprotect(p, PG, PROT_READ); BYTE("read-only", p); kmprotect(p, PG, RW); p[0] = 'w'; BYTE("written", p));
  BYTE("parent", p);
}
CASE("fork", "", "the zero page: each writes its own") {
  char *p = area(1);
  READS("", p);
  IN_CHILD("child", p[0] = 'c'; BYTE("child", p));
  BYTE("parent", p);
}
CASE("fork", "", "a chain of three: every one sees its own") {
  char *p = area(1);
  p[0] = '1';
  IN_CHILD("second", p[0]++; IN_CHILD("third", p[0]++; BYTE("third", p)); BYTE("second", p));
  BYTE("first", p);
}
CASE("fork", "", "vfork: the parent's memory itself") {
  static volatile int value;
  pid_t pid = vfork();
  if (pid == 0) { value = 7; _exit(0); }
  say("child: %s", wait_text(pid));
  NUM("value", value);
}
CASE("fork", "ENOMEM", "RLIMIT_AS does not bind a copy") {
  limit(RLIMIT_AS, (rlim_t)read_field("/proc/self/status", "VmSize") * 1024);
  IN_CHILD("child", say("runs"));
}
CASE("fork", "", "the kernel writes for the child: copied first") {
  char *p = area(1);
  int ends[2];
  p[0] = 'o';
  IN_CHILD("child", MUST(pipe(ends)); MUST(write(ends[1], "K", 1)); COUNT("read", read(ends[0], p, 1)); BYTE("child", p));
  BYTE("parent", p);
}
CASE("fork", "", "counts of a shared and a copied page") {
  char *p = area(4);
  memset(p, 'x', 4 * PG);
  IN_CHILD("child", NUM("Rss kB", smaps_number(p, "Rss")); NUM("Pss kB", smaps_number(p, "Pss"));
           NUM("Shared_Dirty kB", smaps_number(p, "Shared_Dirty")); p[0] = 'c'; NUM("Private_Dirty kB", smaps_number(p, "Private_Dirty")));
}

static char *volatile area_of_threads;
static volatile int go, seen;
static void *writer(void *argument) {
  (void)argument;
  while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) sched_yield();
  area_of_threads[0] = 'w';
  __atomic_store_n(&seen, 1, __ATOMIC_RELEASE);
  return NULL;
}

CASE("fork", "", "threads: one forks, another writes; the first sees the store, the child does not") {
  pthread_t thread;
  int ends[2];
  char c;
  char *p = area_of_threads = area(1);
  p[0] = 'o';
  MUST(pipe(ends));
  pthread_create(&thread, NULL, writer, NULL);
  pid_t pid = fork();
  if (pid == 0) {
    close(ends[1]);
    (void)read(ends[0], &c, 1);
    BYTE("child", p);
    _exit(0);
  }
  __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
  while (!__atomic_load_n(&seen, __ATOMIC_ACQUIRE)) sched_yield();
  BYTE("parent", p);
  close(ends[1]);
  say("child: %s", wait_text(pid));
  pthread_join(thread, NULL);
}
static void *reader(void *argument) {
  (void)argument;
  while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) sched_yield();
  BYTE("the other thread", area_of_threads);
  return NULL;
}
CASE("fork", "", "threads: one reads what another wrote after a copy") {
  pthread_t thread;
  char *p = area_of_threads = area(1);
  p[0] = 'o';
  pthread_create(&thread, NULL, reader, NULL);
  int ends[2];
  char c;
  MUST(pipe(ends));
  pid_t pid = fork();
  if (pid == 0) { close(ends[1]); (void)read(ends[0], &c, 1); _exit(0); }
  p[0] = 'n';
  __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
  pthread_join(thread, NULL);
  close(ends[1]);
  say("child: %s", wait_text(pid));
}
