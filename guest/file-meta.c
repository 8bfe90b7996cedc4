/* stat fields, chmod, umask, utimensat, access, statfs, truncate (stat(2), inode(7)). */
#include "check.h"
#include <sys/statfs.h>
#include <sys/sysmacros.h>
int main(void) {
  scratch();
  struct stat st;
  umask(027);
  int fd = open("f", O_RDWR | O_CREAT, 0666);
  MUST(fstat(fd, &st));
  say("mode %o after umask 027", st.st_mode & 07777);
  say("umask was %o", umask(0));
  ERR("chmod", chmod("f", 04711));
  MUST(stat("f", &st));
  say("mode %o, regular %d, links %ld, size %ld, blksize %ld", st.st_mode & 07777, S_ISREG(st.st_mode), (long)st.st_nlink, (long)st.st_size, (long)st.st_blksize);
  YES("owner", st.st_uid == getuid());
  struct timespec t[2] = {{1000000000, 123456789}, {1100000000, 5}};
  ERR("utimensat", utimensat(AT_FDCWD, "f", t, 0));
  MUST(stat("f", &st));
  say("atime %ld.%09ld mtime %ld.%09ld", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  t[0].tv_nsec = UTIME_OMIT; t[1] = (struct timespec){42, 0};
  MUST(futimens(fd, t));
  MUST(stat("f", &st));
  say("atime %ld mtime %ld", (long)st.st_atim.tv_sec, (long)st.st_mtim.tv_sec);
  MUST(write(fd, "x", 1));
  MUST(stat("f", &st));
  YES("write moves mtime", st.st_mtim.tv_sec > 42);
  ERR("access F_OK", access("f", F_OK));
  ERR("access of nothing", access("g", F_OK));
  ERR("access bad mode", access("f", 99));
  struct statfs fs;
  MUST(statfs(".", &fs));
  NUM("f_bsize", fs.f_bsize);
  NUM("f_namelen", fs.f_namelen);
  MUST(stat("/dev/null", &st));
  say("/dev/null is a device %d, %d:%d", S_ISCHR(st.st_mode), (int)major(st.st_rdev), (int)minor(st.st_rdev));
  MUST(stat("/", &st));
  YES("/ is a directory", S_ISDIR(st.st_mode));
  ERR("truncate", truncate("f", 1000));
  MUST(stat("f", &st));
  NUM("size", st.st_size);
  ERR("truncate a directory", truncate(".", 0));
  ERR("stat of nothing", stat("g", &st));
  unlink("f");
  return 0;
}
