/*
 * Mount namespaces: a tree of mounts of one's own; tmpfs, proc and bind mounts in it, and what the root of a user namespace may do
 * there. Numbers of new processes that are asked for (clone3). Linux: fs/namespace.c, kernel/pid.c.
 */
#include "check.h"
#include <dirent.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#define DIR_A "/tmp/ns-mount-a"
#define DIR_B "/tmp/ns-mount-b"

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

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  MUST(fd);
  MUST(write(fd, text, strlen(text)));
  close(fd);
}

static void make(const char *path) {
  int fd = open(path, O_CREAT | O_RDWR, 0644);
  if (fd < 0) say("make %s: %s", path, err_name(errno));
  close(fd);
}

static int there(const char *path) { return access(path, F_OK) == 0; }

/* The lines of /proc/self/mountinfo about our folders: place, options, type. */
static void mounts(const char *what) {
  char line[1024];
  FILE *f = fopen("/proc/self/mountinfo", "r");
  say("%s:", what);
  while (f && fgets(line, sizeof line, f)) {
    char root[256], place[256], options[256], type[64];
    char *dash = strstr(line, " - ");
    if (sscanf(line, "%*d %*d %*s %255s %255s %255s", root, place, options) != 3 || !dash) continue;
    if (strncmp(place, "/tmp/ns-mount", 13) != 0) continue;
    if (sscanf(dash, " - %63s", type) != 1) continue;
    char *flags = strtok(options, ",");
    char shown[256] = "";
    for (; flags; flags = strtok(NULL, ","))
      if (strncmp(flags, "rel", 3) != 0) strcat(strcat(shown, " "), flags);
    /* What is in front of the place belongs to the file system of /tmp. */
    char *own = strstr(root, "/ns-mount");
    say("  %s of %s:%s %s", place, own ? own : root, shown, type);
  }
  if (f) fclose(f);
}

static void own_tree(void) {
  MUST(unshare(CLONE_NEWNS));
  ERR("private", mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
  make(DIR_A "/under");
  ERR("tmpfs", mount("first", DIR_A, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=751"));
  YES("hides what was there", !there(DIR_A "/under"));
  struct stat st;
  stat(DIR_A, &st);
  say("mode %o, links %d", st.st_mode & 07777, (int)st.st_nlink);
  struct statfs fs;
  statfs(DIR_A, &fs);
  say("blocks %ld of %ld", (long)fs.f_blocks, (long)fs.f_bsize);
  make(DIR_A "/file");
  MUST(mkdir(DIR_A "/inner", 0755));
  make(DIR_A "/inner/deep");
  static char page[8192];
  int fd = open(DIR_A "/big", O_CREAT | O_RDWR, 0600);
  long total = 0, n;
  while ((n = write(fd, page, sizeof page)) > 0) total += n;
  say("wrote %ld, then %s", total, err_name(errno));
  close(fd);
  unlink(DIR_A "/big");
  ERR("bind", mount(DIR_A "/inner", DIR_B, NULL, MS_BIND, NULL));
  YES("the same", there(DIR_B "/deep"));
  mounts("mounted");
  ERR("read-only", mount(NULL, DIR_B, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
  ERR("write there", open(DIR_B "/new", O_CREAT | O_RDWR, 0600));
  ERR("write where it came from", open(DIR_A "/inner/new", O_CREAT | O_RDWR, 0600));
  YES("seen there too", there(DIR_B "/new"));
  ERR("a file on a folder", mount(DIR_A "/file", DIR_B, NULL, MS_BIND, NULL));
  ERR("a file on a file", mount(DIR_A "/file", DIR_A "/inner/deep", NULL, MS_BIND, NULL));
  ERR("busy: something is mounted in it", umount(DIR_A));
  ERR("not a mount", umount(DIR_A "/inner"));
  ERR("umount of a file", umount(DIR_A "/inner/deep"));
  fd = open(DIR_B "/deep", O_RDONLY);
  ERR("busy: a file is open", umount(DIR_B));
  ERR("lazily", umount2(DIR_B, MNT_DETACH));
  YES("out of sight", !there(DIR_B "/deep"));
  char c;
  RET("the open file works", read(fd, &c, 1));
  close(fd);
  ERR("move", mount(DIR_A, DIR_B, NULL, MS_MOVE, NULL));
  YES("what was hidden", there(DIR_A "/under"));
  YES("is elsewhere", there(DIR_B "/file"));
  mounts("moved");
  ERR("into itself", mount(DIR_B, DIR_B "/inner", NULL, MS_MOVE, NULL));
  ERR("bind with all in it", mount(DIR_B, DIR_A, NULL, MS_BIND | MS_REC, NULL));
  mounts("two");
  ERR("no such type", mount("x", DIR_A, "no-such-fs", 0, NULL));
  ERR("bad option", mount("x", DIR_A, "tmpfs", 0, "nonsense=1"));
  ERR("on a file", mount("x", DIR_B "/file", "tmpfs", 0, NULL));
  ERR("on nothing", mount("x", DIR_B "/nothing", "tmpfs", 0, NULL));
  ERR("bind of nothing", mount(DIR_B "/nothing", DIR_A, NULL, MS_BIND, NULL));
  ERR("bad flags of umount", umount2(DIR_A, 0x100));
}

static void lesser(void) {
  struct stat st;
  MUST(unshare(CLONE_NEWNS));
  MUST(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
  make(DIR_A "/under");
  MUST(mount("cover", DIR_A, "tmpfs", MS_NODEV, NULL));
  MUST(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS));
  put("/proc/self/uid_map", "0 0 1");
  put("/proc/self/setgroups", "deny");
  put("/proc/self/gid_map", "0 0 1");
  ERR("takes the cover away", umount(DIR_A));
  ERR("lazily", umount2(DIR_A, MNT_DETACH));
  ERR("moves it away", mount(DIR_A, DIR_B, NULL, MS_MOVE, NULL));
  ERR("allows devices", mount(NULL, DIR_A, NULL, MS_REMOUNT | MS_BIND, NULL));
  ERR("forbids more", mount(NULL, DIR_A, NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOEXEC, NULL));
  ERR("tmpfs", mount("own", DIR_B, "tmpfs", 0, NULL));
  stat(DIR_B, &st);
  say("owner %u %u mode %o", st.st_uid, st.st_gid, st.st_mode & 07777);
  make(DIR_B "/file");
  ERR("umount", umount(DIR_B));
  YES("gone", !there(DIR_B "/file"));
  ERR("a part that hides something", mount("/tmp", DIR_B, NULL, MS_BIND, NULL));
  ERR("with all in it", mount("/tmp", DIR_B, NULL, MS_BIND | MS_REC, NULL));
  YES("still hidden", !there(DIR_B "/ns-mount-a/under"));
  ERR("host name", sethostname("inside", 6));
  struct utsname name;
  uname(&name);
  say("name %s", name.nodename);
  ERR("a pool of huge pages", mount("x", DIR_A, "hugetlbfs", 0, NULL));
}

static void first_of_namespace(void) {
  pid_t pid = fork();
  if (pid == 0) {
    ERR("proc", mount("proc", DIR_A, "proc", 0, NULL));
    char text[64] = "";
    NUM("self", readlink(DIR_A "/self", text, sizeof text - 1));
    say("self is %s, we are %d", text, (int)getpid());
    int numbers = 0, sum = 0;
    DIR *d = opendir(DIR_A);
    for (struct dirent *e; d && (e = readdir(d));)
      if (e->d_name[0] >= '0' && e->d_name[0] <= '9') numbers++, sum += atoi(e->d_name);
    closedir(d);
    say("processes %d, sum %d", numbers, sum);
    int fd = open(DIR_A "/self/status", O_RDONLY);
    char status[4096];
    long n = read(fd, status, sizeof status - 1);
    status[n > 0 ? n : 0] = 0;
    close(fd);
    static const char *const names[] = { "\nTgid:", "\nPid:", "\nPPid:", "\nNSpid:" };
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
      char *at = strstr(status, names[i]);
      int a = -1, b = -1;
      int found = at ? sscanf(strchr(at, ':') + 1, "%d %d", &a, &b) : 0;
      say("%s %d", names[i] + 1, found > 0 ? a : -2);
    }
    fd = open(DIR_A "/1/stat", O_RDONLY);
    n = read(fd, status, sizeof status - 1);
    status[n > 0 ? n : 0] = 0;
    close(fd);
    int own = 0, parent = -1, group = -1;
    sscanf(status, "%d", &own);
    sscanf(strrchr(status, ')') + 3, "%*c %d %d", &parent, &group);
    say("stat: %d %d", own, parent);
    /* From the machine's proc, it is not there by its own number. */
    n = readlink("/proc/self", text, sizeof text - 1);
    YES("the outer proc knows it by another number", n > 0 && (text[n] = 0, strcmp(text, "1") != 0));
    /* A number that is asked for. */
    pid_t wanted = 77;
    struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1 };
    long made = syscall(SYS_clone3, &args, sizeof args);
    if (made == 0) _exit(getpid() == 77 ? 5 : 6);
    int ended = 0;
    say("made %ld", made);
    errno = 0;
    ERR("taken", syscall(SYS_clone3, &args, sizeof args));
    waitpid((pid_t)made, &ended, 0);
    NUM("and ended with", WEXITSTATUS(ended));
    wanted = 0;
    ERR("0", syscall(SYS_clone3, &args, sizeof args));
    args.set_tid_size = 33;
    ERR("too many", syscall(SYS_clone3, &args, sizeof args));
    args.set_tid_size = 0;
    ERR("numbers, but none", syscall(SYS_clone3, &args, sizeof args));
    args.set_tid = 0;
    args.set_tid_size = 1;
    ERR("none, but numbers", syscall(SYS_clone3, &args, sizeof args));
    args.set_tid = 8;
    ERR("from nowhere", syscall(SYS_clone3, &args, sizeof args));
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  if (status != 0) say("the first ended with %x", status);
}

static void processes(void) {
  MUST(unshare(CLONE_NEWPID | CLONE_NEWNS));
  MUST(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
  first_of_namespace();
}

static void processes_of_user(void) {
  MUST(unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS));
  put("/proc/self/uid_map", "0 0 1");
  first_of_namespace();
}

static void without_rights(void) {
  pid_t wanted[2] = { 1, 1 };
  struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)wanted, .set_tid_size = 1 };
  MUST(setresuid(1000, 1000, 1000));
  ERR("a number", syscall(SYS_clone3, &args, sizeof args));
  args.set_tid_size = 33;
  ERR("33 numbers", syscall(SYS_clone3, &args, sizeof args));
  ERR("a tree", unshare(CLONE_NEWNS));
  ERR("names", unshare(CLONE_NEWUTS));
  ERR("mount", mount("x", DIR_A, "tmpfs", 0, NULL));
  ERR("umount", umount("/"));
}

int main(void) {
  mkdir(DIR_A, 0755);
  mkdir(DIR_B, 0755);
  say("- a tree");
  in_child(own_tree);
  YES("nothing of it outside", there(DIR_A "/under") && !there(DIR_A "/file") && !there(DIR_B "/file"));
  say("- of a lesser user");
  in_child(lesser);
  say("- processes");
  in_child(processes);
  say("- processes of a user");
  in_child(processes_of_user);
  say("- without rights");
  in_child(without_rights);
  unlink(DIR_A "/under");
  rmdir(DIR_A);
  rmdir(DIR_B);
  return 0;
}
