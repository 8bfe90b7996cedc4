/* The README's tour: a file map, fork and copy-on-write, a stack that grows, and what /proc/self/maps says of it. */
#include "check.h"
static long deep(int n) {
  volatile char frame[4096];
  frame[0] = (char)n;
  hide((void *)frame); // or a compiler may make a loop of it, with one frame
  return n == 0 ? frame[0] : deep(n - 1) + frame[0] - frame[0];
}
/* All of /proc/self/maps as it is: for people, since addresses differ from run to run. */
static void print_maps(void) {
  static char text[65536];
  int fd = open("/proc/self/maps", O_RDONLY);
  for (long got; (got = read(fd, text, sizeof text)) > 0;) MUST(write(1, text, (size_t)got));
  close(fd);
}
int main(int argc, char **argv) {
  (void)argv;
  scratch();
  int fd = letters("story.txt", 4);
  say("1. A file of four pages, mapped. Nothing is read before it is touched.");
  char *file = mmap(NULL, 4 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  long before = minflt();
  say("   page 0 starts with '%c', page 3 with '%c'", file[0], file[3 * PG]);
  file[0] = 'A';
  char c = 0;
  MUST(pread(fd, &c, 1, 0));
  say("   written through a private map: we see '%c', the file still holds '%c'", file[0], c);
  say("   that took %s", minflt() > before ? "page faults" : "NO faults");
  say("2. Eight pages of memory, then fork: both processes share every frame.");
  char *memory = map_anon(8, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  memset(memory, 'p', 8 * PG);
  pid_t pid = fork();
  if (pid == 0) {
    minflt();
    before = minflt();
    for (int i = 0; i < 3; i++) memory[i * PG] = 'c';
    say("   the child writes three of them: %ld faults, each copied one page", minflt() - before);
    _exit(0);
  }
  wait_text(pid);
  say("   the parent still sees '%c%c%c'", memory[0], memory[PG], memory[2 * PG]);
  before = minflt();
  memset(memory, 'q', 8 * PG);
  say("   alone again, it writes all eight: %ld faults, none needs a copy", minflt() - before);
  say("3. A recursion 500 pages deep: the kernel lets the stack grow under it.");
  minflt();
  before = minflt();
  deep(500);
  long grown = minflt() - before;
  say("   %s", grown > 400 ? "more than 400 faults, one for each new page" : "hm, NO growth");
  before = minflt();
  deep(500);
  say("   the same again: %ld faults", minflt() - before);
  say("4. Where things are, as /proc/self/maps says:");
  MUST(mprotect(memory + 2 * PG, 2 * PG, PROT_READ));
  show_maps("   the eight pages, the third and fourth now read-only", memory, 8);
  show_maps("   the mapped file", file, 4);
  READS("PROT_NONE would be SIGSEGV; this page is only read-only", memory + 2 * PG);
  WRITES("to it", memory + 2 * PG);
  if (argc > 1) {
    say("5. And all of it:");
    print_maps();
  }
  unlink("story.txt");
  say("Done.");
  return 0;
}
