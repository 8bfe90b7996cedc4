/* /dev/shm: a tmpfs of its own, shm_open, limits of size. */
#include "check.h"
#include <sys/statfs.h>

int main(void) {
  struct stat dev, shm;
  MUST(stat("/dev", &dev));
  MUST(stat("/dev/shm", &shm));
  YES("a device of its own", dev.st_dev != shm.st_dev);
  say("mode %o", shm.st_mode & 07777);
  struct statfs fs;
  MUST(statfs("/dev/shm", &fs));
  YES("TMPFS_MAGIC", fs.f_type == 0x01021994);
  YES("block size", fs.f_bsize == PG);
  YES("counts blocks and inodes", fs.f_blocks > 0 && fs.f_files > 0 && fs.f_bfree <= fs.f_blocks && fs.f_ffree < fs.f_files);
  static char text[65536];
  int fd = open("/proc/mounts", O_RDONLY);
  long n = 0, got;
  while ((got = read(fd, text + n, sizeof text - 1 - (size_t)n)) > 0) n += got;
  close(fd);
  char *line = strstr(text, "tmpfs /dev/shm tmpfs rw,");
  YES("in /proc/mounts", line != NULL);
  char want[64];
  snprintf(want, sizeof want, "size=%ldk", (long)fs.f_blocks * 4);
  if (line) *strchr(line, '\n') = 0;
  YES("size option", line && strstr(line, want));

  const char *name = "/faultline-mm-devshm";
  shm_unlink(name);
  ERR("open absent", shm_open(name, O_RDWR, 0600));
  fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  YES("created", fd >= 0);
  ERR("again", shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600));
  struct stat st;
  MUST(fstat(fd, &st));
  YES("on that device", st.st_dev == shm.st_dev);
  NUM("size", st.st_size);
  char *early = mmap(NULL, PG, PROT_READ, MAP_SHARED, fd, 0);
  READS("no page yet", early);
  munmap(early, PG);
  MUST(ftruncate(fd, 3 * PG));
  char *map = mmap(NULL, 3 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  strcpy(map + PG, "shared");
  MUST(fstat(fd, &st));
  NUM("blocks", st.st_blocks);
  IN_CHILD("child", {
    int other = shm_open(name, O_RDWR, 0);
    char *theirs = mmap(NULL, 3 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
    say("child reads %s", theirs + PG);
    strcpy(theirs, "back");
  });
  say("parent reads %s", map);
  show_maps("maps", map, 3);
  MUST(shm_unlink(name));
  ERR("unlinked", shm_open(name, O_RDWR, 0600));
  show_maps("after unlink", map, 3);
  MUST(statfs("/dev/shm", &fs));
  long free_with = (long)fs.f_bfree;
  munmap(map, 3 * PG);
  close(fd);
  MUST(statfs("/dev/shm", &fs));
  NUM("blocks given back", (long)fs.f_bfree - free_with);
  /* More than there is room for */
  fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
  shm_unlink(name);
  off_t more = (off_t)(fs.f_blocks + 100) * PG;
  ERR("ftruncate beyond", ftruncate(fd, more));
  ERR("fallocate beyond", fallocate(fd, 0, 0, more));
  MUST(fstat(fd, &st));
  NUM("blocks after ENOSPC", st.st_blocks);
  close(fd);
  return 0;
}
