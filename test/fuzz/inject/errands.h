/* Steps that allocate all over the kernel, each by a few calls whose failure is let be. Part of inject.c. */
#ifndef FUZZ_ERRANDS_H
#define FUZZ_ERRANDS_H
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

/* Results are of no use here, and the compiler is to know. */
static volatile long ignored;
#define IGNORE(call) (ignored = (long)(call))

static void set_file(const char *path, const char *value) {
  int file = open(path, O_WRONLY);
  if (file < 0) return;
  IGNORE(write(file, value, strlen(value)));
  close(file);
}
static void touch_pages(char *at, long pages, int value) {
  for (long i = 0; i < pages; i++)
    if (sigsetjmp(fault_env, 1) == 0) at[i * PG] = (char)value;
}

/* ---- memory: ballast, huge pages of both kinds, pages to merge ---- */
static char *ballast[4];
static long ballast_pages[4];
static char ballast_value[4];
/* Whatever failed, what a page holds is what was stored there, or nothing was. */
static void check_ballast(long which) {
  for (volatile long i = 0; i < ballast_pages[which]; i++)
    if (sigsetjmp(fault_env, 1) == 0) {
      char found = ballast[which][i * PG];
      if (found != 0 && found != ballast_value[which]) IGNORE(write(1, "corrupt\n", 8));
    }
}
static void carry(long which, long pages, long value) {
  which &= 3;
  if (ballast[which]) check_ballast(which);
  if (ballast[which]) munmap(ballast[which], (size_t)(ballast_pages[which] * PG));
  ballast[which] = NULL;
  if (pages == 0) return;
  /* Where no walk comes. */
  char *place = (char *)(0x2800000000UL + (unsigned long)which * (1UL << 28));
  int flags = (which & 1 ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_FIXED;
  char *at = mmap(place, (size_t)(pages * PG), PROT_READ | PROT_WRITE, flags, -1, 0);
  if (at == MAP_FAILED) return;
  ballast[which] = at;
  ballast_pages[which] = pages;
  ballast_value[which] = (char)value;
  touch_pages(at, pages, (int)value);
}
static void huge(long how) {
  size_t size = 4UL << 20;
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | (how & 1 ? 0x40000 : 0);
  char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (at == MAP_FAILED) return;
  madvise(at, size, how & 1 ? MADV_NORMAL : 14);
  touch_pages(at, how & 2 ? 600 : 1024, 5);
  madvise(at, size, 25);
  munmap(at + (1 << 20), PG);
  if (how & 4) IGNORE(mremap(at, PG * 100, PG * 700, MREMAP_MAYMOVE));
  munmap(at, size);
}
/* Shared memory in huge pages: stored to, mapped in part, by a child too, collapsed, cut up, put out, cut off. */
static void share_huge(long how) {
  long pages = 1024, part = 37 + 100 * (how & 7);
  int file = (int)syscall(SYS_memfd_create, "huge", 0);
  if (file < 0) return;
  if (how & 8) IGNORE(fallocate(file, 0, 0, (pages - 300) * PG));
  if (ftruncate(file, pages * PG) == 0) {
    char *at = mmap(NULL, (size_t)(pages * PG), PROT_READ | PROT_WRITE, how & 16 ? MAP_PRIVATE : MAP_SHARED, file, 0);
    if (at != MAP_FAILED) {
      touch_pages(at, part, 5);
      if (how & 1) madvise(at, (size_t)(pages * PG), 25);
      if (how & 2) IGNORE(write(file, "some bytes", 10));
      int pid = how & 4 ? -1 : fork();
      if (pid == 0) {
        touch_pages(at, part / 2, 6);
        munmap(at + 3 * PG, PG);
        touch_pages(at, 3, 7);
        _exit(0);
      }
      if (how & 32) madvise(at + part * PG, 9 * PG, 9);
      if (how & 64) madvise(at, (size_t)(part * PG), 21);
      touch_pages(at + 512 * PG, part / 3, 8);
      if (how & 1) IGNORE(mprotect(at + 600 * PG, 8 * PG, PROT_READ));
      IGNORE(ftruncate(file, part * PG + 5));
      if (pid > 0) waitpid(pid, NULL, 0);
      munmap(at + 16 * PG, 3 * PG);
      touch_pages(at, 16, 9);
      munmap(at, (size_t)(pages * PG));
    }
  }
  close(file);
}
static void merge(long pages) {
  char *at = mmap(NULL, (size_t)(pages * PG), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return;
  madvise(at, (size_t)(pages * PG), 12);
  touch_pages(at, pages, 3);
  struct timespec moment = {0, 40 * 1000 * 1000};
  nanosleep(&moment, NULL);
  touch_pages(at, pages / 2, 4);
  munmap(at, (size_t)(pages * PG) / 2);
}

/* ---- files: of the host (/host), of tmpfs, of proc ---- */
static void host_file(long which, long offset, long length) {
  char path[32];
  snprintf(path, sizeof path, "/host/f%ld", which & 3);
  int file = open(path, O_RDWR | O_CREAT, 0644);
  if (file < 0) return;
  IGNORE(pwrite(file, io_buffer, (size_t)length, offset));
  char *at = mmap(NULL, 16 * PG, PROT_READ | PROT_WRITE, MAP_SHARED, file, offset & -PG);
  if (at != MAP_FAILED) {
    touch_pages(at, 4, 9);
    msync(at, 16 * PG, MS_SYNC);
    if (which & 4) munmap(at, 16 * PG);
  }
  if (which & 8) fsync(file);
  IGNORE(pread(file, io_buffer, (size_t)length, offset / 2));
  if (which & 16) IGNORE(ftruncate(file, offset));
  if (which & 32) unlink(path);
  close(file);
}
static void tree(long which) {
  char a[32], b[32];
  snprintf(a, sizeof a, "/tmp/d%ld", which & 3);
  snprintf(b, sizeof b, "/tmp/e%ld", which >> 2 & 3);
  mkdir(a, 0755);
  IGNORE(symlink(a, b));
  rename(a, b);
  IGNORE(link("/tmp/t1", a));
  unlink(a);
  rmdir(b);
  unlink(b);
}
static void read_proc(long which) {
  static const char *const PATHS[] = {"/proc/self/smaps", "/proc/self/maps", "/proc/meminfo", "/proc/vmstat", "/proc/self/status",
    "/proc/slabinfo", "/proc/self/numa_maps", "/proc/zoneinfo", "/proc/self/mountinfo", "/proc/self/stat"};
  int file = open(PATHS[which % 10], O_RDONLY);
  if (file < 0) return;
  while (read(file, text, 5000) > 0) {}
  close(file);
}
static void change_swap(long how) {
  if (how & 1) swapoff("/dev/zram0");
  swapon("/dev/zram0", 0);
}

/* ---- pipes, sockets, descriptors ---- */
static void use_pipe(long length) {
  int ends[2];
  if (pipe(ends) != 0) return;
  fcntl(ends[1], F_SETFL, O_NONBLOCK);
  fcntl(ends[1], 1031, length * 4);
  IGNORE(write(ends[1], io_buffer, (size_t)length));
  IGNORE(read(ends[0], io_buffer, (size_t)length / 2));
  close(ends[0]);
  close(ends[1]);
}
static void use_socket(long type, long length) {
  int ends[2];
  if (socketpair(AF_UNIX, (type & 1 ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0, ends) != 0) return;
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {io_buffer, (size_t)length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &fd[0], sizeof(int));
  IGNORE(sendmsg(ends[0], &message, 0));
  IGNORE(send(ends[0], io_buffer, (size_t)length, 0));
  if (type & 2 && recvmsg(ends[1], &message, 0) > 0 && (header = CMSG_FIRSTHDR(&message)) != NULL) {
    int got;
    memcpy(&got, CMSG_DATA(header), sizeof(int));
    close(got);
  }
  close(ends[0]);
  close(ends[1]);
}
static void listen_on(long which) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path, sizeof name.sun_path, "/tmp/s%d-%ld", slot, which & 3);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 4) == 0 &&
      connect(client, (struct sockaddr *)&name, sizeof name) == 0) {
    int served = accept(listener, NULL, NULL);
    IGNORE(write(client, io_buffer, 3000));
    if (served >= 0) close(served);
  }
  if (listener >= 0) close(listener);
  if (client >= 0) close(client);
  unlink(name.sun_path);
}
static void use_descriptors(void) {
  int files[6] = {epoll_create1(0), eventfd(0, EFD_NONBLOCK), timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), inotify_init1(IN_NONBLOCK),
    memfd_create("x", 0), open("/tmp", O_RDONLY | O_DIRECTORY)};
  struct epoll_event event = {.events = EPOLLIN};
  IGNORE(epoll_ctl(files[0], EPOLL_CTL_ADD, files[1], &event));
  IGNORE(inotify_add_watch(files[3], "/tmp", IN_CREATE | IN_MODIFY));
  IGNORE(write(files[4], io_buffer, 9000));
  for (int i = 30; i < 200; i += 40) {
    int copy = fcntl(files[1], F_DUPFD, i);
    if (copy >= 0) close(copy);
  }
  for (int i = 0; i < 6; i++)
    if (files[i] >= 0) close(files[i]);
}
static void use_ipc(void) {
  struct { long type; char body[2000]; } message = {1, {0}};
  int queue = msgget(IPC_PRIVATE, 0600);
  for (int i = 0; i < 4; i++) IGNORE(msgsnd(queue, &message, sizeof message.body, IPC_NOWAIT));
  IGNORE(msgrcv(queue, &message, sizeof message.body, 0, IPC_NOWAIT));
  msgctl(queue, IPC_RMID, NULL);
  int semaphore = semget(IPC_PRIVATE, 4, 0600);
  struct sembuf up = {0, 1, SEM_UNDO};
  IGNORE(semop(semaphore, &up, 1));
  semctl(semaphore, 0, IPC_RMID);
}

/* ---- processes and threads ---- */
static int run_leaf(void) {
  char *at = mmap(NULL, 64 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at != MAP_FAILED)
    for (long i = 0; i < 64; i++) at[i * PG] = 1;
  return 0;
}
static void start_leaf(void) {
  int pid = fork();
  if (pid == 0) {
    execl("/inject", "/inject", "--leaf", NULL);
    _exit(71);
  }
  if (pid > 0) waitpid(pid, NULL, 0);
}
static void *leaf_thread(void *pages) {
  char *at = malloc((size_t)pages * PG);
  if (at)
    for (long i = 0; i < (long)pages; i++) at[i * PG] = 1;
  free(at);
  return NULL;
}
static void use_threads(long count) {
  pthread_t threads[8];
  int made = 0;
  while (made < count % 8 && pthread_create(&threads[made], NULL, leaf_thread, (void *)20L) == 0) made++;
  for (int i = 0; i < made; i++) pthread_join(threads[i], NULL);
}
/* Children that share what this process has, all alive at once. */
static void crowd(long count) {
  int pids[32], made = 0;
  for (; made < count && made < 32; made++) {
    if ((pids[made] = fork()) == 0) {
      for (int which = 0; which < 4; which++)
        if (ballast[which]) touch_pages(ballast[which], ballast_pages[which] / 4, ballast_value[which]);
      pause();
    }
    if (pids[made] < 0) break;
  }
  struct timespec moment = {0, 3 * 1000 * 1000};
  nanosleep(&moment, NULL);
  for (int i = 0; i < made; i++) kill(pids[i], SIGKILL);
  for (int i = 0; i < made; i++) waitpid(pids[i], NULL, 0);
}

static int run_errand(const char *name, const long *a) {
  if (!strcmp(name, "carry")) carry(a[0], a[1], a[2]);
  else if (!strcmp(name, "huge")) huge(a[0]);
  else if (!strcmp(name, "sharehuge")) share_huge(a[0]);
  else if (!strcmp(name, "collapse")) {
    if (ballast[a[0] & 3]) madvise(ballast[a[0] & 3], (size_t)(ballast_pages[a[0] & 3] * PG), 25);
  } else if (!strcmp(name, "shmem")) {
    static const char *const words[] = {"never", "always", "within_size", "force"};
    set_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", words[a[0] & 3]);
  } else if (!strcmp(name, "merge")) merge(a[0]);
  else if (!strcmp(name, "hostfile")) host_file(a[0], a[1], a[2]);
  else if (!strcmp(name, "tree")) tree(a[0]);
  else if (!strcmp(name, "proc")) read_proc(a[0]);
  else if (!strcmp(name, "swap")) change_swap(a[0]);
  else if (!strcmp(name, "usepipe")) use_pipe(a[0]);
  else if (!strcmp(name, "usesocket")) use_socket(a[0], a[1]);
  else if (!strcmp(name, "listen")) listen_on(a[0]);
  else if (!strcmp(name, "descriptors")) use_descriptors();
  else if (!strcmp(name, "ipc")) use_ipc();
  else if (!strcmp(name, "leaf")) start_leaf();
  else if (!strcmp(name, "threads")) use_threads(a[0]);
  else if (!strcmp(name, "crowd")) crowd(a[0]);
  else if (!strcmp(name, "caches")) set_file("/proc/sys/vm/drop_caches", "3");
  else if (!strcmp(name, "ksm")) set_file("/sys/kernel/mm/ksm/run", a[0] ? (a[0] == 2 ? "2" : "1") : "0");
  else if (!strcmp(name, "thp")) set_file("/sys/kernel/mm/transparent_hugepage/enabled", a[0] ? "always" : "madvise");
  else if (!strcmp(name, "pools")) set_file("/proc/sys/vm/nr_hugepages", a[0] ? "2" : "0");
  else if (!strcmp(name, "rest")) {
    struct timespec moment = {0, a[0] * 1000 * 1000};
    nanosleep(&moment, NULL);
  } else return 0;
  return 1;
}
#endif
