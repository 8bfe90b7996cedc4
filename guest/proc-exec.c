/* execve keeps pid and descriptors without CLOEXEC, passes arguments and environment, resets handlers (execve(2)). */
#include "check.h"
#include <sys/auxv.h>
extern char **environ;
static int again(int argc, char **argv) {
  NUM("argc", argc);
  for (int i = 1; i < argc; i++) say("argv[%d] = '%s'", i, argv[i]);
  for (char **e = environ; *e; e++) say("env '%s'", strncmp(*e, "PID=", 4) ? *e : "PID=...");
  YES("same pid", getenv("PID") && atol(getenv("PID")) == getpid());
  RET("kept descriptor", fcntl(20, F_GETFD));
  RET("CLOEXEC descriptor", fcntl(21, F_GETFD));
  struct sigaction action;
  sigaction(SIGUSR1, NULL, &action);
  YES("handler is default again", action.sa_handler == SIG_DFL);
  sigaction(SIGUSR2, NULL, &action);
  YES("ignored stays ignored", action.sa_handler == SIG_IGN);
  sigset_t set;
  sigprocmask(SIG_BLOCK, NULL, &set);
  YES("blocked stays blocked", sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGINT) == 0);
  NUM("AT_PAGESZ", getauxval(AT_PAGESZ));
  NUM("AT_PHENT", getauxval(AT_PHENT));
  NUM("AT_CLKTCK", getauxval(AT_CLKTCK));
  NUM("AT_SECURE", getauxval(AT_SECURE));
  YES("AT_RANDOM, AT_ENTRY, AT_PHDR, AT_PHNUM", getauxval(AT_RANDOM) && getauxval(AT_ENTRY) && getauxval(AT_PHDR) && getauxval(AT_PHNUM));
  YES("AT_UID", getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
  YES("AT_EXECFN", getauxval(AT_EXECFN) && !strcmp((char *)getauxval(AT_EXECFN), "/proc/self/exe"));
  return 5;
}
static void nothing(int sig) { (void)sig; }
int main(int argc, char **argv) {
  if (argc > 1) return again(argc, argv);
  char pid[32] = "PID=0";
  char *arguments[] = {"name", "one", "", "three words here", NULL}, *variables[] = {pid, "EMPTY=", "A=b=c", NULL};
  pid_t child = fork();
  if (child == 0) {
    snprintf(pid, sizeof pid, "PID=%ld", (long)getpid());
    dup2(1, 20);
    dup3(1, 21, O_CLOEXEC);
    signal(SIGUSR1, nothing);
    signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    setenv("IGNORED", "1", 1);
    execve("/proc/self/exe", arguments, variables);
    _exit(9);
  }
  say("%s", wait_text(child));
  ERR("not there", execve("/nowhere/at/all", arguments, variables));
  ERR("directory", execve("/tmp", arguments, variables));
  ERR("not executable", execve("/proc/meminfo", arguments, variables));
  ERR("bad argv", execve("/proc/self/exe", (char **)hide((void *)8), variables));
  return 0;
}
