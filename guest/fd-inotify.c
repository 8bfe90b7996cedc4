/* inotify(7): every event, its order, names, cookies, merging, flags of watches, what happens to a watch whose file goes (6.18). */
#include "check.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

#ifndef IN_MASK_CREATE
#define IN_MASK_CREATE 0x10000000
#endif

static int fd;

static const char *names_of(uint32_t mask) {
  static const struct { uint32_t bit; const char *name; } all[] = {{IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"},
    {IN_ATTRIB, "ATTRIB"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"}, {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"}, {IN_OPEN, "OPEN"},
    {IN_MOVED_FROM, "MOVED_FROM"}, {IN_MOVED_TO, "MOVED_TO"}, {IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"},
    {IN_DELETE_SELF, "DELETE_SELF"}, {IN_MOVE_SELF, "MOVE_SELF"}, {IN_UNMOUNT, "UNMOUNT"}, {IN_Q_OVERFLOW, "Q_OVERFLOW"},
    {IN_IGNORED, "IGNORED"}, {IN_ISDIR, "ISDIR"}};
  static char text[256];
  text[0] = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!(mask & all[i].bit)) continue;
    if (text[0]) strcat(text, "|");
    strcat(text, all[i].name);
    mask &= ~all[i].bit;
  }
  if (mask) sprintf(text + strlen(text), "|%x", mask);
  return text;
}

static void show(const char *what) {
  static char buffer[16384] __attribute__((aligned(8)));
  char text[900] = "";
  ssize_t n;
  uint32_t cookie = 0;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) {
    for (char *p = buffer; p < buffer + n;) {
      struct inotify_event *e = (struct inotify_event *)p;
      size_t used = strlen(text);
      snprintf(text + used, sizeof text - used, " %d:%s", e->wd, names_of(e->mask));
      used = strlen(text);
      if (e->len) snprintf(text + used, sizeof text - used, "(%s/%u)", e->name, e->len);
      used = strlen(text);
      if (e->cookie) snprintf(text + used, sizeof text - used, "%s", cookie == e->cookie ? "=" : "#");
      cookie = e->cookie;
      p += sizeof *e + e->len;
    }
  }
  say("%s:%s", what, text);
}

static int watch(const char *path, uint32_t mask) {
  int wd = inotify_add_watch(fd, path, mask);
  say("watch %s: %s %d", path, wd < 0 ? err_name(errno) : "ok", wd);
  return wd;
}

static void put(const char *path, const char *text, int flags) {
  int f = open(path, O_WRONLY | flags, 0644);
  MUST(f);
  if (text) MUST(write(f, text, strlen(text)));
  close(f);
}

static void errors(void) {
  ERR("flags", inotify_init1(1));
  int plain = inotify_init1(0);
  NUM("flags of it", fcntl(plain, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
  NUM("cloexec", fcntl(plain, F_GETFD));
  close(plain);
  fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  NUM("cloexec", fcntl(fd, F_GETFD));
  char name[64], link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, name, sizeof name);
  say("name: %.*s", (int)n, name);
  char byte[64];
  ERR("read nothing", read(fd, byte, sizeof byte));
  ERR("write", write(fd, byte, 1));
  ERR("lseek", lseek(fd, 0, SEEK_SET));
  ERR("no such file", inotify_add_watch(fd, "nothing", IN_ALL_EVENTS));
  ERR("no mask", inotify_add_watch(fd, ".", 0));
  ERR("unknown bits", inotify_add_watch(fd, ".", 0x00800000));
  ERR("only a flag", inotify_add_watch(fd, ".", IN_ONESHOT));
  ERR("bad pointer", inotify_add_watch(fd, (char *)8, IN_OPEN));
  ERR("empty path", inotify_add_watch(fd, "", IN_OPEN));
  ERR("bad descriptor", inotify_add_watch(-1, ".", IN_OPEN));
  ERR("not inotify", inotify_add_watch(0, ".", IN_OPEN));
  ERR("only folders", inotify_add_watch(fd, "/proc/self/stat", IN_OPEN | IN_ONLYDIR));
  ERR("both", inotify_add_watch(fd, ".", IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE));
  ERR("remove nothing", inotify_rm_watch(fd, 99));
  ERR("remove by a bad descriptor", inotify_rm_watch(-1, 1));
  ERR("remove by another file", inotify_rm_watch(0, 1));
  struct pollfd p = {fd, POLLIN, 0};
  NUM("poll", poll(&p, 1, 0));
  close(fd);
}

static void files(void) {
  fd = inotify_init1(IN_NONBLOCK);
  MUST(mkdir("d", 0755));
  int wd = watch("d", IN_ALL_EVENTS);
  put("d/a", "hello", O_CREAT);
  show("create and write");
  put("d/a", "more", O_TRUNC);
  show("truncating open");
  put("d/a", NULL, O_APPEND);
  show("open for writing");
  int f = open("d/a", O_RDWR);
  char byte[8];
  MUST(read(f, byte, 4));
  MUST(read(f, byte, 4));
  MUST(pwrite(f, "x", 1, 0));
  MUST(ftruncate(f, 2));
  MUST(fchmod(f, 0600));
  show("read twice, write, shorten, mode");
  int copy = dup(f);
  close(f);
  show("one of two descriptors");
  close(copy);
  show("the other");
  MUST(truncate("d/a", 10));
  MUST(chmod("d/a", 0644));
  MUST(chown("d/a", -1, -1));
  MUST(chown("d/a", 0, 0));
  show("truncate, chmod, chown");
  struct timespec both[2] = {{1, 0}, {2, 0}}, first[2] = {{3, 0}, {0, UTIME_OMIT}}, second[2] = {{0, UTIME_OMIT}, {4, 0}};
  MUST(utimensat(AT_FDCWD, "d/a", both, 0));
  show("both times");
  MUST(utimensat(AT_FDCWD, "d/a", first, 0));
  show("time of access");
  MUST(utimensat(AT_FDCWD, "d/a", second, 0));
  show("time of change");
  MUST(link("d/a", "d/b"));
  show("link");
  MUST(symlink("a", "d/s"));
  MUST(mkdir("d/sub", 0755));
  MUST(mkfifo("d/fifo", 0600));
  show("symlink, folder, fifo");
  MUST(rename("d/b", "d/c"));
  show("rename");
  MUST(rename("d/a", "a"));
  MUST(rename("a", "d/a"));
  show("out and in");
  MUST(rename("d/a", "d/c"));
  show("hard link onto itself");
  put("d/e", NULL, O_CREAT);
  show("one more");
  MUST(rename("d/e", "d/c"));
  show("onto another");
  MUST(syscall(SYS_renameat2, AT_FDCWD, "d/a", AT_FDCWD, "d/c", 2));
  show("exchange");
  MUST(rename("d/sub", "d/sub2"));
  MUST(rmdir("d/sub2"));
  show("folder moves and goes");
  MUST(unlink("d/s"));
  MUST(unlink("d/fifo"));
  MUST(unlink("d/c"));
  show("unlink");
  struct stat s;
  stat("d", &s);
  close(open("d", O_RDONLY));
  show("the folder opened");
  int folder = open("d", O_RDONLY | O_DIRECTORY);
  char entries[512];
  MUST(syscall(SYS_getdents64, folder, entries, sizeof entries));
  close(folder);
  show("the folder read");
  MUST(chmod("d", 0700));
  show("the folder's mode");
  MUST(rename("d", "moved"));
  show("the folder moves");
  MUST(rename("moved", "d"));
  show("and comes back");
  put("d/a", "some bytes", 0);
  show("written");
  int from = open("d/a", O_RDONLY), to = open("d/f", O_RDWR | O_CREAT, 0600);
  show("two files");
  MUST(sendfile(to, from, NULL, 2));
  show("sendfile");
  MUST(syscall(SYS_copy_file_range, from, NULL, to, NULL, 2, 0));
  show("copy_file_range");
  MUST(fallocate(to, 0, 0, 8192));
  show("fallocate");
  char *m = mmap(NULL, PG, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
  m[0] = 1;
  munmap(m, PG);
  show("mapped and written");
  MUST(fsync(to));
  int path = open("d/a", O_PATH);
  close(path);
  show("sync, O_PATH");
  close(from);
  close(to);
  show("closed");
  MUST(inotify_rm_watch(fd, wd));
  show("removed");
  ERR("removed again", inotify_rm_watch(fd, wd));
  put("d/a", "x", 0);
  show("not watched");
  close(fd);
}

static void selves(void) {
  fd = inotify_init1(IN_NONBLOCK);
  put("x", "data", O_CREAT);
  int wd = watch("x", IN_ALL_EVENTS);
  NUM("the same again", watch("x", IN_OPEN | IN_CLOSE) == wd);
  close(open("x", O_RDONLY));
  char byte[4];
  int f = open("x", O_RDONLY);
  MUST(read(f, byte, 4));
  close(f);
  show("a narrower mask");
  watch("x", IN_MASK_ADD | IN_ACCESS);
  f = open("x", O_RDONLY);
  MUST(read(f, byte, 4));
  close(f);
  show("a wider mask");
  watch("x", IN_MASK_CREATE | IN_ACCESS);
  watch("x", IN_ALL_EVENTS);
  MUST(link("x", "y"));
  show("linked");
  MUST(rename("x", "z"));
  show("renamed");
  MUST(unlink("z"));
  show("one name less");
  MUST(unlink("y"));
  show("no name");
  ERR("gone", inotify_rm_watch(fd, wd));
  put("x", "data", O_CREAT);
  wd = watch("x", IN_ALL_EVENTS);
  f = open("x", O_RDWR);
  MUST(unlink("x"));
  show("unlinked while open");
  MUST(write(f, "q", 1));
  show("written");
  close(f);
  show("closed");
  put("x", "1", O_CREAT);
  put("y", "2", O_CREAT);
  watch("x", IN_ALL_EVENTS);
  watch("y", IN_ALL_EVENTS);
  MUST(rename("x", "y"));
  show("renamed over it");
  MUST(unlink("y"));
  show("unlinked");
  MUST(mkdir("e", 0755));
  watch("e", IN_ALL_EVENTS);
  put("e/both", "1", O_CREAT);
  show("a file in it");
  watch("e/both", IN_ALL_EVENTS);
  put("e/both", "2", 0);
  MUST(chmod("e/both", 0600));
  show("both watch a file");
  MUST(link("e/both", "e/more"));
  MUST(unlink("e/both"));
  show("linked and unlinked");
  MUST(rename("e/more", "e/both"));
  show("renamed");
  put("e/new", NULL, O_CREAT);
  MUST(rename("e/new", "e/both"));
  show("replaced");
  watch("e/both", IN_ALL_EVENTS);
  MUST(unlink("e/both"));
  show("gone");
  MUST(mkdir("e2", 0755));
  MUST(mkdir("e/walk", 0755));
  watch("e/walk", IN_ALL_EVENTS);
  MUST(rename("e/walk", "e2/walk"));
  show("a folder to another");
  MUST(rmdir("e2/walk"));
  MUST(rmdir("e2"));
  show("it goes there");
  MUST(mkdir("e/sub", 0755));
  watch("e/sub", IN_ALL_EVENTS);
  put("e/sub/f", "1", O_CREAT);
  show("in the inner folder");
  MUST(chmod("e/sub", 0700));
  show("both watch");
  MUST(unlink("e/sub/f"));
  MUST(rmdir("e/sub"));
  show("inner folder goes");
  MUST(rmdir("e"));
  show("outer folder goes");
  close(fd);
  fd = inotify_init1(IN_NONBLOCK);
  put("x", "1", O_CREAT);
  MUST(symlink("x", "l"));
  watch("x", IN_OPEN | IN_ONESHOT);
  close(open("x", O_RDONLY));
  close(open("x", O_RDONLY));
  show("once");
  watch("l", IN_ALL_EVENTS);
  watch("l", IN_ALL_EVENTS | IN_DONT_FOLLOW);
  close(open("l", O_RDONLY));
  show("through a link");
  MUST(unlink("l"));
  show("the link goes");
  MUST(unlink("x"));
  show("its target goes");
  MUST(mkdir("g", 0755));
  watch("g", IN_ALL_EVENTS | IN_EXCL_UNLINK);
  f = open("g/t", O_RDWR | O_CREAT, 0600);
  MUST(write(f, "1", 1));
  MUST(unlink("g/t"));
  show("unlinked");
  MUST(write(f, "2", 1));
  close(f);
  show("not told any more");
  close(fd);
  fd = inotify_init1(IN_NONBLOCK);
  watch("g", IN_ALL_EVENTS);
  f = open("g/t", O_RDWR | O_CREAT, 0600);
  MUST(unlink("g/t"));
  show("unlinked");
  MUST(write(f, "2", 1));
  close(f);
  show("still told");
  MUST(rmdir("g"));
  close(fd);
}

static void queue(void) {
  fd = inotify_init1(IN_NONBLOCK);
  put("q", "1", O_CREAT);
  watch("q", IN_ALL_EVENTS);
  int f = open("q", O_RDWR), left = 0;
  for (int i = 0; i < 5; i++) MUST(write(f, "x", 1));
  char byte[64];
  MUST(pread(f, byte, 1, 0));
  MUST(write(f, "x", 1));
  MUST(ioctl(fd, FIONREAD, &left));
  NUM("bytes", left);
  struct pollfd p = {fd, POLLIN, 0};
  NUM("poll", poll(&p, 1, 0));
  ERR("too short", read(fd, byte, 15));
  RET("one and a half", read(fd, byte, 24));
  show("the rest");
  close(f);
  show("closed");
  MUST(mkdir("w", 0755));
  watch("w", IN_CREATE);
  put("w/abcdefghijklmno", NULL, O_CREAT);
  put("w/abcdefghijklmnop", NULL, O_CREAT);
  MUST(ioctl(fd, FIONREAD, &left));
  NUM("bytes", left);
  ERR("name does not fit", read(fd, byte, 31));
  RET("it fits", read(fd, byte, 32));
  show("a longer name");
  pid_t child = fork();
  if (child == 0) {
    sleep_ms(20);
    put("w/late", NULL, O_CREAT);
    _exit(0);
  }
  MUST(fcntl(fd, F_SETFL, 0));
  RET("a read that waits", read(fd, byte, 64));
  MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
  say("child: %s", wait_text(child));
  /* Two instances see the same. */
  int other = inotify_init1(IN_NONBLOCK);
  NUM("first of the other", inotify_add_watch(other, "w", IN_DELETE));
  MUST(unlink("w/late"));
  show("not asked for");
  RET("asked for", read(other, byte, 64));
  close(other);
  char info[512], path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
  int in = open(path, O_RDONLY);
  ssize_t n = read(in, info, sizeof info - 1);
  info[n > 0 ? n : 0] = 0;
  close(in);
  int lines = 0;
  for (char *at = info; (at = strstr(at, "inotify wd:")) != NULL; at++) lines++;
  NUM("lines of fdinfo", lines);
  close(fd);
}

int main(void) {
  scratch();
  errors();
  files();
  selves();
  queue();
  static const char *const left[] = {"d/a", "d/e", "d/f", "d/c", "q", "w/abcdefghijklmno", "w/abcdefghijklmnop"};
  for (size_t i = 0; i < sizeof left / sizeof *left; i++) unlink(left[i]);
  return rmdir("d") != 0 || rmdir("w") != 0;
}
