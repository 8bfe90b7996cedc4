/* userfaultfd's other sides: faults on pages that the cache has, moved and poisoned pages, events of the program's own mappings. */
#include "uffd.h"

static int fd;
static char *area;

static void minor(void) {
  int mem = memfd_create("uffd-more", 0);
  MUST(ftruncate(mem, 8 * PG));
  area = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
  char *other = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
  fd = u_open(O_NONBLOCK, F_MINOR_SHMEM);
  MUST(u_reg(fd, area, 8 * PG, M_MINOR));
  other[0] = 1, other[PG] = 2, other[2 * PG] = 3;
  pthread_t t = u_start(u_read_byte, area);
  u_fault("read what is cached", fd, area);
  FILL("continue", u_fill(fd, U_CONTINUE, area, PG, 0));
  NUM("read", u_join(t));
  t = u_start(u_write_byte, area + PG);
  u_fault("write what is cached", fd, area);
  other[PG + 1] = 5;
  FILL("continue", u_fill(fd, U_CONTINUE, area + PG, PG, 0));
  u_join(t);
  say("both see %d %d", other[PG], area[PG + 1]);
  FILL("continue again", u_fill(fd, U_CONTINUE, area, PG, 0));
  FILL("continue nothing", u_fill(fd, U_CONTINUE, area + 5 * PG, PG, 0));
  FILL("continue two of three", u_fill(fd, U_CONTINUE, area + 2 * PG, 2 * PG, 0));
  FILL("continue beyond", u_fill(fd, U_CONTINUE, area + 7 * PG, 2 * PG, 0));
  FILL("bad mode", u_fill(fd, U_CONTINUE, area + 2 * PG, PG, 4));
  FILL("to protect what is not registered so", u_fill(fd, U_CONTINUE, area + 2 * PG, PG, 2));
  NUM("a hole fills by itself", area[4 * PG]);
  MUST(madvise(area, 8 * PG, MADV_DONTNEED));
  t = u_start(u_read_byte, area + PG);
  u_fault("dropped from the tables", fd, area);
  FILL("continue all", u_fill(fd, U_CONTINUE, area, 3 * PG, 1));
  ERR("wake", u_wake(fd, area, 8 * PG));
  NUM("read", u_join(t));
  ERR("both kinds", u_reg(fd, area, 8 * PG, M_MINOR | M_MISSING));
  t = u_start(u_read_byte, area + 6 * PG);
  u_fault("missing", fd, area);
  FILL("zero", u_fill(fd, U_ZEROPAGE, area + 6 * PG, PG, 0));
  NUM("read", u_join(t));
  other[7 * PG] = 7;
  t = u_start(u_read_byte, area + 7 * PG);
  u_fault("cached", fd, area);
  MUST(fallocate(mem, 3, 7 * PG, PG));
  FILL("gone meanwhile", u_fill(fd, U_CONTINUE, area + 7 * PG, PG, 0));
  FILL("copy instead", u_copy(fd, area + 7 * PG, other, PG, 0));
  NUM("read", u_join(t));
  close(fd);
  char *private = mmap(NULL, 2 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, mem, 0);
  fd = u_open(O_NONBLOCK, F_MINOR_SHMEM);
  area = private;
  ERR("private", u_reg(fd, private, 2 * PG, M_MINOR));
  t = u_start(u_write_byte, private);
  u_fault("private write", fd, area);
  FILL("continue", u_fill(fd, U_CONTINUE, private, PG, 0));
  u_join(t);
  say("own %d, file %d", private[0], other[0]);
  close(fd);
  close(mem);
}

static void moved(void) {
  fd = u_open(O_NONBLOCK, F_MOVE);
  area = u_anon(8);
  char *source = u_anon(8), *ro = u_anon(2);
  MUST(u_reg(fd, area, 8 * PG, M_MISSING));
  memset(source, 3, 4 * PG);
  source[0] = 11;
  pthread_t t = u_start(u_read_byte, area);
  u_fault("missing", fd, area);
  FILL("move", u_move(fd, area, source, PG, 0));
  NUM("read", u_join(t));
  NUM("left behind", source[0]);
  YES("its neighbour stays", (u_pagemap(source + PG) >> 63) == 1);
  FILL("to what is there", u_move(fd, area, source + PG, PG, 0));
  FILL("from a hole", u_move(fd, area + PG, source + 5 * PG, PG, 0));
  FILL("from a hole, allowed", u_move(fd, area + PG, source + 5 * PG, PG, 2));
  FILL("two and a hole", u_move(fd, area + PG, source + 2 * PG, 3 * PG, 0));
  FILL("onto itself", u_move(fd, area, area, PG, 0));
  FILL("length 0", u_move(fd, area, source, 0, 0));
  FILL("odd", u_move(fd, area + 1, source, PG, 0));
  FILL("bad mode", u_move(fd, area + 4 * PG, source + PG, PG, 4));
  FILL("not registered", u_move(fd, source + 6 * PG, source + PG, PG, 0));
  FILL("source unmapped", u_move(fd, area + 4 * PG, area + (1L << 24), PG, 0));
  ro[0] = 1;
  MUST(mprotect(ro, 2 * PG, PROT_READ));
  FILL("from read-only", u_move(fd, area + 4 * PG, ro, PG, 0));
  source[PG] = 4;
  pid_t child = fork();
  if (child == 0) _exit(source[PG]);
  say("child: %s", wait_text(child));
  FILL("shared no more", u_move(fd, area + 4 * PG, source + PG, PG, 0));
  MUST(mlock(source + 6 * PG, PG));
  FILL("locked to not locked", u_move(fd, area + 5 * PG, source + 6 * PG, PG, 0));
  MUST(munlock(source + 6 * PG, PG));
  int mem = memfd_create("uffd-more", 0);
  MUST(ftruncate(mem, PG));
  char *file = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
  file[0] = 1;
  FILL("from a file", u_move(fd, area + 5 * PG, file, PG, 0));
  close(mem);
  NUM("zero page", source[7 * PG]);
  FILL("move the zero page", u_move(fd, area + 6 * PG, source + 7 * PG, PG, 0));
  close(fd);
}

static void poisoned(void) {
  fd = u_open(O_NONBLOCK, F_POISON);
  area = u_anon(4);
  MUST(u_reg(fd, area, 4 * PG, M_MISSING));
  FILL("poison", u_fill(fd, U_POISON, area, 2 * PG, 0));
  READS("poisoned", area);
  WRITES("poisoned", area + PG);
  FILL("again", u_fill(fd, U_POISON, area, PG, 0));
  FILL("copy onto it", u_copy(fd, area, area, PG, 0));
  int zero = open("/dev/zero", O_RDONLY);
  RET("a call's store", read(zero, area, 8));
  close(zero);
  pid_t child = fork();
  if (child == 0) {
    READS("in a child", area);
    _exit(0);
  }
  say("child: %s", wait_text(child));
  ERR("drop", madvise(area, PG, MADV_DONTNEED));
  FILL("zero", u_fill(fd, U_ZEROPAGE, area, PG, 0));
  READS("dropped", area);
  READS("the other", area + PG);
  FILL("bad mode", u_fill(fd, U_POISON, area + 2 * PG, PG, 2));
  char *to = mremap(area + PG, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, u_anon(1));
  READS("moved by mremap", to);
  close(fd);
}

/* What the reader saw, said when it has ended: the calls go on as soon as their message is read. */
static char story[2048];
static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...) {
  size_t used = strlen(story);
  va_list list;
  va_start(list, format);
  vsnprintf(story + used, sizeof story - used - 2, format, list);
  va_end(list);
  strcat(story, "\n");
}

static void *event_reader(void *arg) {
  (void)arg;
  for (;;) {
    struct u_msg m = u_next(fd);
    u64 base = (u64)(uintptr_t)area;
    if (m.event == EV_REMAP) {
      tell("remap from %ld, %ld pages", (long)(m.arg.remap.from - base) / PG, (long)m.arg.remap.len / PG);
    } else if (m.event == EV_REMOVE || m.event == EV_UNMAP) {
      tell("%s %ld to %ld", m.event == EV_REMOVE ? "remove" : "unmap", (long)(m.arg.remove.start - base) / PG,
          (long)(m.arg.remove.end - base) / PG);
      if (m.event == EV_UNMAP && m.arg.remove.start == base + 14 * PG) return NULL;
    } else if (m.event == EV_FORK) {
      int child = (int)m.arg.fork.ufd;
      tell("a descriptor for the child: %d", child >= 0 && fcntl(child, F_GETFD) >= 0);
      /* The child touches a page that is not there: its fault comes here. */
      int parent = fd;
      fd = child;
      struct u_msg f = u_next(child);
      tell("fault of the child: %x at %ld", f.event, (long)(f.arg.fault.address - base) / PG);
      tell("zero for the child: %d", u_fill(child, U_ZEROPAGE, (void *)(uintptr_t)f.arg.fault.address, PG, 0));
      fd = parent;
      close(child);
    } else {
      tell("event %x", m.event);
    }
  }
}

static void events(void) {
  fd = u_open(O_NONBLOCK, F_FORK | F_REMAP | F_REMOVE | F_UNMAP);
  area = u_anon(16);
  MUST(u_reg(fd, area, 16 * PG, M_MISSING));
  FILL("zero", u_fill(fd, U_ZEROPAGE, area, 16 * PG, 0));
  pthread_t t = u_start(event_reader, NULL);
  ERR("drop", madvise(area + PG, 2 * PG, MADV_DONTNEED));
  ERR("free", madvise(area + 3 * PG, PG, MADV_FREE));
  ERR("unmap", munmap(area + 4 * PG, PG));
  char *to = u_anon(2);
  YES("move", mremap(area + 6 * PG, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
  u_vma("moved along", to);
  YES("shrink in place", mremap(area + 8 * PG, 2 * PG, PG, 0) == area + 8 * PG);
  pid_t child = fork();
  if (child == 0) _exit(area[PG]);
  say("child: %s", wait_text(child));
  ERR("map over", mmap(area + 11 * PG, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0);
  ERR("the end", munmap(area + 14 * PG, 2 * PG));
  u_join(t);
  for (char *line = story, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) say("event: %.*s", (int)(end - line), line);
  close(fd);
  /* Without the features a fork and a move leave the registration behind. */
  fd = u_open(O_NONBLOCK, 0);
  area = u_anon(4);
  MUST(u_reg(fd, area, 4 * PG, M_MISSING));
  child = fork();
  if (child == 0) {
    u_vma("in the child", area);
    _exit(area[0]);
  }
  say("child: %s", wait_text(child));
  to = u_anon(1);
  YES("move", mremap(area, PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
  u_vma("left behind", to);
  u_vma("the rest", area + PG);
  close(fd);
}

static void rights(void) {
  fd = u_open(O_NONBLOCK | 1, 0);
  area = u_anon(2);
  MUST(u_reg(fd, area, 2 * PG, M_MISSING));
  int zero = open("/dev/zero", O_RDONLY);
  RET("the kernel's fault, watched for the program alone", read(zero, area, 8));
  close(zero);
  pthread_t t = u_start(u_read_byte, area);
  u_fault("the program's", fd, area);
  FILL("zero", u_fill(fd, U_ZEROPAGE, area, PG, 0));
  NUM("read", u_join(t));
  close(fd);
  pid_t child = fork();
  if (child == 0) {
    MUST(setresuid(1000, 1000, 1000));
    ERR("without rights", u_new(0));
    int own = u_new(1);
    YES("for the program alone", own >= 0);
    ERR("told of forks", u_init(own, F_FORK));
    ERR("plain", u_init(own, 0));
    ERR("the device", open("/dev/userfaultfd", O_RDWR));
    _exit(0);
  }
  say("child: %s", wait_text(child));
}

int main(void) {
  minor();
  moved();
  poisoned();
  events();
  rights();
  return 0;
}
