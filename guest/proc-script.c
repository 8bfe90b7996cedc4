/* Interpreter scripts: #! with one optional argument, then the script's path and the arguments (execve(2)). */
#include "check.h"
static void script(const char *name, const char *text, int mode) {
  int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  MUST(write(fd, text, strlen(text)));
  MUST(fchmod(fd, (mode_t)mode));
  close(fd);
}
int main(int argc, char **argv) {
  if (argc > 1 && getenv("INNER")) {
    for (int i = 0; i < argc; i++) say("argv[%d] = '%s'", i, i == 0 ? strrchr(argv[i], '/') + 1 : argv[i]);
    return 6;
  }
  scratch();
  char self[512] = {0}, text[700];
  MUST(readlink("/proc/self/exe", self, sizeof self - 1));
  MUST(symlink(self, "program"));
  strcpy(text, "#!");
  strcat(text, scratch_path);
  strcat(text, "/program  -x two words \nrest\n");
  script("s1", text, 0755);
  script("s2", "#!/nowhere/interpreter\n", 0755);
  script("s3", "#!\n", 0755);
  script("s4", "plain text, no interpreter\n", 0755);
  script("s5", "", 0755);
  script("s6", text, 0644);
  char *arguments[] = {"zero", "a", "b c", NULL}, *variables[] = {"INNER=1", NULL};
  IN_CHILD("script", execve("./s1", arguments, variables); _exit(9));
  ERR("interpreter not there", execve("./s2", arguments, variables));
  ERR("empty interpreter", execve("./s3", arguments, variables));
  ERR("no ELF and no #!", execve("./s4", arguments, variables));
  ERR("empty file", execve("./s5", arguments, variables));
  ERR("no x bit", execve("./s6", arguments, variables));
  for (int i = 1; i <= 6; i++) { char name[4] = {'s', (char)('0' + i), 0}; unlink(name); }
  unlink("program");
  return 0;
}
