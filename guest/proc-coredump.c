/* Core dumps: who gets one, what the parent sees, what is in the file. */
#include "check.h"
#include <elf.h>
#include <sys/prctl.h>

static char *page, *hidden, *untouched;
static int file;

static void raise_limit(rlim_t bytes) {
  struct rlimit limit = {bytes, bytes};
  MUST(setrlimit(RLIMIT_CORE, &limit));
}

static void die(int signo) {
  signal(signo, SIG_DFL);
  raise(signo);
}

/* How it ends, and what becomes of "core". */
#define DIES(what, ...) do { unlink("core"); pid_t pid_ = fork(); \
  if (pid_ == 0) { __VA_ARGS__; _exit(0); } \
  siginfo_t info_; int status_ = 0; struct stat stat_; \
  MUST(waitid(P_PID, (id_t)pid_, &info_, WEXITED | WNOWAIT)); MUST(waitpid(pid_, &status_, 0)); \
  int there_ = stat("core", &stat_) == 0; \
  say("%s: %s%s, code %d, %s", what, status_text(status_), WIFSIGNALED(status_) && WCOREDUMP(status_) ? " dumped" : "", \
      info_.si_code, !there_ ? "no file" : stat_.st_size == 0 ? "empty file" : "file"); \
  if (there_) say("  mode %o, links %d", stat_.st_mode, (int)stat_.st_nlink); } while (0)

static void show(const char *what, const Elf64_Phdr *headers, int count, char *address) {
  for (int i = 0; i < count; i++) {
    const Elf64_Phdr *h = &headers[i];
    unsigned long at = (unsigned long)address;
    if (h->p_type != PT_LOAD || at < h->p_vaddr || at >= h->p_vaddr + h->p_memsz) continue;
    char byte = 0;
    if (h->p_filesz > at - h->p_vaddr) (void)pread(file, &byte, 1, (off_t)(h->p_offset + at - h->p_vaddr));
    say("%s: flags %u, %ld pages, %ld in the file, first byte %d", what, h->p_flags, (long)(h->p_memsz / PG),
        (long)(h->p_filesz / PG), byte);
    return;
  }
  say("%s: not there", what);
}

static void show_notes(const Elf64_Phdr *h) {
  static char text[65536];
  long n = pread(file, text, h->p_filesz < sizeof text ? h->p_filesz : sizeof text, (off_t)h->p_offset);
  for (long at = 0; at + 12 <= n;) {
    Elf64_Nhdr *note = (Elf64_Nhdr *)(text + at);
    const char *name = text + at + 12;
    char *body = text + at + 12 + ((note->n_namesz + 3) & ~3U);
    at = (body - text) + ((note->n_descsz + 3) & ~3U);
    if (strcmp(name, "CORE") != 0) continue;
    if (note->n_type == 1) say("note prstatus: signal %d", *(int *)body);
    if (note->n_type == 2) say("note fpregset");
    if (note->n_type == 3) say("note prpsinfo: %u bytes, command %s", note->n_descsz, body + 40);
    if (note->n_type == 6) say("note auxv: first %ld of %s", *(long *)body, note->n_descsz % 16 == 0 ? "whole pairs" : "?");
    if (note->n_type == 0x53494749) say("note siginfo: %u bytes, signal %d", note->n_descsz, *(int *)body);
    if (note->n_type == 0x46494c45) say("note file: page size %ld", ((long *)body)[1]);
  }
}

static void show_core(void) {
  Elf64_Ehdr head;
  static Elf64_Phdr headers[64];
  file = open("core", O_RDONLY);
  MUST(file);
  MUST(read(file, &head, sizeof head));
  say("type %d, class %d, header sizes %d %d", head.e_type, head.e_ident[EI_CLASS], head.e_ehsize, head.e_phentsize);
  int count = head.e_phnum < 64 ? head.e_phnum : 64;
  MUST(pread(file, headers, sizeof *headers * (size_t)count, (off_t)head.e_phoff));
  say("first header: note %s", headers[0].p_type == PT_NOTE ? "yes" : "no");
  show("page", headers, count, page);
  show("not to be dumped", headers, count, hidden);
  show("untouched", headers, count, untouched);
  struct stat stat;
  MUST(fstat(file, &stat));
  const Elf64_Phdr *last = &headers[count - 1];
  YES("as long as its last segment says", stat.st_size == (long)(last->p_offset + last->p_filesz));
  show_notes(&headers[0]);
  close(file);
}

static void show_filter(const char *what) {
  char text[64] = "";
  int fd = open("/proc/self/coredump_filter", O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  say("%s: %.*s", what, n > 0 ? (int)n - 1 : 0, text);
}

static void set_filter(const char *text) {
  int fd = open("/proc/self/coredump_filter", O_WRONLY);
  RET(text, write(fd, text, strlen(text)));
  close(fd);
}

int main(void) {
  scratch();
  MUST(prctl(PR_SET_NAME, "dumper"));
  page = reserve(3);
  mprotect(page, 3 * PG, PROT_READ | PROT_WRITE);
  page[0] = 42;
  hidden = reserve(2);
  mprotect(hidden, 2 * PG, PROT_READ | PROT_WRITE);
  hidden[0] = 43;
  MUST(madvise(hidden, 2 * PG, MADV_DONTDUMP));
  untouched = reserve(2);
  mprotect(untouched, 2 * PG, PROT_READ);
  show_filter("filter");
  raise_limit(RLIM_INFINITY);
  DIES("abort", die(SIGABRT));
  show_core();
  DIES("segmentation fault", *(volatile char *)untouched = 1);
  DIES("quit", die(SIGQUIT));
  DIES("xcpu", die(SIGXCPU));
  DIES("kill", die(SIGKILL));
  DIES("term", die(SIGTERM));
  DIES("no limit for files", raise_limit(0); die(SIGABRT));
  DIES("a byte less than a page", raise_limit(4095); die(SIGABRT));
  DIES("a page", raise_limit(4096); die(SIGABRT));
  DIES("two pages", raise_limit(8192); die(SIGABRT));
  DIES("without write permission", MUST(mkdir("d", 0555)); MUST(chdir("d")); MUST(setuid(1000)); die(SIGABRT));
  rmdir("d");
  set_filter("0");
  show_filter("none");
  DIES("abort", die(SIGABRT));
  show_core();
  set_filter("0x7f\n");
  show_filter("all");
  IN_CHILD("inherited", show_filter("of a child"));
  set_filter("-1");
  set_filter("what");
  set_filter("0xfffff");
  show_filter("bits that mean something");
  unlink("core");
  return 0;
}
