/* Who may do what with files: permission bits, owners of what is made, sticky and setgid folders, capabilities that set*id takes. */
#include "check.h"
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#define TOP "/tmp/faultline-cred-files"
#define WHO 12345

static unsigned long long effective(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return ~0ull;
  return data[0].effective | (unsigned long long)data[1].effective << 32;
}

static int opened(const char *path, int flags, int mode) {
  int fd = open(path, flags, mode);
  if (fd >= 0) close(fd);
  return fd < 0 ? -1 : 0;
}

static void owner(const char *what, const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) say("%s: no such file", what);
  else say("%s: uid %u gid %u mode %o", what, st.st_uid, st.st_gid, st.st_mode);
}

static void as_user(void) {
  ERR("read 0600 of root", opened(TOP "/secret", O_RDONLY, 0));
  ERR("read 0644 of root", opened(TOP "/public", O_RDONLY, 0));
  ERR("write 0644 of root", opened(TOP "/public", O_WRONLY, 0));
  ERR("truncate 0644 of root", truncate(TOP "/public", 0));
  ERR("open with O_TRUNC", opened(TOP "/public", O_RDONLY | O_TRUNC, 0));
  ERR("walk through 0700 of root", opened(TOP "/closed/inside", O_RDONLY, 0));
  ERR("stat in it", access(TOP "/closed/inside", F_OK));
  ERR("chdir to it", chdir(TOP "/closed"));
  ERR("create in 0755 of root", opened(TOP "/new", O_CREAT | O_WRONLY, 0644));
  ERR("create what is there", opened(TOP "/public", O_CREAT | O_RDONLY, 0644));
  ERR("mkdir", mkdir(TOP "/newdir", 0755));
  ERR("symlink", symlink("x", TOP "/newlink"));
  ERR("unlink", unlink(TOP "/public"));
  ERR("rmdir", rmdir(TOP "/closed"));
  ERR("rename", rename(TOP "/public", TOP "/other"));
  ERR("chmod of root's", chmod(TOP "/public", 0777));
  ERR("chown to self", chown(TOP "/public", WHO, WHO));
  ERR("utimes to a time", utimensat(AT_FDCWD, TOP "/public", (struct timespec[]){{1, 0}, {1, 0}}, 0));
  ERR("utimes to now", utimensat(AT_FDCWD, TOP "/public", NULL, 0));
  ERR("mknod of a device", mknod(TOP "/open/dev", S_IFCHR | 0600, 0x103));
  ERR("chroot", chroot(TOP));
  ERR("access X of 0644", access(TOP "/public", X_OK));
  ERR("access W of 0644", access(TOP "/public", W_OK));
  ERR("execute 0644", execl(TOP "/public", "x", NULL));
  ERR("execute 0700 of root", execl(TOP "/rootonly", "x", NULL));

  ERR("create in 0777", opened(TOP "/open/mine", O_CREAT | O_WRONLY | O_EXCL, 0640));
  owner("mine", TOP "/open/mine");
  ERR("chmod of mine", chmod(TOP "/open/mine", 02755));
  owner("setgid with own group", TOP "/open/mine");
  ERR("give away", chown(TOP "/open/mine", 0, -1));
  ERR("to a group of mine", chown(TOP "/open/mine", -1, 777));
  owner("after chgrp", TOP "/open/mine");
  ERR("to a group of others", chown(TOP "/open/mine", -1, 4242));
  ERR("chmod 02755 in my second group", chmod(TOP "/open/mine", 02755));
  owner("still", TOP "/open/mine");
  ERR("unlink root's in 0777", unlink(TOP "/open/roots"));
  ERR("unlink root's in 1777", unlink(TOP "/sticky/roots"));
  ERR("rename root's in 1777", rename(TOP "/sticky/roots", TOP "/sticky/x"));
  ERR("make mine in 1777", opened(TOP "/sticky/mine", O_CREAT | O_WRONLY, 0600));
  ERR("unlink mine in 1777", unlink(TOP "/sticky/mine"));
  ERR("mkdir in setgid folder", mkdir(TOP "/group/sub", 0755));
  owner("inherits", TOP "/group/sub");
  ERR("file in setgid folder", opened(TOP "/group/file", O_CREAT | O_WRONLY, 0644));
  owner("inherits", TOP "/group/file");
  ERR("write 0604 in group 777", opened(TOP "/bygroup", O_RDONLY, 0));
  ERR("O_NOATIME of root's", opened(TOP "/public", O_RDONLY | O_NOATIME, 0));
  ERR("O_TMPFILE in 0755 of root", opened(TOP, O_TMPFILE | O_WRONLY, 0600));
}

static void touch(const char *path, int mode, int uid, int gid) {
  int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  MUST(fd);
  MUST(fchown(fd, uid, gid));
  MUST(fchmod(fd, mode));
  close(fd);
}

static void folder(const char *path, int mode, int uid, int gid) {
  MUST(mkdir(path, 0700));
  MUST(chown(path, uid, gid));
  MUST(chmod(path, mode));
}

static void capabilities(void) {
  unsigned long long full = effective();
  YES("root has capabilities", full != 0);
  ERR("seteuid", setresuid(-1, WHO, -1));
  say("effective: %llx", effective());
  ERR("back", setresuid(-1, 0, -1));
  YES("all again", effective() == full);
  setfsuid(WHO);
  YES("setfsuid takes those for files", (effective() & 0x1f) == 0 && effective() != 0);
  ERR("then 0600 of root", opened(TOP "/secret", O_RDONLY, 0));
  setfsuid(0);
  YES("and gives them back", effective() == full);
  RET("keepcaps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
  ERR("set keepcaps", prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
  RET("keepcaps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
  ERR("leave root", setresuid(WHO, WHO, WHO));
  say("effective: %llx", effective());
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  MUST(syscall(SYS_capget, &header, data));
  YES("permitted kept", data[0].permitted == (unsigned)full);
  data[0].effective = 1u << CAP_DAC_OVERRIDE;
  data[1].effective = 0;
  ERR("take one up", syscall(SYS_capset, &header, data));
  ERR("now 0600 of root", opened(TOP "/secret", O_RDONLY, 0));
  ERR("bounding drop without SETPCAP", prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0));
  ERR("securebits without SETPCAP", prctl(PR_SET_SECUREBITS, 0, 0, 0, 0));
  ERR("ambient raise without inheritable", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  data[0].inheritable = 1u << CAP_KILL;
  ERR("inheritable from permitted", syscall(SYS_capset, &header, data));
  ERR("ambient raise", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
  RET("ambient is set", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
  ERR("ambient invalid", prctl(PR_CAP_AMBIENT, 9, CAP_KILL, 0, 0));
  ERR("ambient no capability", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0));
  data[0].permitted = data[0].effective = 0;
  data[1].permitted = data[1].effective = 0;
  data[0].inheritable = 0;
  ERR("drop all", syscall(SYS_capset, &header, data));
  RET("ambient went too", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
  data[0].effective = data[0].permitted = 1;
  ERR("take back", syscall(SYS_capset, &header, data));
  RET("dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
  ERR("setuid 0", setuid(0));
  ERR("setgroups", (int)syscall(SYS_setgroups, 0, NULL));
}

static void in_child(void (*run)(void)) {
  pid_t pid = fork();
  MUST(pid);
  if (pid == 0) {
    run();
    _exit(0);
  }
  int status;
  MUST(waitpid(pid, &status, 0));
  say("child: %d", status);
}

static void user(void) {
  gid_t group = 777;
  MUST(syscall(SYS_setgroups, 1, &group));
  MUST(syscall(SYS_setresgid, WHO, WHO, WHO));
  MUST(syscall(SYS_setresuid, WHO, WHO, WHO));
  as_user();
}

int main(void) {
  umask(022);
  folder(TOP, 0755, 0, 0);
  touch(TOP "/secret", 0600, 0, 0);
  touch(TOP "/public", 0644, 0, 0);
  touch(TOP "/rootonly", 0700, 0, 0);
  touch(TOP "/bygroup", 0604, 0, 777);
  folder(TOP "/closed", 0700, 0, 0);
  touch(TOP "/closed/inside", 0666, 0, 0);
  folder(TOP "/open", 0777, 0, 0);
  touch(TOP "/open/roots", 0600, 0, 0);
  folder(TOP "/sticky", 01777, 0, 0);
  touch(TOP "/sticky/roots", 0666, 0, 0);
  folder(TOP "/group", 02777, 0, 777);
  in_child(user);
  in_child(capabilities);
  ERR("root executes what nobody may", execl(TOP "/public", "x", NULL));
  touch(TOP "/setuid", 06755, 0, 0);
  ERR("chown by root", chown(TOP "/setuid", WHO, WHO));
  owner("loses setuid", TOP "/setuid");

  static const char *const files[] = {"secret", "public", "rootonly", "bygroup", "closed/inside", "open/mine", "sticky/roots", "group/file", "setuid"};
  static const char *const folders[] = {"closed", "open", "sticky", "group/sub", "group"};
  char path[64];
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, TOP "/%s", files[i]);
    unlink(path);
  }
  for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++) {
    snprintf(path, sizeof path, TOP "/%s", folders[i]);
    rmdir(path);
  }
  ERR("rmdir", rmdir(TOP));
  return 0;
}
