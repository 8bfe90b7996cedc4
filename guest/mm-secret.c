/* memfd_secret(2): memory that its processes alone reach: the file, its mappings, and what the kernel refuses to do with them. Needs root. */
#include "check.h"
#include <grp.h>
#include <sys/resource.h>
#include <sys/uio.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static long locked_kib(void) {
  char text[4096], *at;
  int fd = open("/proc/self/status", O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  at = strstr(text, "VmLck:");
  return at ? strtol(at + 6, NULL, 10) : -1;
}
static void vm_flags(const char *what, char *p) {
  char line[512];
  int in = 0;
  FILE *f = fopen("/proc/self/smaps", "r");
  while (fgets(line, sizeof line, f)) {
    unsigned long a, b;
    char rest;
    if (sscanf(line, "%lx-%lx%c", &a, &b, &rest) == 3 && rest == ' ') {
      in = a <= (unsigned long)p && (unsigned long)p < b;
      if (in) say("%s: %ld pages %s", what, (long)(b - a) / PG, strchr(line, '/') ? strtok(strchr(line, '/'), "\n") : "");
    } else if (in && strncmp(line, "VmFlags:", 8) == 0) {
      say("%s: shared %d locked %d undumped %d", what, strstr(line, " sh") != NULL, strstr(line, " lo") != NULL, strstr(line, " dd") != NULL);
    }
  }
  fclose(f);
}
#define MAP(what, len, flags) ERR(what, mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED ? -1 : 0)

int main(void) {
  ERR("a bad flag", syscall(SYS_memfd_secret, 1));
  int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
  NUM("close on exec", fcntl(fd, F_GETFD));
  NUM("access mode", fcntl(fd, F_GETFL) & O_ACCMODE);
  struct stat st;
  MUST(fstat(fd, &st));
  say("mode %o size %ld", st.st_mode, (long)st.st_size);
  char byte[8] = "1234567";
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  char name[64];
  long n = readlink(link, name, sizeof name);
  say("name %.*s", (int)n, name);
  char *p = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  READS("before there is a size", p);
  ERR("size", ftruncate(fd, 4 * PG - 1));
  ERR("another size", ftruncate(fd, PG));
  ERR("the same", ftruncate(fd, 4 * PG - 1));
  NUM("zero", p[PG]);
  p[0] = 's';
  ERR("read", read(fd, byte, 1));
  ERR("write", write(fd, byte, 1));
  ERR("pread", pread(fd, byte, 1, 0));
  ERR("pwrite", pwrite(fd, byte, 1, 0));
  ERR("lseek", lseek(fd, 1, SEEK_SET));
  ERR("fallocate", fallocate(fd, 0, 0, PG));
  ERR("fsync", fsync(fd));
  MAP("private", PG, MAP_PRIVATE);
  vm_flags("mapped", p);
  NUM("locked", locked_kib());
  WRITES("the last page", p + 3 * PG);
  char *far = mmap(NULL, 8 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  READS("beyond the end", far + 4 * PG);
  NUM("another mapping", far[0]);
  NUM("locked", locked_kib());
  munmap(far, 8 * PG);
  NUM("locked", locked_kib());

  int fds[2];
  MUST(pipe(fds));
  RET("the kernel copies from it", write(fds[1], p, 4));
  RET("and to it", read(fds[0], p + 1, 4));
  struct iovec there = {p, 4}, here = {byte, 4};
  ERR("vmsplice", vmsplice(fds[1], &there, 1, 0));
  ERR("process_vm_readv", process_vm_readv(getpid(), &here, 1, &there, 1, 0));
  ERR("process_vm_writev", process_vm_writev(getpid(), &here, 1, &there, 1, 0));
  int mem = open("/proc/self/mem", O_RDWR);
  ERR("read of mem", pread(mem, byte, 4, (off_t)(uintptr_t)p));
  ERR("write of mem", pwrite(mem, byte, 4, (off_t)(uintptr_t)p));
  close(mem);
  ERR("mlock", mlock(p, PG));
  ERR("munlock", munlock(p, PG));
  vm_flags("after it", p);
  ERR("mlockall", mlockall(MCL_CURRENT));
  ERR("munlockall", munlockall());
  vm_flags("after it", p);
  ERR("MADV_DONTNEED", madvise(p, PG, MADV_DONTNEED));
  ERR("MADV_REMOVE", madvise(p, PG, MADV_REMOVE));
  ERR("MADV_POPULATE_READ", madvise(p, PG, 22));
  ERR("mprotect", mprotect(p + PG, PG, PROT_READ));
  WRITES("protected", p + PG);
  char *to = mmap(NULL, 2 * PG, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  YES("moved", mremap(p + 2 * PG, 2 * PG, 2 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
  vm_flags("moved", to);
  IN_CHILD("child", { NUM("sees", p[0]); p[0] = 't'; });
  NUM("shared with it", p[0]);
  close(fd);
  NUM("closed", p[0]);

  struct rlimit limit = {16 * PG, 16 * PG};
  fd = (int)syscall(SYS_memfd_secret, 0);
  MUST(ftruncate(fd, 64 * PG));
  IN_CHILD("another user", {
    MUST(setrlimit(RLIMIT_MEMLOCK, &limit));
    MUST(setgroups(0, NULL));
    MUST(setgid(65534));
    MUST(setuid(65534));
    MAP("more than may be locked", 17 * PG, MAP_SHARED);
    munmap(p, 2 * PG);
    munmap(to, 2 * PG);
    MAP("as much as may be locked", 16 * PG, MAP_SHARED);
    MAP("a page more", PG, MAP_SHARED);
  });
  return 0;
}
