/* The flags of personality(2) that limits.c has not. */
#include "conform.h"
#include <poll.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#ifndef UNAME26
#define UNAME26 0x0020000
#endif
#ifndef STICKY_TIMEOUTS
#define STICKY_TIMEOUTS 0x4000000
#endif

CASE("personality", "UNAME26", "the release that uname tells") {
  struct utsname name, other;
  MUST(syscall(SYS_uname, &name));
  int major = 0, minor = 0, first = 0, told = 0;
  MUST(sscanf(name.release, "%d.%d", &major, &minor) == 2 ? 0 : -1);
  personality(UNAME26);
  MUST(syscall(SYS_uname, &other));
  YES("2.6 and the minor number and 60", sscanf(other.release, "2.6.%d", &told) == 1 && told == minor + 60);
  const char *rest = name.release, *tail = other.release + strlen("2.6.78");
  for (int dots = 0; *rest && (*rest == '.' ? ++dots < 3 : *rest >= '0' && *rest <= '9'); rest++) first++;
  YES("what follows the numbers stays", first > 0 && strcmp(rest, tail) == 0);
  YES("the rest stays", strcmp(name.version, other.version) == 0 && strcmp(name.machine, other.machine) == 0);
}
CASE("personality", "STICKY_TIMEOUTS", "pselect and ppoll leave the timeout alone") {
  for (int sticky = 0; sticky < 2; sticky++) {
    personality(sticky ? STICKY_TIMEOUTS : 0);
    struct timespec left = {0, 20000000};
    COUNT("pselect6", syscall(SYS_pselect6, 0L, NULL, NULL, NULL, &left, NULL));
    say("left %ld %ld", (long)left.tv_sec, (long)left.tv_nsec);
    left.tv_nsec = 20000000;
    COUNT("ppoll", syscall(SYS_ppoll, NULL, 0L, &left, NULL, 0L));
    say("left %ld %ld", (long)left.tv_sec, (long)left.tv_nsec);
  }
}
CASE("personality", "", "flags that say nothing to a 64-bit program are kept") {
  unsigned long flags[] = {0x1000000 /* SHORT_INODE */, 0x2000000 /* WHOLE_SECONDS */, 0x8000000 /* ADDR_LIMIT_3GB */, 0x0800000 /* ADDR_LIMIT_32BIT */, 0x0080000 /* FDPIC_FUNCPTRS */};
  for (int i = 0; i < 5; i++) {
    personality(flags[i]);
    NUM("kept", personality(0xffffffff) == (int)flags[i]);
    char *p = kmmap(NULL, PG, RW, ANON, -1, 0);
    YES("mappings are where they were", (unsigned long)p > 1UL << 32);
  }
}
