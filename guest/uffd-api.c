/* userfaultfd(2): flags, the handshake, which ranges may be registered and how they show, every error that needs no fault. */
#include "uffd.h"

static void handshake(void) {
  int fd;
  ERR("unknown flag", u_new(2));
  fd = u_new(O_CLOEXEC | O_NONBLOCK);
  NUM("cloexec", fcntl(fd, F_GETFD));
  NUM("getfl", fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK) & ~O_NONBLOCK);
  YES("nonblock", fcntl(fd, F_GETFL) & O_NONBLOCK);
  char name[64] = "", link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, name, sizeof name - 1);
  say("name: %.*s", (int)n, name);
  struct u_api api = {0x55, 0, 0};
  struct u_msg m;
  struct pollfd p = {fd, POLLIN, 0};
  NUM("poll before", poll(&p, 1, 0));
  NUM("revents before", p.revents);
  ERR("read before", read(fd, &m, sizeof m));
  ERR("write", write(fd, &m, sizeof m));
  RET("lseek", lseek(fd, 5, SEEK_SET));
  char *page = u_anon(1);
  ERR("register before", u_reg(fd, page, PG, M_MISSING));
  ERR("wrong api", ioctl(fd, U_IOCTL_API, &api));
  NUM("api after", api.api);
  NUM("features after", api.features);
  api = (struct u_api){U_API, 1ULL << 40, 0};
  ERR("unknown feature", ioctl(fd, U_IOCTL_API, &api));
  NUM("api after", api.api);
  ERR("bad pointer", ioctl(fd, U_IOCTL_API, (void *)8));
  api = (struct u_api){U_API, 0, 99};
  ERR("api", ioctl(fd, U_IOCTL_API, &api));
  say("features %llx ioctls %llx", (unsigned long long)api.features, (unsigned long long)api.ioctls);
  api = (struct u_api){U_API, 0, 99};
  ERR("api again", ioctl(fd, U_IOCTL_API, &api));
  NUM("api after", api.api);
  ERR("unknown ioctl", ioctl(fd, _IO(0xAA, 0x20), 0));
  ERR("other ioctl", ioctl(fd, 0x1234, 0));
  ERR("read empty", read(fd, &m, sizeof m));
  ERR("read short", read(fd, &m, 8));
  p.revents = 0;
  NUM("poll", poll(&p, 1, 0));
  close(fd);
  fd = u_open(0, 0);
  p = (struct pollfd){fd, POLLIN, 0};
  NUM("poll without O_NONBLOCK", poll(&p, 1, 0));
  NUM("revents", p.revents);
  close(fd);
  ERR("user mode only", fd = u_new(1));
  close(fd);
  fd = u_new(O_NONBLOCK);
  api = (struct u_api){U_API, F_WP_ASYNC, 0};
  MUST(ioctl(fd, U_IOCTL_API, &api));
  char text[512] = "";
  snprintf(link, sizeof link, "/proc/self/fdinfo/%d", fd);
  int info = open(link, O_RDONLY);
  n = read(info, text, sizeof text - 1);
  close(info);
  char *from = strstr(text, "pending:");
  say("fdinfo: %s", from ? from : "none");
  close(fd);
  munmap(page, PG);
  int dev = open("/dev/userfaultfd", O_RDWR);
  MUST(dev);
  ERR("dev unknown", ioctl(dev, _IO(0xAA, 9), 0));
  ERR("dev flag", ioctl(dev, U_NEW, 2));
  fd = ioctl(dev, U_NEW, O_NONBLOCK | O_CLOEXEC);
  YES("dev new", fd >= 0);
  NUM("dev api", u_init(fd, 0));
  close(fd);
  close(dev);
}

static void registered(void) {
  int fd = u_open(O_NONBLOCK, 0), other = u_open(O_NONBLOCK, 0);
  char *p = u_anon(8);
  struct u_register r = {{(u64)(uintptr_t)p, 4 * PG}, M_MISSING, 0};
  ERR("register", ioctl(fd, U_REGISTER, &r));
  say("ioctls %llx", (unsigned long long)r.ioctls);
  u_vma("first", p);
  u_vma("rest", p + 4 * PG);
  ERR("same again", u_reg(fd, p, 4 * PG, M_MISSING));
  ERR("the rest", u_reg(fd, p + 4 * PG, 4 * PG, M_MISSING));
  u_vma("whole", p);
  ERR("other descriptor", u_reg(other, p, PG, M_MISSING));
  ERR("unregister by the other", u_unreg(other, p, PG));
  r = (struct u_register){{(u64)(uintptr_t)p, PG}, M_WP, 0};
  ERR("add wp", ioctl(fd, U_REGISTER, &r));
  say("ioctls %llx", (unsigned long long)r.ioctls);
  u_vma("page 0", p);
  u_vma("page 1", p + PG);
  r = (struct u_register){{(u64)(uintptr_t)p, PG}, M_WP | M_MISSING, 0};
  ERR("both", ioctl(fd, U_REGISTER, &r));
  u_vma("page 0", p);
  ERR("unregister a middle", u_unreg(fd, p + 4 * PG, PG));
  u_vma("page 4", p + 4 * PG);
  u_vma("page 5", p + 5 * PG);
  ERR("unregister again", u_unreg(fd, p + 4 * PG, PG));
  ERR("unregister all", u_unreg(fd, p, 8 * PG));
  u_vma("whole", p);
  ERR("register for the other", u_reg(other, p, 8 * PG, M_MISSING));
  close(other);
  u_vma("closed", p);
  MUST(u_reg(fd, p, 2 * PG, M_MISSING));
  ERR("protect one", mprotect(p, PG, PROT_READ));
  u_vma("page 0", p);
  u_vma("page 1", p + PG);
  close(fd);
  u_vma("page 0", p);
  u_vma("page 1", p + PG);
  munmap(p, 8 * PG);
}

static void errors(void) {
  int fd = u_open(O_NONBLOCK, 0);
  char *p = u_anon(4), *hole = u_anon(8), *ro;
  munmap(hole + 2 * PG, 2 * PG);
  ERR("no mode", u_reg(fd, p, PG, 0));
  ERR("bad mode", u_reg(fd, p, PG, 8));
  ERR("length 0", u_reg(fd, p, 0, M_MISSING));
  ERR("odd length", u_reg(fd, p, 100, M_MISSING));
  ERR("odd address", u_reg(fd, p + 1, PG, M_MISSING));
  ERR("beyond", u_reg(fd, (void *)(1ULL << 62), PG, M_MISSING));
  ERR("low", u_reg(fd, (void *)0, PG, M_MISSING));
  ERR("wraps", u_reg(fd, p, (long)-PG, M_MISSING));
  ERR("minor on anonymous", u_reg(fd, p, PG, M_MINOR));
  ERR("bad pointer", ioctl(fd, U_REGISTER, (void *)8));
  ERR("across a hole", u_reg(fd, hole, 8 * PG, M_MISSING));
  u_vma("before the hole", hole);
  u_vma("behind the hole", hole + 4 * PG);
  ERR("unregister across", u_unreg(fd, hole, 8 * PG));
  u_vma("before the hole", hole);
  ERR("only a hole", u_reg(fd, hole + 2 * PG, PG, M_MISSING));
  u_vma("behind the hole", hole + 4 * PG);
  ERR("unregister a hole", u_unreg(fd, hole + 2 * PG, PG));
  ERR("unregister odd", u_unreg(fd, p + 1, PG));
  ERR("unregister nothing", u_unreg(fd, p, 0));
  int file = open("/tmp/uffd-api.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  unlink("/tmp/uffd-api.file");
  MUST(ftruncate(file, 4 * PG));
  ro = mmap(NULL, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ERR("read-only private", u_reg(fd, ro, PG, M_MISSING));
  munmap(ro, PG);
  int mem = memfd_create("uffd", 0);
  MUST(ftruncate(mem, 4 * PG));
  char *shared = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, mem, 0);
  char *private = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, mem, 0);
  char *anon = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ERR("memfd missing", u_reg(fd, shared, PG, M_MISSING));
  struct u_register r = {{(u64)(uintptr_t)shared, PG}, M_MISSING | M_MINOR | M_WP, 0};
  ERR("memfd all", ioctl(fd, U_REGISTER, &r));
  say("ioctls %llx", (unsigned long long)r.ioctls);
  u_vma("memfd", shared);
  ERR("private memfd minor", u_reg(fd, private, PG, M_MINOR));
  ERR("shared anonymous wp", u_reg(fd, anon, PG, M_WP));
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", mem);
  int rofd = open(path, O_RDONLY);
  ro = mmap(NULL, PG, PROT_READ, MAP_SHARED, rofd, 0);
  ERR("shared of a read-only descriptor", u_reg(fd, ro, PG, M_MISSING));
  munmap(ro, PG);
  close(rofd);
  close(fd);
  fd = u_open(O_NONBLOCK, F_WP_ASYNC);
  ERR("async wp", u_reg(fd, p, PG, M_WP));
  ERR("async wp and missing", u_reg(fd, p, PG, M_WP | M_MISSING));
  close(fd);

  fd = u_open(O_NONBLOCK, 0);
  MUST(u_reg(fd, p, 2 * PG, M_MISSING));
  char *src = u_anon(4);
  memset(src, 7, 4 * PG);
  FILL("copy odd", u_copy(fd, p, src, 100, 0));
  FILL("copy nothing", u_copy(fd, p, src, 0, 0));
  FILL("copy odd target", u_copy(fd, p + 1, src, PG, 0));
  FILL("copy bad mode", u_copy(fd, p, src, PG, 4));
  FILL("copy bad source", u_copy(fd, p, (void *)(1ULL << 62), PG, 0));
  FILL("copy unmapped source", u_copy(fd, p, hole + 2 * PG, PG, 0));
  FILL("copy elsewhere", u_copy(fd, p + 2 * PG, src, PG, 0));
  FILL("copy over the end", u_copy(fd, p + PG, src, 2 * PG, 0));
  FILL("copy wp", u_copy(fd, p, src, PG, 2));
  FILL("copy", u_copy(fd, p + PG, src + 3, PG, 0));
  NUM("copied", p[PG]);
  FILL("copy again", u_copy(fd, p + PG, src, PG, 0));
  FILL("copy two", u_copy(fd, p, src, 2 * PG, 0));
  NUM("copied", p[0]);
  FILL("zero present", u_fill(fd, U_ZEROPAGE, p, PG, 0));
  FILL("zero bad mode", u_fill(fd, U_ZEROPAGE, p, PG, 2));
  FILL("continue anonymous", u_fill(fd, U_CONTINUE, p, PG, 0));
  FILL("poison present", u_fill(fd, U_POISON, p, PG, 0));
  ERR("protect without wp", u_protect(fd, p, PG, 1));
  ERR("protect bad mode", u_protect(fd, p, PG, 4));
  ERR("protect both", u_protect(fd, p, PG, 3));
  ERR("protect odd", u_protect(fd, p + 1, PG, 1));
  ERR("wake", u_wake(fd, p, PG));
  ERR("wake nothing", u_wake(fd, p, 0));
  ERR("wake odd", u_wake(fd, p + 1, PG));
  ERR("wake elsewhere", u_wake(fd, hole, PG));
  ERR("copy bad pointer", ioctl(fd, U_COPY, (void *)8));
  ERR("zero bad pointer", ioctl(fd, U_ZEROPAGE, (void *)8));
  ERR("protect bad pointer", ioctl(fd, U_WRITEPROTECT, (void *)8));
  ERR("wake bad pointer", ioctl(fd, U_WAKE, (void *)8));
  munmap(p, 4 * PG);
  FILL("copy to nothing", u_copy(fd, p, src, PG, 0));
  close(fd);
}

static void gone(void) {
  int fd = u_open(O_NONBLOCK, 0);
  int pair[2];
  MUST(pipe(pair));
  char *p = u_anon(2), *src = u_anon(1), byte = 0;
  fflush(stdout);
  /* The child's descriptor serves the parent's memory; when a process is gone its descriptor's calls find no memory. */
  pid_t child = fork();
  if (child == 0) {
    FILL("parent's memory, not registered", u_copy(fd, p, src, PG, 0));
    _exit(0);
  }
  waitpid(child, NULL, 0);
  close(fd);
  int sock[2];
  MUST(pipe(sock));
  child = fork();
  if (child == 0) {
    int own = u_open(O_NONBLOCK, 0);
    MUST(u_reg(own, p, 2 * PG, M_MISSING));
    pid_t grandchild = fork();
    if (grandchild == 0) {
      u_vma("in a fork", p);
      if (read(pair[0], &byte, 1) != 1) _exit(1);
      FILL("copy to the dead", u_copy(own, p, src, PG, 0));
      ERR("register of the dead", u_reg(own, p, PG, M_MISSING));
      ERR("unregister of the dead", u_unreg(own, p, PG));
      ERR("protect of the dead", u_protect(own, p, PG, 1));
      FILL("zero of the dead", u_fill(own, U_ZEROPAGE, p, PG, 0));
      _exit(0);
    }
    if (write(sock[1], &grandchild, sizeof grandchild) != sizeof grandchild) _exit(1);
    _exit(0);
  }
  pid_t grandchild;
  if (read(sock[0], &grandchild, sizeof grandchild) != sizeof grandchild) _exit(1);
  waitpid(child, NULL, 0);
  if (write(pair[1], "x", 1) != 1) _exit(1);
  close(pair[1]);
  close(pair[0]);
  /* The grandchild's end is seen by the end of the pipe that it holds. */
  close(sock[1]);
  while (read(sock[0], &byte, 1) > 0) ;
}

int main(void) {
  handshake();
  registered();
  errors();
  gone();
  if (setresuid(1000, 1000, 1000) != 0) say("setresuid failed");
  ERR("unprivileged", u_new(0));
  int fd = u_new(1);
  YES("unprivileged user mode only", fd >= 0);
  ERR("event fork", u_init(fd, F_FORK));
  ERR("api", u_init(fd, 0));
  return 0;
}
