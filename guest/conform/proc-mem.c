/* /proc/PID/mem: reads and writes through the eyes of a debugger. */
#include "conform.h"

static int mem_of(pid_t pid, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
  return open(path, flags);
}

CASE("/proc/PID/mem", "", "read and write of memory, short at its end") {
  char *p = area(2), buffer[3 * PG];
  int fd = mem_of(getpid(), O_RDWR);
  strcpy(p, "hello");
  COUNT("read", pread(fd, buffer, 6, (off_t)(long)p));
  say("%s", buffer);
  COUNT("write", pwrite(fd, "world", 6, (off_t)(long)p));
  say("%s", p);
  MUST(kmunmap(p + PG, PG));
  COUNT("read over the end", pread(fd, buffer, 2 * PG, (off_t)(long)p));
  COUNT("read over the end, 10 bytes", pread(fd, buffer, 20, (off_t)(long)(p + PG - 10)));
  COUNT("write over the end", pwrite(fd, buffer, 20, (off_t)(long)(p + PG - 10)));
  COUNT("read behind", pread(fd, buffer, 1, (off_t)(long)(p + PG)));
  COUNT("write behind", pwrite(fd, buffer, 1, (off_t)(long)(p + PG)));
  COUNT("nothing", pread(fd, buffer, 0, (off_t)(long)(p + PG)));
  COUNT("page 0", pread(fd, buffer, 1, 0));
}
CASE("/proc/PID/mem", "", "rights of the mapping do not bind, those of the file do") {
  char *p = area(4), c = 0;
  int fd = mem_of(getpid(), O_RDWR), file = disk("f", 2), reader = open("f", O_RDONLY);
  memset(p, 'a', 4 * PG);
  MUST(kmprotect(p, PG, PROT_READ));
  MUST(kmprotect(p + PG, PG, PROT_NONE));
  COUNT("write to read-only", pwrite(fd, "X", 1, (off_t)(long)p));
  BYTE("there", p);
  COUNT("read of PROT_NONE", pread(fd, &c, 1, (off_t)(long)(p + PG)));
  BYTE("it", &c);
  COUNT("write to PROT_NONE", pwrite(fd, "Y", 1, (off_t)(long)(p + PG)));
  MUST(kmprotect(p + PG, PG, PROT_READ));
  BYTE("there", p + PG);
  MAPS("lines", p, 4);
  char *shared = kmmap(NULL, PG, PROT_READ, MAP_SHARED, file, 0), *lesser = kmmap(NULL, PG, PROT_READ, MAP_SHARED, reader, 0);
  char *own = kmmap(NULL, PG, PROT_READ, MAP_PRIVATE, reader, PG);
  COUNT("shared, read-only", pwrite(fd, "S", 1, (off_t)(long)shared));
  COUNT("shared, of a reader", pwrite(fd, "S", 1, (off_t)(long)lesser));
  COUNT("private, of a reader", pwrite(fd, "P", 1, (off_t)(long)own));
  BYTE("mapping", own);
  COUNT("file", pread(file, &c, 1, PG));
  BYTE("its", &c);
}
CASE("/proc/PID/mem", "", "text: a copy of its own for the process that is written") {
  unsigned char *code = (unsigned char *)(void *)labs, was = 0;
  int fd = mem_of(getpid(), O_RDWR);
  MUST(pread(fd, &was, 1, (off_t)(long)code));
  YES("reads as it is", was == *(volatile unsigned char *)code);
  pid_t pid = fork();
  if (pid == 0) {
    unsigned char other = (unsigned char)~was;
    int own = mem_of(getpid(), O_RDWR);
    COUNT("write", pwrite(own, &other, 1, (off_t)(long)code));
    YES("changed", *(volatile unsigned char *)code == other);
    _exit(0);
  }
  say("%s", wait_text(pid));
  YES("not here", *(volatile unsigned char *)code == was);
}
CASE("/proc/PID/mem", "", "untouched pages and those beyond the end of a file") {
  char *p = area(2), buffer[8];
  int fd = mem_of(getpid(), O_RDWR), file = disk("f", 1);
  char *long_map = kmmap(NULL, 2 * PG, RW, MAP_PRIVATE, file, 0);
  COUNT("untouched", pread(fd, buffer, 1, (off_t)(long)p));
  BYTE("zero", buffer);
  COUNT("write untouched", pwrite(fd, "q", 1, (off_t)(long)(p + PG)));
  BYTE("there", p + PG);
  COUNT("last bytes of the file", pread(fd, buffer, 8, (off_t)(long)(long_map + PG - 4)));
  COUNT("beyond", pread(fd, buffer, 8, (off_t)(long)(long_map + PG)));
}
CASE("/proc/PID/mem", "", "position: lseek, and where it stays") {
  char *p = area(1), buffer[8] = {0};
  int fd = mem_of(getpid(), O_RDWR);
  strcpy(p, "abcdef");
  YES("SEEK_SET", lseek(fd, (off_t)(long)p, SEEK_SET) == (off_t)(long)p);
  COUNT("read", read(fd, buffer, 2));
  COUNT("read on", read(fd, buffer + 2, 2));
  say("%s", buffer);
  YES("SEEK_CUR", lseek(fd, 1, SEEK_CUR) == (off_t)(long)p + 5);
  COUNT("write", write(fd, "Z", 1));
  say("%s", p);
  RESULT("SEEK_END", lseek(fd, 0, SEEK_END));
  RESULT("SEEK_DATA", lseek(fd, 0, SEEK_DATA));
}
CASE("/proc/PID/mem", "", "of a child that runs another program, or has ended") {
  int go[2], gone[2];
  MUST(pipe(go));
  MUST(pipe2(gone, O_CLOEXEC));
  char *p = area(1), c = 0;
  p[0] = 'a';
  pid_t pid = fork();
  if (pid == 0) {
    close(gone[0]);
    if (read(go[0], &c, 1) != 1) _exit(9);
    pause();
    _exit(0);
  }
  close(gone[1]);
  int fd = mem_of(pid, O_RDWR);
  COUNT("write into the child", pwrite(fd, "b", 1, (off_t)(long)p));
  COUNT("read", pread(fd, &c, 1, (off_t)(long)p));
  BYTE("the child's", &c);
  BYTE("ours", p);
  kill(pid, SIGKILL);
  siginfo_t info;
  MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
  COUNT("a zombie's memory", pread(fd, &c, 1, (off_t)(long)p));
  COUNT("written", pwrite(fd, "b", 1, (off_t)(long)p));
  RESULT("opened again", mem_of(pid, O_RDONLY));
  say("%s", wait_text(pid));
  RESULT("of nobody", mem_of(pid, O_RDONLY));
  COUNT("still open", pread(fd, &c, 1, (off_t)(long)p));
}
CASE("/proc/PID/mem", "EACCES", "of another user's process") {
  pid_t pid = fork();
  if (pid == 0) { pause(); _exit(0); }
  RESULT("root", mem_of(pid, O_RDWR));
  drop_root();
  RESULT("nobody", mem_of(pid, O_RDONLY));
  RESULT("own", open("/proc/self/mem", O_RDONLY));
}
CASE("/proc/PID/mem", "EFAULT", "a buffer that is not there") {
  char *p = area(1), *bad = hole(1);
  int fd = mem_of(getpid(), O_RDWR);
  p[0] = 1;
  COUNT("read", pread(fd, bad, 4, (off_t)(long)p));
  COUNT("write", pwrite(fd, bad, 4, (off_t)(long)p));
}
