/* rename with its flags, hard links, renames over open files and folders, openat2, statx, chroot, utimensat. */
#include "check.h"
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/sysmacros.h>

static void put(const char *name, const char *text) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write(fd, text, strlen(text));
  close(fd);
}
static const char *get(const char *name) {
  static char text[64];
  int fd = open(name, O_RDONLY);
  if (fd < 0) return err_name(errno);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n < 0) return err_name(errno);
  text[n] = 0;
  return text;
}
static long rename2(const char *from, const char *to, unsigned flags) {
  return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}
static long open2(int dir, const char *name, struct open_how how, size_t size) {
  return syscall(SYS_openat2, dir, name, &how, size);
}
static long get_statx(int dir, const char *name, int flags, unsigned mask, struct statx *x) {
  return syscall(SYS_statx, dir, name, flags, mask, x);
}
static long links(const char *name) {
  struct stat s;
  return stat(name, &s) == 0 ? (long)s.st_nlink : -1;
}

int main(void) {
  scratch();
  put("a", "A");
  put("b", "B");
  ERR("noreplace", rename2("a", "b", 1));
  ERR("noreplace to a new name", rename2("a", "c", 1));
  ERR("exchange", rename2("c", "b", 2));
  say("c %s", get("c"));
  say("b %s", get("b"));
  ERR("exchange with nothing", rename2("c", "absent", 2));
  ERR("both flags", rename2("c", "b", 3));
  ERR("unknown flag", rename2("c", "b", 64));
  int open_b = open("c", O_RDONLY);
  ERR("over an open file", rename("b", "c"));
  char text[8] = {0};
  read(open_b, text, 1);
  say("open file still %s, name now %s", text, get("c"));
  ERR("to itself", rename("c", "c"));
  link("c", "d");
  ERR("to another link of it", rename("c", "d"));
  say("both stay: %ld %ld", links("c"), links("d"));
  mkdir("x", 0755);
  mkdir("x/y", 0755);
  mkdir("e", 0755);
  ERR("folder into itself", rename("x", "x/y/z"));
  ERR("file over a folder", rename("c", "e"));
  ERR("folder over a file", rename("e", "c"));
  ERR("folder over a full one", rename("e", "x"));
  ERR("folder over an empty one", rename("x/y", "e"));
  NUM("links of x", links("x"));
  ERR("a folder and a file exchanged", rename2("x", "c", 2));
  say("now %s", get("x"));
  ERR("the folder's name with a slash", rename("c/", "back/"));
  ERR("a file's name with a slash", rename("x", "back2/"));
  ERR("a dot", rename(".", "q"));
  ERR("dot dot", rename("back/..", "q"));
  symlink("x", "s");
  ERR("a link itself", rename("s", "t"));
  say("it leads to %s", get("t"));
  ERR("hard link to a folder", link("back", "f"));
  ERR("link to a link", linkat(AT_FDCWD, "t", AT_FDCWD, "t2", 0));
  struct stat s;
  lstat("t2", &s);
  NUM("is a link", S_ISLNK(s.st_mode));
  ERR("link to its target", linkat(AT_FDCWD, "t", AT_FDCWD, "t3", AT_SYMLINK_FOLLOW));
  lstat("t3", &s);
  NUM("is a file", S_ISREG(s.st_mode));
  ERR("rmdir of a full one", rmdir("."));
  ERR("rmdir of a file", rmdir("x"));
  ERR("unlink of a folder", unlink("back"));

  say("-- openat2");
  struct open_how how = {.flags = O_RDONLY};
  ERR("plain", open2(AT_FDCWD, "x", how, sizeof how));
  ERR("small struct", open2(AT_FDCWD, "x", how, 8));
  how.flags = 1ULL << 40;
  ERR("unknown flag", open2(AT_FDCWD, "x", how, sizeof how));
  how = (struct open_how){.flags = O_RDONLY, .mode = 0600};
  ERR("a mode without O_CREAT", open2(AT_FDCWD, "x", how, sizeof how));
  how = (struct open_how){.flags = O_CREAT | O_RDWR, .mode = 010000000};
  ERR("a wild mode", open2(AT_FDCWD, "x", how, sizeof how));
  how = (struct open_how){.flags = O_RDONLY, .resolve = 1ULL << 30};
  ERR("unknown resolve", open2(AT_FDCWD, "x", how, sizeof how));
  how.resolve = RESOLVE_NO_SYMLINKS;
  ERR("no links: a link", open2(AT_FDCWD, "t", how, sizeof how));
  ERR("no links: a file", open2(AT_FDCWD, "x", how, sizeof how));
  how.resolve = RESOLVE_BENEATH;
  ERR("beneath: up", open2(AT_FDCWD, "../x", how, sizeof how));
  ERR("beneath: absolute", open2(AT_FDCWD, "/tmp", how, sizeof how));
  ERR("beneath: inside", open2(AT_FDCWD, "back/../x", how, sizeof how));
  how.resolve = RESOLVE_IN_ROOT;
  int here = open(".", O_RDONLY | O_DIRECTORY);
  ERR("in root: absolute", open2(here, "/x", how, sizeof how));
  ERR("in root: up", open2(here, "../../x", how, sizeof how));
  how.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
  ERR("both", open2(here, "x", how, sizeof how));
  how = (struct open_how){.flags = O_RDONLY, .resolve = RESOLVE_NO_MAGICLINKS};
  ERR("no magic links", open2(AT_FDCWD, "/proc/self/exe", how, sizeof how));
  how.resolve = RESOLVE_NO_XDEV;
  ERR("no other mount", open2(AT_FDCWD, "/proc/self/maps", how, sizeof how));

  say("-- statx");
  struct statx x;
  put("z", "12345");
  chmod("z", 04751);
  ERR("statx", get_statx(AT_FDCWD, "z", 0, STATX_BASIC_STATS, &x));
  say("mode %o size %ld links %d basics %d", x.stx_mode, (long)x.stx_size, (int)x.stx_nlink,
      (x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
  stat("z", &s);
  YES("same as stat", x.stx_ino == s.st_ino && makedev(x.stx_dev_major, x.stx_dev_minor) == s.st_dev &&
      x.stx_mtime.tv_sec == s.st_mtim.tv_sec && x.stx_mtime.tv_nsec == (unsigned)s.st_mtim.tv_nsec);
  ERR("of a descriptor", get_statx(here, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x));
  NUM("a folder", S_ISDIR(x.stx_mode));
  ERR("empty", get_statx(AT_FDCWD, "", 0, STATX_BASIC_STATS, &x));
  ERR("bad flag", get_statx(AT_FDCWD, "z", 0x80000000, STATX_BASIC_STATS, &x));
  ERR("reserved mask", get_statx(AT_FDCWD, "z", 0, 0x80000000u, &x));
  ERR("the link itself", get_statx(AT_FDCWD, "t", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x));
  NUM("a link", S_ISLNK(x.stx_mode));

  say("-- times");
  struct timespec times[2] = {{1000000000, 1}, {1500000000, 999999999}};
  ERR("set", utimensat(AT_FDCWD, "z", times, 0));
  stat("z", &s);
  say("%ld.%09ld %ld.%09ld", (long)s.st_atim.tv_sec, s.st_atim.tv_nsec, (long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_nsec = UTIME_NOW;
  ERR("omit and now", utimensat(AT_FDCWD, "z", times, 0));
  stat("z", &s);
  say("%ld.%09ld later %d", (long)s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec > 1500000000);
  times[0].tv_nsec = 1000000000;
  ERR("bad ns", utimensat(AT_FDCWD, "z", times, 0));
  times[0] = (struct timespec){-5, 7};
  times[1] = (struct timespec){5000000000, 0};
  ERR("before the epoch, after 2106", utimensat(AT_FDCWD, "z", times, 0));
  stat("z", &s);
  say("%ld.%ld %ld", (long)s.st_atim.tv_sec, s.st_atim.tv_nsec, (long)s.st_mtim.tv_sec);

  say("-- chroot");
  IN_CHILD("child", {
    mkdir("back/in", 0755);
    put("back/in/f", "inside");
    ERR("chroot", chroot("back"));
    ERR("chdir", chdir("/"));
    say("%s", get("/in/f"));
    say("%s", get("/../../in/f"));
    ERR("outside", open("/proc/self", O_RDONLY));
    symlink("/in/f", "/l");
    say("%s", get("/l"));
    char path[64] = {0};
    chdir("/in");
    say("%s", getcwd(path, sizeof path));
    ERR("chroot of a file", chroot("/in/f"));
    fchdir(here);
    say("outside again: %s", get("z"));
    chdir("..");
    unlink("/l");
    unlink("/in/f");
    rmdir("/in");
  });
  for (const char *names[] = {"c", "d", "x", "t", "t2", "t3", "z", NULL}, **n = names; *n; n++) unlink(*n);
  rmdir("e");
  rmdir("x");
  rmdir("back");
  return 0;
}
