/* si_code and si_addr of bad accesses: nothing there is MAPERR, not allowed is ACCERR (sigaction(2)). */
#include "check.h"
static void child_null(void) { *(volatile char *)hide(NULL) = 1; }
int main(void) {
  char *r = reserve(8);
  READS("NULL", NULL);
  WRITES("NULL + 16", 16);
  READS("PROT_NONE", r + 123);
  WRITES("PROT_NONE", r + PG + 1);
  MUST(mprotect(r + 2 * PG, PG, PROT_READ));
  READS("read-only", r + 2 * PG + 5);
  WRITES("read-only", r + 2 * PG + 5);
  say("call of a page that is not executable: %s", probe(r + 2 * PG, 'x'));
  MUST(munmap(r + 4 * PG, PG));
  READS("hole", r + 4 * PG + 9);
  say("call of a hole: %s", probe(r + 4 * PG, 'x'));
  WRITES("program text", (char *)main);
  WRITES("string literal", "literal");
  IN_CHILD("uncaught", child_null());
  IN_CHILD("blocked SIGSEGV kills all the same", sigset_t set; sigfillset(&set); sigprocmask(SIG_BLOCK, &set, NULL); child_null());
  IN_CHILD("ignored SIGSEGV kills all the same", signal(SIGSEGV, SIG_IGN); child_null());
  return 0;
}
