/* posix_spawn with file actions and attributes, vfork, chains of fork and exec, exec and exit in a thread, pthread_atfork. */
#include "../check.h"
#include <pthread.h>
#include <spawn.h>
extern char **environ;
static char self[] = "/proc/self/exe";
static char *depth(int n) {
  static char text[16];
  snprintf(text, sizeof text, "%d", n);
  return text;
}
static int chain(int n) {
  if (n == 0) return 33;
  pid_t pid = n % 2 ? fork() : vfork();
  if (pid == 0) {
    char *argv[] = {"chain", "chain", depth(n - 1), NULL};
    execv(self, argv);
    _exit(90);
  }
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 91;
}
static void *execs(void *arg) {
  char *argv[] = {"code", "code", arg, NULL};
  execv(self, argv);
  return NULL;
}
static void *exits(void *arg) { exit((int)(long)arg); }
static void *lingers(void *arg) {
  sleep_ms(30);
  say("the last thread ends, in it the process");
  return arg;
}
static void *sleeps(void *arg) {
  pause();
  return arg;
}
static int before, in_parent, in_child;
static void prepare(void) { before++; }
static void parent(void) { in_parent++; }
static void after(void) { in_child++; }
int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "chain") == 0) return chain(atoi(argv[2]));
  if (argc > 2 && strcmp(argv[1], "code") == 0) return atoi(argv[2]);
  if (argc > 1 && strcmp(argv[1], "cat") == 0) {
    char text[200];
    long n, all = 0;
    while ((n = read(0, text, sizeof text)) > 0) {
      if (write(1, text, (size_t)n) != n) return 1;
      all += n;
    }
    return (int)all;
  }
  if (argc > 1 && strcmp(argv[1], "show") == 0) {
    sigset_t set;
    sigprocmask(SIG_BLOCK, NULL, &set);
    struct sigaction action;
    sigaction(SIGUSR2, NULL, &action);
    say("shown: %s, FROM=%s, own group %d, blocked %d, default %d", argv[2], getenv("FROM"), getpgrp() == getpid(), sigismember(&set, SIGUSR1),
        action.sa_handler == SIG_DFL);
    return 0;
  }
  NUM("chain", chain(20));
  pid_t pid;
  int status, fds[2], out[2];
  char *show[] = {"show", "show", "words here", NULL}, *env[] = {"FROM=spawn", NULL}, *cat[] = {"cat", "cat", NULL};
  posix_spawnattr_t attr;
  posix_spawnattr_init(&attr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  posix_spawnattr_setsigmask(&attr, &set);
  signal(SIGUSR2, SIG_IGN);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  posix_spawnattr_setsigdefault(&attr, &set);
  posix_spawnattr_setpgroup(&attr, 0);
  posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  int error = posix_spawn(&pid, self, NULL, &attr, show, env);
  const char *ended = wait_text(pid);
  say("spawn: %d, %s", error, ended);
  say("not there: %s", err_name(posix_spawn(&pid, "/not/there", NULL, NULL, show, env)));
  MUST(pipe(fds));
  MUST(pipe(out));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fds[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_addclose(&actions, fds[1]);
  posix_spawn_file_actions_addopen(&actions, 9, "/dev/null", O_RDONLY, 0);
  NUM("with actions", posix_spawnp(&pid, self, &actions, NULL, cat, environ));
  MUST(write(fds[1], "through two pipes", 17));
  close(fds[1]);
  close(out[1]);
  char text[64];
  long n = read(out[0], text, sizeof text);
  say("%.*s, %s", (int)n, text, wait_text(pid));
  pthread_t thread;
  IN_CHILD("exec in a thread", {
    for (int i = 0; i < 5; i++) pthread_create(&thread, NULL, sleeps, NULL);
    pthread_create(&thread, NULL, execs, "17");
    pause();
  });
  IN_CHILD("exit in a thread", { pthread_create(&thread, NULL, exits, (void *)18L); pause(); });
  IN_CHILD("the first thread ends first", { pthread_create(&thread, NULL, lingers, NULL); pthread_exit(NULL); });
  pthread_atfork(prepare, parent, after);
  for (int i = 0; i < 5; i++) {
    if ((pid = fork()) == 0) _exit(before * 10 + in_child);
    waitpid(pid, &status, 0);
    say("atfork: %s, parent %d", status_text(status), in_parent);
  }
  return 0;
}
