/* Names: link, symlink, rename, unlink while open, directories and their errors (path_resolution(7)). */
#include "check.h"
#include <dirent.h>
static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static void list(const char *dir) {
  char *names[32], text[512] = "";
  int n = 0;
  DIR *d = opendir(dir);
  for (struct dirent *e; (e = readdir(d));) names[n++] = strdup(e->d_name);
  closedir(d);
  qsort(names, (size_t)n, sizeof *names, by_name);
  for (int i = 0; i < n; i++) { strcat(text, " "); strcat(text, names[i]); free(names[i]); }
  say("list:%s", text);
}
int main(void) {
  scratch();
  char buffer[600] = {0};
  struct stat a, b;
  int fd = letters("f", 1);
  ERR("link", link("f", "g"));
  MUST(stat("f", &a)); MUST(stat("g", &b));
  say("same inode %d, links %ld", a.st_ino == b.st_ino, (long)a.st_nlink);
  ERR("link over a name", link("f", "g"));
  ERR("symlink", symlink("f", "s"));
  RET("readlink", readlink("s", buffer, 100));
  ERR("readlink of a file", readlink("f", buffer, 100));
  MUST(lstat("s", &b));
  say("lstat is a link %d of %ld bytes", S_ISLNK(b.st_mode), (long)b.st_size);
  MUST(stat("s", &b));
  say("stat is a file %d of %ld bytes", S_ISREG(b.st_mode), (long)b.st_size);
  ERR("O_NOFOLLOW", open("s", O_RDONLY | O_NOFOLLOW));
  MUST(symlink("loop", "loop"));
  ERR("loop", open("loop", O_RDONLY));
  MUST(symlink("nowhere", "dangling"));
  ERR("dangling", open("dangling", O_RDONLY));
  ERR("mkdir", mkdir("d", 0755));
  ERR("mkdir again", mkdir("d", 0755));
  ERR("mkdir below nothing", mkdir("x/y", 0755));
  ERR("rmdir of a file", rmdir("f"));
  ERR("unlink of a directory", unlink("d"));
  ERR("file in it", close(open("d/in", O_CREAT | O_WRONLY, 0600)));
  ERR("rmdir with a file in it", rmdir("d"));
  ERR("link of a directory", link("d", "e"));
  list(".");
  ERR("rename", rename("g", "d/g"));
  ERR("rename over a file", rename("d/g", "d/in"));
  ERR("rename of nothing", rename("nothing", "x"));
  ERR("rename of a file over a directory", rename("f", "d"));
  ERR("rename of a directory into itself", rename("d", "d/sub"));
  MUST(mkdir("e", 0700));
  ERR("rename of a directory over a full one", rename("e", "d"));
  list("d");
  ERR("chdir", chdir("d"));
  MUST(getcwd(buffer, sizeof buffer) ? 0 : -1);
  say("getcwd ends in %s", strrchr(buffer, '/'));
  ERR("getcwd too small", getcwd(buffer, 2) ? 0 : -1);
  ERR("up", chdir("../e/../.."));
  ERR("back", chdir(scratch_path));
  ERR("chdir to a file", chdir("f"));
  ERR("unlink while open", unlink("f"));
  MUST(fstat(fd, &a));
  NUM("links", a.st_nlink);
  RET("still readable", pread(fd, buffer, 10, 0));
  char longname[300];
  memset(longname, 'n', 299); longname[299] = 0;
  ERR("name too long", open(longname, O_RDONLY));
  ERR("empty name", open("", O_RDONLY));
  ERR("trailing slash of a file", open("d/in/", O_RDONLY));
  ERR("renameat2 NOREPLACE", syscall(SYS_renameat2, AT_FDCWD, "s", AT_FDCWD, "dangling", 1));
  unlink("d/in"); rmdir("d"); rmdir("e"); unlink("s"); unlink("loop"); unlink("dangling");
  list(".");
  return 0;
}
