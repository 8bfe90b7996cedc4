/*
 * User namespaces: numbers of users and groups of their own, and capabilities that count there alone. Linux: kernel/user_namespace.c.
 */
#include "check.h"
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#ifndef CLONE_NEWUSER
#define CLONE_NEWUSER 0x10000000
#endif

static int set_up[2], went_on[2];

/* Runs f in a child and waits for it. */
static void in_child(void (*f)(void)) {
  pid_t pid = fork();
  if (pid == 0) {
    f();
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  if (status != 0) say("child ended with %x", status);
}

static long put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  long n = write(fd, text, strlen(text));
  int saved = errno;
  close(fd);
  errno = saved;
  return n;
}

static void show(const char *what, const char *path) {
  char text[400];
  int fd = open(path, O_RDONLY);
  long n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  text[n] = 0;
  for (char *p = text; *p; p++)
    if (*p == '\n') *p = '|';
  say("%s: %s", what, text);
  close(fd);
}

/* A line of /proc/self/status. */
static void status_line(const char *name) {
  static char text[8192];
  int fd = open("/proc/self/status", O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  text[n] = 0;
  close(fd);
  char *at = strstr(text, name);
  if (!at) return;
  char *end = strchr(at, '\n');
  *end = 0;
  for (char *p = at; *p; p++)
    if (*p == '\t') *p = ' ';
  say("%s", at);
}

static void ids(const char *what) {
  uid_t r, e, s;
  gid_t rg, eg, sg;
  getresuid(&r, &e, &s);
  getresgid(&rg, &eg, &sg);
  say("%s: uids %u %u %u gids %u %u %u", what, r, e, s, rg, eg, sg);
}

static void owner(const char *what, const char *path) {
  struct stat st;
  if (stat(path, &st) < 0) say("%s: %s", what, err_name(errno));
  else say("%s: owned by %u %u", what, st.st_uid, st.st_gid);
}

static ino_t user_ns(const char *path) {
  struct stat st;
  return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static void unmapped(void) {
  ino_t before = user_ns("/proc/self/ns/user");
  ERR("CLONE_NEWUSER with CLONE_FS", syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
  ERR("unshare", unshare(CLONE_NEWUSER));
  YES("another namespace", user_ns("/proc/self/ns/user") != before && before != 0);
  ids("nobody yet");
  status_line("Uid:");
  status_line("Gid:");
  status_line("CapInh");
  status_line("CapPrm");
  status_line("CapEff");
  status_line("CapBnd");
  NUM("dumpable", prctl(PR_GET_DUMPABLE));
  show("uid_map", "/proc/self/uid_map");
  show("setgroups", "/proc/self/setgroups");
  owner("the root folder", "/");
  ERR("setuid(0)", setuid(0));
  ERR("setresuid(-1, -1, -1)", setresuid(-1, -1, -1));
  ERR("setgid(0)", setgid(0));
  RET("setfsuid(0)", syscall(SYS_setfsuid, 0));
  ERR("setgroups", syscall(SYS_setgroups, 0, NULL));
  int fd = open("/tmp/ns-user-file", O_CREAT | O_RDWR, 0600);
  MUST(fd);
  owner("a new file", "/tmp/ns-user-file");
  ERR("chown to a number that is none", chown("/tmp/ns-user-file", 0, -1));
  ERR("chown to nothing", chown("/tmp/ns-user-file", -1, -1));
  ERR("sethostname of the machine", sethostname("x", 1));
  ERR("chroot", chroot("/"));
  ERR("mount in the machine's tree", mount("none", "/tmp", "tmpfs", 0, NULL));
  ERR("kill of the parent", kill(getppid(), 0));
  ERR("unshare again", unshare(CLONE_NEWUSER));
  ERR("uts", unshare(CLONE_NEWUTS));
  ERR("sethostname of one's own", sethostname("inner", 5));
  struct utsname name;
  uname(&name);
  say("host name: %s", name.nodename);
}

static void maps_itself(void) {
  MUST(unshare(CLONE_NEWUSER));
  ERR("another's uid", put("/proc/self/uid_map", "0 1 1"));
  ERR("two uids", put("/proc/self/uid_map", "0 0 2"));
  RET("its own uid", put("/proc/self/uid_map", "5 0 1\n"));
  ERR("once more", put("/proc/self/uid_map", "5 0 1\n"));
  ERR("its own gid, with setgroups", put("/proc/self/gid_map", "6 0 1"));
  RET("deny", put("/proc/self/setgroups", "deny"));
  ERR("allow", put("/proc/self/setgroups", "allow"));
  RET("deny again", put("/proc/self/setgroups", "deny\n"));
  RET("its own gid", put("/proc/self/gid_map", "6 0 1"));
  ERR("deny, too late", put("/proc/self/setgroups", "deny"));
  show("uid_map", "/proc/self/uid_map");
  show("gid_map", "/proc/self/gid_map");
  show("setgroups", "/proc/self/setgroups");
  ids("mapped");
  ERR("setgroups is denied", syscall(SYS_setgroups, 0, NULL));
  owner("its file", "/tmp/ns-user-file");
  ERR("setuid(5)", setuid(5));
  ERR("setuid(0)", setuid(0));
  ERR("setgid(6)", setgid(6));
  status_line("CapEff");
}

static void bad_maps(void) {
  static const char *const texts[] = {
    "", "\n", "0 0", "0 0 1 1", "a 0 1", "0 0 0", "-1 0 1", "4294967295 0 1", "0 4294967295 1", "4294967290 0 10", "0 0 2\n1 10 2",
    "0 0 2\n10 1 2", "0 0 1\n\n", "0 0 1\nx",
  };
  MUST(unshare(CLONE_NEWUSER));
  for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
    char what[40];
    snprintf(what, sizeof what, "map %u", i);
    RET(what, put("/proc/self/uid_map", texts[i]));
  }
  int fd = open("/proc/self/uid_map", O_WRONLY);
  ERR("not at the front", pwrite(fd, "0 0 1", 5, 1));
  RET("blanks", write(fd, "  0\t0  1 \n", 10));
  RET("behind the front", write(fd, "  0\t0  1 \n", 10));
  close(fd);
  ERR("setgroups: long", put("/proc/self/setgroups", "deny      "));
  ERR("setgroups: other", put("/proc/self/setgroups", "maybe"));
}

static void wait_for(int fd) {
  char c;
  if (read(fd, &c, 1) != 1) _exit(97);
}
static void tell(int fd) {
  if (write(fd, "x", 1) != 1) _exit(97);
}

static void inner(void) {
  MUST(unshare(CLONE_NEWUSER));
  tell(set_up[1]);
  wait_for(went_on[0]);
  ids("inside");
  show("uid_map", "/proc/self/uid_map");
  show("gid_map", "/proc/self/gid_map");
  ERR("setgroups", syscall(SYS_setgroups, 2, (gid_t[]){3, 4}));
  ERR("setgroups of what is none", syscall(SYS_setgroups, 1, (gid_t[]){30}));
  gid_t groups[4];
  long n = syscall(SYS_getgroups, 4, groups);
  say("groups: %ld: %u %u", n, groups[0], groups[1]);
  ERR("setresgid", setresgid(2, 2, 2));
  ERR("setresuid", setresuid(0, 0, 0));
  owner("root's file", "/tmp/ns-user-roots");
  ERR("read of root's file", open("/tmp/ns-user-roots", O_RDONLY));
  ERR("chmod of root's file", chmod("/tmp/ns-user-roots", 0666));
  ERR("chown of root's file", chown("/tmp/ns-user-roots", 0, 0));
  owner("a user's file", "/tmp/ns-user-users");
  ERR("read of a user's file", open("/tmp/ns-user-users", O_RDONLY));
  ERR("chmod of a user's file", chmod("/tmp/ns-user-users", 0640));
  ERR("chown of a user's file", chown("/tmp/ns-user-users", 3, 12));
  ERR("chown to a number that is none", chown("/tmp/ns-user-users", 20, -1));
  int fd = open("/tmp/ns-user-made", O_CREAT | O_RDWR, 0600);
  close(fd);
  owner("a new file", "/tmp/ns-user-made");
  ERR("mknod of a device", mknod("/tmp/ns-user-device", S_IFCHR | 0600, 0x103));
  ERR("mknod of a pipe", mknod("/tmp/ns-user-pipe", S_IFIFO | 0600, 0));
  ERR("kill of the outer root", kill(getppid(), 0));
  pid_t pid = fork();
  if (pid == 0) {
    ERR("a lesser one: setresuid", setresuid(7, 8, 9));
    ids("a lesser one");
    status_line("CapEff");
    ERR("back to root", setuid(0));
    int *p = NULL;
    pause();
    _exit(p != NULL);
  }
  siginfo_t info;
  while (1) {
    /* Until it sleeps. */
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int stat_fd = open(path, O_RDONLY);
    long got = read(stat_fd, text, sizeof text - 1);
    close(stat_fd);
    text[got < 0 ? 0 : got] = 0;
    char *state = strrchr(text, ')');
    if (state && state[2] == 'S') break;
    usleep(1000);
  }
  ERR("its capabilities are over those inside", kill(pid, SIGKILL));
  memset(&info, 0, sizeof info);
  waitid(P_PID, (id_t)pid, &info, WEXITED);
  say("waitid: uid %u", info.si_uid);
  ERR("setuid of a number that is none", setuid(20));
  ERR("setreuid(11, -1)", setreuid(11, -1));
  ERR("setresuid(12, 12, 12)", setresuid(12, 12, 12));
  ids("at last");
  status_line("CapPrm");
  tell(set_up[1]);
  wait_for(went_on[0]);
}

static void map_from_outside(void) {
  int fd = open("/tmp/ns-user-roots", O_CREAT | O_RDWR, 0600);
  close(fd);
  fd = open("/tmp/ns-user-users", O_CREAT | O_RDWR, 0600);
  MUST(fchown(fd, 100003, 100003));
  close(fd);
  unlink("/tmp/ns-user-made");
  MUST(chmod("/tmp", 01777));
  MUST(pipe(set_up));
  MUST(pipe(went_on));
  pid_t pid = fork();
  if (pid == 0) {
    inner();
    _exit(0);
  }
  char path[64], other[64];
  wait_for(set_up[0]);
  snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
  RET("uid_map", put(path, "0 100000 10\n10 200000 5\n"));
  ERR("uid_map again", put(path, "0 100000 10\n"));
  show("as root sees it", path);
  snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
  RET("gid_map", put(path, "0 100000 15"));
  tell(went_on[1]);
  wait_for(set_up[0]);
  owner("from outside, the new file", "/tmp/ns-user-made");
  owner("from outside, the user's file", "/tmp/ns-user-users");
  snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
  snprintf(other, sizeof other, "/proc/%d/status", pid);
  static char text[8192];
  fd = open(other, O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  text[n] = 0;
  close(fd);
  unsigned r = 0, e = 0;
  sscanf(strstr(text, "Uid:"), "Uid:\t%u\t%u", &r, &e);
  say("from outside: uids %u %u", r, e);
  int ns = open(path, O_RDONLY);
  MUST(ns);
  YES("kind", ioctl(ns, NS_GET_NSTYPE) == CLONE_NEWUSER);
  uid_t uid = 77;
  RET("owner", ioctl(ns, NS_GET_OWNER_UID, &uid));
  NUM("owner's uid", uid);
  int parent = ioctl(ns, NS_GET_PARENT);
  struct stat a, b;
  fstat(parent, &a);
  stat("/proc/self/ns/user", &b);
  YES("its parent is ours", a.st_ino == b.st_ino);
  int same = ioctl(ns, NS_GET_USERNS);
  fstat(same, &a);
  YES("and has the rights over it", a.st_ino == b.st_ino);
  ERR("our parent", ioctl(parent, NS_GET_PARENT));
  ERR("into one's own", setns(parent, CLONE_NEWUSER));
  ERR("as another kind", setns(ns, CLONE_NEWUTS));
  ERR("into that of the child", setns(ns, CLONE_NEWUSER));
  ids("there");
  status_line("CapEff");
  ERR("setresuid there", setresuid(1, 1, 1));
  ids("there, as 1");
  ERR("back", setns(parent, CLONE_NEWUSER));
  tell(went_on[1]);
  waitpid(pid, NULL, 0);
}

static void unprivileged(void) {
  MUST(setresgid(1000, 1000, 1000));
  MUST(setresuid(1000, 1000, 1000));
  status_line("CapEff");
  ERR("uts without", unshare(CLONE_NEWUTS));
  ERR("user and uts at once", unshare(CLONE_NEWUSER | CLONE_NEWUTS));
  status_line("CapEff");
  ERR("of a process that is not dumpable", put("/proc/self/uid_map", "0 1000 1"));
  MUST(prctl(PR_SET_DUMPABLE, 1));
  ERR("root's uid", put("/proc/self/uid_map", "0 0 1"));
  RET("its own uid", put("/proc/self/uid_map", "0 1000 1"));
  ERR("root's gid", put("/proc/self/gid_map", "0 0 1"));
  RET("deny", put("/proc/self/setgroups", "deny"));
  RET("its own gid", put("/proc/self/gid_map", "0 1000 1"));
  ids("root in its own eyes");
  ERR("sethostname", sethostname("mine", 4));
  ERR("chroot", chroot("/"));
  ERR("a nested one, and a hostname", unshare(CLONE_NEWUSER));
  ERR("of the outer one", sethostname("theirs", 6));
  RET("maps the outer one's root", put("/proc/self/uid_map", "3 0 1"));
  ids("nested");
  show("uid_map", "/proc/self/uid_map");
}

static void chrooted(void) {
  mkdir("/tmp/ns-user-root", 0755);
  MUST(chroot("/tmp/ns-user-root"));
  ERR("in a chroot", unshare(CLONE_NEWUSER));
}

static void peer(void) {
  int pair[2];
  struct ucred cred;
  socklen_t length = sizeof cred;
  MUST(unshare(CLONE_NEWUSER));
  MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  MUST(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &length));
  say("peer before: %u %u", cred.uid, cred.gid);
  MUST(put("/proc/self/uid_map", "9 0 1"));
  MUST(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &length));
  say("peer after: %u %u", cred.uid, cred.gid);
}

static void executes(void) {
  MUST(unshare(CLONE_NEWUSER));
  MUST(put("/proc/self/uid_map", "7 0 1"));
  execl("/proc/self/exe", "ns-user", "again", NULL);
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    ids("after execve");
    status_line("CapPrm");
    return 0;
  }
  unlink("/tmp/ns-user-file");
  unlink("/tmp/ns-user-pipe");
  say("- unmapped");
  in_child(unmapped);
  say("- maps itself");
  in_child(maps_itself);
  say("- texts");
  in_child(bad_maps);
  say("- mapped by its parent");
  in_child(map_from_outside);
  say("- without rights");
  in_child(unprivileged);
  say("- chroot");
  in_child(chrooted);
  say("- sockets");
  in_child(peer);
  say("- execve");
  in_child(executes);
  static const char *const left[] = { "file", "pipe", "roots", "users", "made" };
  for (unsigned i = 0; i < sizeof left / sizeof *left; i++) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/ns-user-%s", left[i]);
    unlink(path);
  }
  rmdir("/tmp/ns-user-root");
  return 0;
}
