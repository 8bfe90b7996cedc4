/* system() and popen(): what a C library does through /bin/sh. */
#include "../check.h"
int main(void) {
  YES("there is a shell", system(NULL) != 0);
  say("%s", status_text(system("exit 7")));
  say("%s", status_text(system("kill -9 $$")));
  say("%s", status_text(system("echo from the shell; exit 0")));
  say("%s", status_text(system("no-such-command-here 2>/dev/null")));
  char line[100];
  int n = 0;
  FILE *in = popen("for i in 1 2 3; do echo line $i; done; exit 3", "r");
  while (fgets(line, sizeof line, in)) {
    line[strcspn(line, "\n")] = 0;
    say("%d <%s>", ++n, line);
  }
  say("%s", status_text(pclose(in)));
  FILE *out = popen("while read a b; do echo $b $a; done", "w");
  fprintf(out, "one two\nthree four\n");
  say("%s", status_text(pclose(out)));
  FILE *both[10];
  for (int i = 0; i < 10; i++) {
    char command[40];
    snprintf(command, sizeof command, "echo $((%d * %d))", i, i);
    both[i] = popen(command, "r");
  }
  int sum = 0, value;
  for (int i = 0; i < 10; i++) {
    if (fscanf(both[i], "%d", &value) == 1) sum += value;
    pclose(both[i]);
  }
  NUM("ten at once", sum);
  return 0;
}
