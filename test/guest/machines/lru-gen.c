/*
 * /sys/kernel/mm/lru_gen: `lru-gen files` says what its files take and refuse; `lru-gen hold MS MIB [switch]` has a child use MIB
 * three times over with min_ttl_ms at MS, lru_gen going off and on between the rounds, and says what became of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[100];

static const char *at(const char *name) {
  snprintf(path, sizeof path, "/sys/kernel/mm/lru_gen/%s", name);
  return path;
}

static void show(const char *name) {
  char text[64];
  int fd = open(at(name), O_RDONLY);
  if (fd < 0) {
    printf("%s: %s\n", name, strerror(errno));
    return;
  }
  ssize_t n = read(fd, text, sizeof text - 1);
  text[n > 0 ? n : 0] = 0;
  close(fd);
  printf("%s: %s", name, text);
}

static void store(const char *name, const char *text) {
  int fd = open(at(name), O_WRONLY);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) printf("%s < %s: %s\n", name, text, strerror(errno));
  close(fd);
}

static void files(void) {
  static const char *const caps[] = {"n", "y", "0x5", "No", "03", "0", "Yes", "1\n", "8", "-1", "4294967296", "x", "", "08", "7 "};
  static const char *const ttls[] = {"1000", "0x10\n", "4294967295", "4294967296", "-1", "1.5", "0"};
  struct stat st;
  show("enabled");
  show("min_ttl_ms");
  if (stat(at("enabled"), &st) == 0) printf("mode %o\n", st.st_mode & 07777);
  for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
    store("enabled", caps[i]);
    show("enabled");
  }
  for (size_t i = 0; i < sizeof ttls / sizeof *ttls; i++) {
    store("min_ttl_ms", ttls[i]);
    show("min_ttl_ms");
  }
}

static void hold(const char *ttl, size_t bytes, int switches) {
  store("min_ttl_ms", ttl);
  pid_t child = fork();
  if (child == 0) {
    unsigned char *memory = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int wrong = 0;
    for (int round = 0; round < 3; round++) {
      if (switches) store("enabled", round % 2 ? "y" : "n");
      for (size_t i = 0; i < bytes; i += 4096) memory[i] += i >> 12;
    }
    for (size_t i = 0; i < bytes; i += 4096) wrong += memory[i] != (unsigned char)(3 * (i >> 12));
    _exit(wrong != 0);
  }
  int status;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) printf("signal %d\n", WTERMSIG(status));
  else printf("exit %d\n", WEXITSTATUS(status));
  static char log[65536];
  int n = klogctl(3, log, sizeof log - 1);
  log[n > 0 ? n : 0] = 0;
  char *asked = strstr(log, "kswapd0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL)");
  printf("kswapd killed: %s\n", asked != NULL ? "yes" : "no");
}

int main(int argc, char **argv) {
  if (argc > 3) hold(argv[2], (size_t)atoi(argv[3]) << 20, argc > 4);
  else files();
  return 0;
}
