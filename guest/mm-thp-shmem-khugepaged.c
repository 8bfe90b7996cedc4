/* khugepaged and shared memory: small pages of a file in RAM that become a huge one by themselves. Needs root. */
#include "thp-shmem.h"

#define DIR "/tmp/mm-thp-shmem-khugepaged.d"
#define KHD THP_DIR "khugepaged/"
#define RW (PROT_READ | PROT_WRITE)

static long number(const char *path) { return strtol(slurp(path), NULL, 10); }
static int set(const char *path, long value) {
  char buffer[32];
  snprintf(buffer, sizeof buffer, "%ld", value);
  return word(path, buffer);
}
/* What khugepaged does not know is not scanned: that is not waited for so long. */
static int isKnown = 0;
/* Until khugepaged has been everywhere once more, from its beginning, or ten seconds. */
static void a_round(void) {
  long from = number(KHD "full_scans");
  for (int i = 0; i < (isKnown ? 1000 : 10) && number(KHD "full_scans") < from + 2; i++) usleep(10000);
}
/* A file of small pages on a mount that wants huge ones by now. */
static int small_file(long every, const char *wish) {
  static char all[HP];
  MUST(mount("none", DIR, "tmpfs", MS_REMOUNT, "huge=never"));
  int fd = open(DIR "/f", O_RDWR | O_CREAT | O_TRUNC, 0600);
  MUST(fd);
  MUST(unlink(DIR "/f"));
  long pages = every == 1 ? PAGES : 1;
  for (long i = 0; i < PAGES; i++) all[i * PG] = (char)i;
  for (long i = 0; i < PAGES; i += every * pages)
    if (pwrite(fd, all + i * PG, (size_t)(pages * PG), i * PG) != pages * PG) _exit(95);
  MUST(ftruncate(fd, HP));
  MUST(mount("none", DIR, "tmpfs", MS_REMOUNT, wish));
  return fd;
}
static void collapsing(const char *title) {
  say("- %s", title);
  int fd = small_file(1, "huge=never");
  char *p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  MUST(mount("none", DIR, "tmpfs", MS_REMOUNT, "huge=always"));
  p[5 * PG] = 55;
  smap("before", p);
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  a_round();
  smap("after", p);
  YES("a huge page", word_of("/proc/self/pagemap", (uint64_t)p / PG) >> 63 == 0 && blocks(fd) == PAGES);
  NUM("kept", p[5 * PG]);
  smap("touched", p);
  a_round();
  smap("another round", p);
  MUST(munmap(p, HP));
  close(fd);
}
static void limits(void) {
  ERR("none of them may lack", set(KHD "max_ptes_none", 0));
  int fd = small_file(4, "huge=always");
  char *p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  NUM("read", p[8 * PG]);
  a_round();
  NUM("pages of the file", blocks(fd));
  ERR("any may lack", set(KHD "max_ptes_none", 511));
  a_round();
  NUM("pages of the file", blocks(fd));
  NUM("kept", p[8 * PG]);
  NUM("a hole", p[9 * PG]);
  smap("touched", p);
  MUST(munmap(p, HP));
  close(fd);
}
static void wishes(void) {
  int fd = small_file(8, "huge=advise");
  char *p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  NUM("read", p[8 * PG]);
  a_round();
  NUM("not asked", blocks(fd));
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  a_round();
  NUM("asked", blocks(fd));
  MUST(munmap(p, HP));
  close(fd);
}
/* The huge page is there, but a part of it was mapped by itself. */
static void parts(void) {
  int fd = small_file(1, "huge=always");
  char *p = map_at(room(HP), HP, RW, MAP_SHARED, fd, 0);
  a_round();
  MUST(madvise(p, HP, MADV_NOHUGEPAGE));
  p[7 * PG] = 7;
  smap("by parts", p);
  MUST(madvise(p, HP, MADV_HUGEPAGE));
  a_round();
  smap("nothing", p);
  NUM("kept", p[7 * PG]);
  smap("by one", p);
  MUST(munmap(p, HP));
  close(fd);
}

int main(void) {
  static const char *const names[] = {KHD "scan_sleep_millisecs", KHD "pages_to_scan", KHD "max_ptes_none"};
  long before[3];
  for (int i = 0; i < 3; i++) before[i] = number(names[i]);
  MUST(set(names[0], 1));
  MUST(set(names[1], 1 << 22));
  MUST(set(names[2], 511));
  umount2(DIR, MNT_DETACH);
  mkdir(DIR, 0700);
  MUST(mount("none", DIR, "tmpfs", 0, ""));
  collapsing("wanted when it was mapped already, and forbidden for a moment");
  int fd = small_file(1, "huge=always");
  MUST(munmap(map_at(room(HP), HP, RW, MAP_SHARED, fd, 0), HP));
  close(fd);
  isKnown = 1;
  collapsing("the process is known to khugepaged");
  limits();
  wishes();
  parts();
  MUST(umount(DIR));
  MUST(rmdir(DIR));
  for (int i = 0; i < 3; i++) MUST(set(names[i], before[i]));
  return 0;
}
