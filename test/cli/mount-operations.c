/* Does file operations named on its command line, one after the other, and prints what came of each. For mounts.test.ts. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *name_of(int e) {
  return e == ENOENT ? "ENOENT" : e == EROFS ? "EROFS" : e == EEXIST ? "EEXIST" : e == ELOOP ? "ELOOP" : e == EACCES ? "EACCES"
    : e == EXDEV ? "EXDEV" : e == ENOTDIR ? "ENOTDIR" : e == EISDIR ? "EISDIR" : e == EBUSY ? "EBUSY" : e == ENOTEMPTY ? "ENOTEMPTY" : "other error";
}
static void done(const char *what, long result) {
  if (result < 0) printf("%s %s\n", what, name_of(errno));
  else printf("%s ok\n", what);
  fflush(stdout);
}
static long put(const char *path, const char *text, int flags) {
  int fd = open(path, flags, 0644);
  if (fd < 0) return -1;
  long n = write(fd, text, strlen(text));
  return close(fd) < 0 ? -1 : n;
}
static void show(int fd) {
  char text[4096];
  long n = fd < 0 ? -1 : pread(fd, text, sizeof text, 0);
  if (n < 0) printf("read %s\n", name_of(errno));
  else printf("read [%.*s]\n", (int)n, text);
}
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static void list(const char *path) {
  DIR *d = opendir(path);
  char *names[100];
  int count = 0;
  if (!d) { done("list", -1); return; }
  for (struct dirent *e; (e = readdir(d)) && count < 100;) if (e->d_name[0] != '.') names[count++] = strdup(e->d_name);
  closedir(d);
  qsort(names, (size_t)count, sizeof *names, by_name);
  printf("list");
  for (int i = 0; i < count; i++) printf(" %s", names[i]);
  printf("\n");
}

int main(int argc, char **argv) {
  int held = -1;
  for (int i = 1; i < argc; i++) {
    const char *op = argv[i];
#define NEXT argv[++i]
    if (!strcmp(op, "write")) { const char *p = NEXT; done(op, put(p, NEXT, O_WRONLY | O_CREAT | O_TRUNC)); }
    else if (!strcmp(op, "append")) { const char *p = NEXT; done(op, put(p, NEXT, O_WRONLY | O_APPEND)); }
    else if (!strcmp(op, "read")) { int fd = open(NEXT, O_RDONLY); show(fd); if (fd >= 0) close(fd); }
    else if (!strcmp(op, "hold")) { held = open(NEXT, O_RDWR | O_CREAT, 0644); done(op, held); }
    else if (!strcmp(op, "put")) { const char *t = NEXT; done(op, pwrite(held, t, strlen(t), 0)); }
    else if (!strcmp(op, "show")) show(held);
    else if (!strcmp(op, "fsync")) done(op, fsync(held));
    else if (!strcmp(op, "wait")) { char c; printf("waiting\n"); fflush(stdout); if (read(0, &c, 1) < 0) return 1; }
    else if (!strcmp(op, "unlink")) done(op, unlink(NEXT));
    else if (!strcmp(op, "rmdir")) done(op, rmdir(NEXT));
    else if (!strcmp(op, "mkdir")) done(op, mkdir(NEXT, 0750));
    else if (!strcmp(op, "rename")) { const char *p = NEXT; done(op, rename(p, NEXT)); }
    else if (!strcmp(op, "link")) { const char *p = NEXT; done(op, link(p, NEXT)); }
    else if (!strcmp(op, "symlink")) { const char *p = NEXT; done(op, symlink(p, NEXT)); }
    else if (!strcmp(op, "chmod")) { const char *p = NEXT; done(op, chmod(p, (mode_t)strtol(NEXT, NULL, 8))); }
    else if (!strcmp(op, "utime")) {
      const char *p = NEXT;
      struct timespec t[2] = {{atol(NEXT), 250000000}, {0, 0}};
      t[1] = t[0];
      done(op, utimensat(AT_FDCWD, p, t, 0));
    } else if (!strcmp(op, "stat")) {
      struct stat s;
      if (lstat(NEXT, &s) < 0) done(op, -1);
      else printf("stat %o %ld %ld.%09ld links %ld\n", s.st_mode, (long)s.st_size, (long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec, (long)s.st_nlink);
    } else if (!strcmp(op, "list")) list(NEXT);
    else if (!strcmp(op, "truncate")) { const char *p = NEXT; done(op, truncate(p, atol(NEXT))); }
    else if (!strcmp(op, "map")) {
      long size = lseek(held, 0, SEEK_END);
      char *p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, held, 0);
      if (p == MAP_FAILED) { done(op, -1); i++; continue; }
      const char *t = NEXT;
      memcpy(p, t, strlen(t));
      done(op, 0);
    } else if (!strcmp(op, "msync")) {
      // Every shared map of the held file: map it again, the pages are the same.
      long size = lseek(held, 0, SEEK_END);
      char *p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, held, 0);
      p[0] = p[0];
      done(op, msync(p, (size_t)size, MS_SYNC));
    } else if (!strcmp(op, "at")) { long pos = atol(NEXT); const char *t = NEXT; done(op, pwrite(held, t, strlen(t), pos)); }
    else if (!strcmp(op, "peek")) { char c = '?'; long pos = atol(NEXT); if (pread(held, &c, 1, pos) != 1) c = '-'; printf("peek %d\n", c); }
    else if (!strcmp(op, "die")) { fflush(stdout); _exit(3); }
    else { printf("unknown %s\n", op); return 2; }
  }
  return 0;
}
