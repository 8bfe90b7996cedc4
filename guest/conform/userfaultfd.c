/* userfaultfd(2): each mode, feature, call and error; faults are seen by a thread, or as SIGBUS where that is asked for. */
#include "conform.h"
#include "../uffd.h"

static void *touch(void *at) { return (void *)(intptr_t)*(volatile char *)at; }
static void *store(void *at) { *(volatile char *)at = 'w'; return NULL; }
static pthread_t begin(void *(*run)(void *), void *at) {
  pthread_t t;
  MUST(pthread_create(&t, NULL, run, at) ? -1 : 0);
  return t;
}
static void ends(const char *what, pthread_t t) {
  void *value = NULL;
  pthread_join(t, &value);
  say("%s: %d", what, (int)(intptr_t)value);
}
static void message(int fd, char *base) {
  struct u_msg m = u_next(fd);
  say("event %x, flags %llx, at %ld", m.event, (unsigned long long)m.arg.fault.flags,
      (long)(m.arg.fault.address - (u64)(uintptr_t)base));
}
static char *watched(int fd, int pages, int mode) {
  char *p = u_anon(pages);
  MUST(u_reg(fd, p, pages * PG, mode));
  return p;
}
static char *shared(int pages, int *mem) {
  *mem = memfd_create("conform", 0);
  MUST(ftruncate(*mem, pages * PG));
  return kmmap(NULL, (size_t)(pages * PG), RW, MAP_SHARED, *mem, 0);
}

CASE("userfaultfd", "O_NONBLOCK", "reading without a message, and O_CLOEXEC") {
  int fd = u_open(O_NONBLOCK | O_CLOEXEC, 0);
  struct u_msg m;
  COUNT("read", read(fd, &m, sizeof m));
  COUNT("a short buffer", read(fd, &m, sizeof m - 1));
  COUNT("close on exec", fcntl(fd, F_GETFD));
}
CASE("userfaultfd", "EINVAL", "unknown flags") { RESULT("4", u_new(4)); RESULT("O_APPEND", u_new(O_APPEND)); }
CASE("userfaultfd", "EPERM", "without CAP_SYS_PTRACE") {
  drop_root();
  RESULT("all faults", u_new(0));
  RESULT("those of the program", u_new(1));
}
CASE("userfaultfd", "UFFD_USER_MODE_ONLY", "a fault of the kernel") {
  int fd = u_open(1 | O_NONBLOCK, 0), p[2];
  char *at = watched(fd, 2, M_MISSING);
  MUST(pipe(p));
  MUST(write(p[1], "x", 1));
  COUNT("a call's store", read(p[0], at, 1));
  pthread_t t = begin(touch, at);
  message(fd, at);
  RESULT("zero", u_fill(fd, U_ZEROPAGE, at, PG, 0));
  ends("read", t);
}
CASE("UFFDIO_API", "", "the handshake, once") {
  int fd = u_new(O_NONBLOCK);
  struct u_api api = {U_API, 0, 0};
  RESULT("first", ioctl(fd, U_IOCTL_API, &api));
  say("features %llx, calls %llx", (unsigned long long)api.features, (unsigned long long)api.ioctls);
  api = (struct u_api){U_API, 0, 0};
  RESULT("second", ioctl(fd, U_IOCTL_API, &api));
}
CASE("UFFDIO_API", "EINVAL", "another version, an unknown feature") {
  struct u_api api = {U_API + 1, 0, 0};
  RESULT("version", ioctl(u_new(0), U_IOCTL_API, &api));
  api = (struct u_api){U_API, 1ULL << 50, 0};
  RESULT("feature", ioctl(u_new(0), U_IOCTL_API, &api));
}
CASE("UFFDIO_API", "EFAULT", "a bad address") { RESULT("api", ioctl(u_new(0), U_IOCTL_API, (void *)8)); }
CASE("UFFDIO_API", "EPERM", "UFFD_FEATURE_EVENT_FORK without CAP_SYS_PTRACE") {
  drop_root();
  RESULT("fork", u_init(u_new(1), F_FORK));
}
CASE("UFFDIO_REGISTER", "UFFDIO_REGISTER_MODE_MISSING", "a read, a write, of memory that is not there") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 2, M_MISSING);
  pthread_t t = begin(touch, p + 5);
  message(fd, p);
  RESULT("zero", u_fill(fd, U_ZEROPAGE, p, PG, 0));
  ends("read", t);
  t = begin(store, p + PG);
  message(fd, p);
  RESULT("zero", u_fill(fd, U_ZEROPAGE, p + PG, PG, 0));
  ends("write", t);
  BYTE("there", p + PG);
}
CASE("UFFDIO_REGISTER", "UFFDIO_REGISTER_MODE_WP", "a write to a protected page") {
  int fd = u_open(O_NONBLOCK, F_WP);
  char *p = watched(fd, 2, M_WP);
  memset(p, 'a', 2 * PG);
  RESULT("protect", u_protect(fd, p, PG, 1));
  pthread_t t = begin(store, p);
  message(fd, p);
  BYTE("not yet", p);
  RESULT("let go", u_protect(fd, p, PG, 0));
  ends("write", t);
  BYTE("there", p);
  p[PG] = 'b';
  YES("the other page is free", u_quiet(fd));
}
CASE("UFFDIO_REGISTER", "UFFDIO_REGISTER_MODE_MINOR", "a page that the file has and the table has not") {
  int fd = u_open(O_NONBLOCK, F_MINOR_SHMEM), mem;
  char *p = shared(2, &mem);
  MUST(pwrite(mem, "q", 1, 0));
  MUST(u_reg(fd, p, 2 * PG, M_MINOR));
  pthread_t t = begin(touch, p);
  message(fd, p);
  FILL("continue", u_fill(fd, U_CONTINUE, p, PG, 0));
  ends("read", t);
  BYTE("a hole is no such fault", p + PG);
}
CASE("UFFDIO_REGISTER", "EINVAL", "modes, ranges, memory that cannot") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = u_anon(2), *none = hole(2);
  RESULT("no mode", u_reg(fd, p, PG, 0));
  RESULT("an unknown mode", u_reg(fd, p, PG, 8));
  RESULT("odd start", u_reg(fd, p + 1, PG, M_MISSING));
  RESULT("odd length", u_reg(fd, p, 1, M_MISSING));
  RESULT("no length", u_reg(fd, p, 0, M_MISSING));
  RESULT("nothing mapped", u_reg(fd, none, PG, M_MISSING));
  RESULT("minor of anonymous memory", u_reg(fd, p, PG, M_MINOR));
  RESULT("before the handshake", u_reg(u_new(0), p, PG, M_MISSING));
}
CASE("UFFDIO_REGISTER", "EBUSY", "memory of another userfaultfd") {
  int fd = u_open(O_NONBLOCK, 0), other = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 2, M_MISSING);
  RESULT("the other", u_reg(other, p, PG, M_MISSING));
  close(fd);
  RESULT("after its end", u_reg(other, p, PG, M_MISSING));
}
CASE("UFFDIO_REGISTER", "EPERM", "a shared mapping that nobody may write") {
  int fd = u_open(O_NONBLOCK, 0), mem = shm(1), reader;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", mem);
  MUST(reader = open(path, O_RDONLY));
  RESULT("read-only descriptor", u_reg(fd, kmmap(NULL, PG, PROT_READ, MAP_SHARED, reader, 0), PG, M_MISSING));
}
CASE("UFFDIO_REGISTER", "", "VMAs split and join by what they are registered for") {
  int fd = u_open(O_NONBLOCK, F_WP);
  char *p = u_anon(4);
  RESULT("middle", u_reg(fd, p + PG, 2 * PG, M_MISSING));
  MAPS("lines", p, 4);
  FLAGS("middle", p + PG);
  RESULT("more", u_reg(fd, p + 2 * PG, PG, M_MISSING | M_WP));
  FLAGS("both", p + 2 * PG);
  MAPS("lines", p, 4);
  RESULT("unregister", u_unreg(fd, p, 4 * PG));
  MAPS("lines", p, 4);
}
CASE("UFFDIO_UNREGISTER", "", "who sleeps goes on, with a plain page") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 1, M_MISSING);
  pthread_t t = begin(touch, p);
  message(fd, p);
  RESULT("unregister", u_unreg(fd, p, PG));
  ends("read", t);
}
CASE("UFFDIO_UNREGISTER", "EINVAL", "ranges, another's memory") {
  int fd = u_open(O_NONBLOCK, 0), other = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 2, M_MISSING);
  RESULT("odd", u_unreg(fd, p + 1, PG));
  RESULT("another's", u_unreg(other, p, PG));
  RESULT("nothing mapped", u_unreg(fd, hole(1), PG));
}
CASE("UFFDIO_COPY", "", "a page that a thread waits for") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 2, M_MISSING), *from = area(1);
  memset(from, 'c', PG);
  pthread_t t = begin(touch, p + PG);
  message(fd, p);
  FILL("copy", u_copy(fd, p + PG, from, PG, 0));
  ends("read", t);
}
CASE("UFFDIO_COPY", "UFFDIO_COPY_MODE_DONTWAKE", "the thread sleeps until it is woken") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 1, M_MISSING), *from = area(1);
  from[0] = 'd';
  pthread_t t = begin(touch, p);
  message(fd, p);
  FILL("copy", u_copy(fd, p, from, PG, 1));
  RESULT("wake", u_wake(fd, p, PG));
  ends("read", t);
}
CASE("UFFDIO_COPY", "UFFDIO_COPY_MODE_WP", "a copy that is protected from the start") {
  int fd = u_open(O_NONBLOCK, F_WP);
  char *p = watched(fd, 1, M_MISSING | M_WP), *from = area(1);
  from[0] = 'e';
  FILL("copy", u_copy(fd, p, from, PG, 2));
  NUM("protected", PM_WP(p));
  pthread_t t = begin(store, p);
  message(fd, p);
  RESULT("let go", u_protect(fd, p, PG, 0));
  ends("write", t);
  FILL("where it is not registered so", u_copy(fd, watched(fd, 1, M_MISSING), from, PG, 2));
}
CASE("UFFDIO_COPY", "EEXIST", "a page is there") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 2, M_MISSING), *from = area(2);
  FILL("first", u_copy(fd, p + PG, from, PG, 0));
  FILL("both", u_copy(fd, p, from, 2 * PG, 0));
  FILL("again", u_copy(fd, p, from, PG, 0));
}
CASE("UFFDIO_COPY", "EFAULT", "no source") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 2, M_MISSING), *from = area(2);
  MUST(kmunmap(from + PG, PG));
  FILL("the second page", u_copy(fd, p, from, 2 * PG, 0));
  FILL("the first", u_copy(fd, p + PG, from + PG, PG, 0));
}
CASE("UFFDIO_COPY", "ENOENT", "memory that is not registered") {
  int fd = u_open(O_NONBLOCK, 0);
  FILL("anonymous", u_copy(fd, u_anon(1), area(1), PG, 0));
  FILL("nothing mapped", u_copy(fd, hole(1), area(1), PG, 0));
  char *p = watched(fd, 2, M_MISSING);
  FILL("over its end", u_copy(fd, p, area(4), 4 * PG, 0));
}
CASE("UFFDIO_COPY", "EINVAL", "modes and ranges") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 2, M_MISSING), *from = area(1);
  FILL("mode", u_copy(fd, p, from, PG, 4));
  FILL("odd target", u_copy(fd, p + 1, from, PG, 0));
  FILL("no length", u_copy(fd, p, from, 0, 0));
  FILL("odd source", u_copy(fd, p, from + 1, PG, 0));
}
CASE("UFFDIO_ZEROPAGE", "", "zeroes, and only where nothing is") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 3, M_MISSING);
  FILL("one", u_fill(fd, U_ZEROPAGE, p + PG, PG, 0));
  FILL("all", u_fill(fd, U_ZEROPAGE, p, 3 * PG, 0));
  FILL("again", u_fill(fd, U_ZEROPAGE, p, PG, 0));
  FILL("mode", u_fill(fd, U_ZEROPAGE, p + 2 * PG, PG, 2));
  BYTE("read", p);
}
CASE("UFFDIO_CONTINUE", "EFAULT", "the file has no such page") {
  int fd = u_open(O_NONBLOCK, F_MINOR_SHMEM), mem;
  char *p = shared(2, &mem);
  MUST(u_reg(fd, p, 2 * PG, M_MINOR));
  FILL("hole", u_fill(fd, U_CONTINUE, p, PG, 0));
}
CASE("UFFDIO_CONTINUE", "EEXIST", "it is mapped") {
  int fd = u_open(O_NONBLOCK, F_MINOR_SHMEM), mem;
  char *p = shared(2, &mem);
  p[0] = 1;
  MUST(u_reg(fd, p, 2 * PG, M_MINOR));
  FILL("mapped", u_fill(fd, U_CONTINUE, p, PG, 0));
  FILL("anonymous memory", u_fill(fd, U_CONTINUE, watched(fd, 1, M_MISSING), PG, 0));
}
CASE("UFFDIO_CONTINUE", "UFFDIO_CONTINUE_MODE_WP", "mapped and protected") {
  int fd = u_open(O_NONBLOCK, F_MINOR_SHMEM | F_WP | F_WP_SHMEM), mem;
  char *p = shared(1, &mem);
  MUST(pwrite(mem, "r", 1, 0));
  MUST(u_reg(fd, p, PG, M_MINOR | M_WP));
  FILL("continue", u_fill(fd, U_CONTINUE, p, PG, 2));
  BYTE("read", p);
  NUM("protected", PM_WP(p));
}
CASE("UFFDIO_WRITEPROTECT", "ENOENT", "memory that is not registered for it") {
  int fd = u_open(O_NONBLOCK, F_WP);
  RESULT("missing alone", u_protect(fd, watched(fd, 1, M_MISSING), PG, 1));
  RESULT("nothing mapped", u_protect(fd, hole(1), PG, 1));
}
CASE("UFFDIO_WRITEPROTECT", "EINVAL", "modes and ranges") {
  int fd = u_open(O_NONBLOCK, F_WP);
  char *p = watched(fd, 1, M_WP);
  RESULT("both", u_protect(fd, p, PG, 3));
  RESULT("unknown", u_protect(fd, p, PG, 4));
  RESULT("odd", u_protect(fd, p + 1, PG, 1));
  RESULT("no length", u_protect(fd, p, 0, 1));
}
CASE("UFFDIO_MOVE", "", "a page with its contents") {
  int fd = u_open(O_NONBLOCK, F_MOVE);
  char *p = watched(fd, 1, M_MISSING), *from = u_anon(1);
  memset(from, 'm', PG);
  pthread_t t = begin(touch, p);
  message(fd, p);
  FILL("move", u_move(fd, p, from, PG, 0));
  ends("read", t);
  BYTE("left", from);
}
CASE("UFFDIO_MOVE", "UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES", "a hole in the source") {
  int fd = u_open(O_NONBLOCK, F_MOVE);
  char *p = watched(fd, 3, M_MISSING), *from = u_anon(3);
  from[0] = 1, from[2 * PG] = 3;
  FILL("refused", u_move(fd, p + PG, from + PG, PG, 0));
  FILL("allowed", u_move(fd, p, from, 3 * PG, 2));
  BYTE("behind the hole", p + 2 * PG);
}
CASE("UFFDIO_MOVE", "EBUSY", "a page that a child shares") {
  int fd = u_open(O_NONBLOCK, F_MOVE), go[2];
  char *p = watched(fd, 1, M_MISSING), *from = u_anon(1), c;
  from[0] = 1;
  MUST(pipe(go));
  pid_t pid = fork();
  if (pid == 0) _exit(read(go[0], &c, 1) == 1 ? 0 : 1);
  FILL("shared", u_move(fd, p, from, PG, 0));
  MUST(write(go[1], "x", 1));
  say("child: %s", wait_text(pid));
}
CASE("UFFDIO_POISON", "", "SIGBUS for who touches the page") {
  int fd = u_open(O_NONBLOCK, F_POISON);
  char *p = watched(fd, 2, M_MISSING);
  FILL("poison", u_fill(fd, U_POISON, p, 2 * PG, 0));
  READS("it", p);
  WRITES("it", p + PG);
  FILL("again", u_fill(fd, U_POISON, p, PG, 0));
  FILL("mode", u_fill(fd, U_POISON, p, PG, 2));
}
CASE("UFFDIO_WAKE", "EINVAL", "ranges") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 1, M_MISSING);
  RESULT("nobody sleeps", u_wake(fd, p, PG));
  RESULT("odd", u_wake(fd, p + 1, PG));
  RESULT("no length", u_wake(fd, p, 0));
}
CASE("userfaultfd", "UFFD_FEATURE_SIGBUS", "no message but a signal") {
  int fd = u_open(O_NONBLOCK, F_SIGBUS);
  char *p = watched(fd, 2, M_MISSING);
  READS("missing", p);
  WRITES("missing", p + PG);
  YES("no message", u_quiet(fd));
  FILL("zero", u_fill(fd, U_ZEROPAGE, p, PG, 0));
  READS("there", p);
}
CASE("userfaultfd", "UFFD_FEATURE_EXACT_ADDRESS", "the place in the page") {
  int fd = u_open(O_NONBLOCK, F_EXACT);
  char *p = watched(fd, 1, M_MISSING);
  pthread_t t = begin(touch, p + 123);
  message(fd, p);
  FILL("zero", u_fill(fd, U_ZEROPAGE, p, PG, 0));
  ends("read", t);
}
CASE("userfaultfd", "UFFD_FEATURE_THREAD_ID", "who faults") {
  int fd = u_open(O_NONBLOCK, F_THREAD_ID);
  char *p = watched(fd, 1, M_MISSING);
  pthread_t t = begin(touch, p);
  struct u_msg m = u_next(fd);
  YES("another thread of ours", m.arg.fault.ptid != 0 && (pid_t)m.arg.fault.ptid != getpid());
  FILL("zero", u_fill(fd, U_ZEROPAGE, p, PG, 0));
  ends("read", t);
}
CASE("userfaultfd", "UFFD_FEATURE_WP_ASYNC", "a write lets the page go by itself") {
  int fd = u_open(O_NONBLOCK, F_WP_ASYNC);
  char *p = watched(fd, 2, M_WP);
  p[0] = 1;
  RESULT("protect", u_protect(fd, p, 2 * PG, 1));
  say("protected %d %d", PM_WP(p), PM_WP(p + PG));
  p[0] = 2;
  say("protected %d %d", PM_WP(p), PM_WP(p + PG));
  YES("no message", u_quiet(fd));
}
CASE("userfaultfd", "UFFD_FEATURE_WP_UNPOPULATED", "pages that are not there") {
  int fd = u_open(O_NONBLOCK, F_WP), wide = u_open(O_NONBLOCK, F_WP | F_WP_UNPOPULATED);
  char *p = watched(fd, 1, M_WP), *q = watched(wide, 1, M_WP);
  RESULT("without", u_protect(fd, p, PG, 1));
  RESULT("with", u_protect(wide, q, PG, 1));
  say("protected %d %d", PM_WP(p), PM_WP(q));
}
static void *reader(void *fd) {
  static struct u_msg m;
  m = u_next((int)(intptr_t)fd);
  return &m;
}
static struct u_msg *told(pthread_t t) {
  void *m;
  pthread_join(t, &m);
  return m;
}
static void show_event(pthread_t t, char *base) {
  struct u_msg *m = told(t);
  say("event %x, %ld to %ld", m->event, (long)(m->arg.remove.start - (u64)(uintptr_t)base) / PG,
      (long)(m->arg.remove.end - (u64)(uintptr_t)base) / PG);
}
CASE("userfaultfd", "UFFD_FEATURE_EVENT_FORK", "the child's memory is watched, too") {
  int fd = u_open(O_NONBLOCK, F_FORK);
  char *p = watched(fd, 1, M_MISSING);
  pthread_t t = begin(reader, (void *)(intptr_t)fd);
  pid_t pid = fork();
  if (pid == 0) _exit(*(volatile char *)p);
  struct u_msg *m = told(t);
  say("event %x", m->event);
  int child = (int)m->arg.fork.ufd;
  message(child, p);
  FILL("zero", u_fill(child, U_ZEROPAGE, p, PG, 0));
  say("child: %s", wait_text(pid));
}
CASE("userfaultfd", "UFFD_FEATURE_EVENT_REMAP", "mremap takes the registration along") {
  int fd = u_open(O_NONBLOCK, F_REMAP);
  char *p = watched(fd, 1, M_MISSING), *to = u_anon(1);
  pthread_t t = begin(reader, (void *)(intptr_t)fd);
  PLACE("move", kmremap(p, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, to), to);
  struct u_msg *m = told(t);
  say("event %x, %ld bytes, from %d to %d", m->event, (long)m->arg.remap.len, m->arg.remap.from == (u64)(uintptr_t)p,
      m->arg.remap.to == (u64)(uintptr_t)to);
  FLAGS("there", to);
}
CASE("userfaultfd", "UFFD_FEATURE_EVENT_REMOVE", "madvise(MADV_DONTNEED)") {
  int fd = u_open(O_NONBLOCK, F_REMOVE);
  char *p = watched(fd, 2, M_MISSING);
  pthread_t t = begin(reader, (void *)(intptr_t)fd);
  RESULT("drop", kmadvise(p + PG, PG, MADV_DONTNEED));
  show_event(t, p);
}
CASE("userfaultfd", "UFFD_FEATURE_EVENT_UNMAP", "munmap") {
  int fd = u_open(O_NONBLOCK, F_UNMAP);
  char *p = watched(fd, 3, M_MISSING);
  pthread_t t = begin(reader, (void *)(intptr_t)fd);
  RESULT("unmap", kmunmap(p + PG, PG));
  show_event(t, p);
  MAPS("lines", p, 3);
}
CASE("userfaultfd", "", "fork without its feature: the child's memory is its own") {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = watched(fd, 1, M_MISSING);
  pid_t pid = fork();
  if (pid == 0) {
    FLAGS("child", p);
    _exit(*(volatile char *)p);
  }
  say("child: %s", wait_text(pid));
  FLAGS("parent", p);
}
CASE("/dev/userfaultfd", "USERFAULTFD_IOC_NEW", "for who may open it") {
  int dev = open("/dev/userfaultfd", O_RDWR);
  MUST(dev);
  int fd = ioctl(dev, U_NEW, O_NONBLOCK);
  RESULT("handshake", u_init(fd, 0));
  RESULT("unknown flag", ioctl(dev, U_NEW, 4));
  RESULT("another call", ioctl(dev, _IO(0xAA, 1), 0));
  drop_root();
  RESULT("for nobody", ioctl(dev, U_NEW, O_NONBLOCK));
  RESULT("to open", open("/dev/userfaultfd", O_RDWR));
}
