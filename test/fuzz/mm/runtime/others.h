/* Memory that processes share by name, and memory of another process. Part of runtime.h. */
#ifndef FUZZ_OTHERS_H
#define FUZZ_OTHERS_H

/* ---- System V shared memory: segments are known by number, because identifiers are the machine's ---- */
static void make_segment(long number, long size, long flags) {
  if (BOARD->segment[number]) { put(" there"); return; }
  int id = shmget(IPC_PRIVATE, (size_t)size, (int)flags | 0600);
  if (id >= 0) BOARD->segment[number] = id + 1;
  put(" %s", id < 0 ? error_name(errno) : "made");
}
static void attach_segment(long number, long address, long flags) {
  call_mapping(SYS_shmat, BOARD->segment[number] - 1, address, flags, 0, 0, 0, 0);
}
static void control_segment(long number, long command) {
  struct shmid_ds about;
  memset(&about, 0, sizeof about);
  long result = call(SYS_shmctl, BOARD->segment[number] - 1, command, command == IPC_STAT ? (long)&about : 0, 0, 0, 0);
  if (result == 0 && command == IPC_STAT)
    put(" size=%ld attached=%ld mode=%o", (long)about.shm_segsz, (long)about.shm_nattch, (unsigned)about.shm_perm.mode);
  if (result == 0 && command == IPC_RMID) BOARD->segment[number] = 0;
}

/* ---- another process's memory ---- */
static void call_other(char how, long other, long address, long length, int value) {
  struct iovec local = {io_buffer, (size_t)length}, remote = {(void *)address, (size_t)length};
  if (how == 'w') memset(io_buffer, value, (size_t)length);
  long pid = other == 0 && BOARD->pid[0] == 0 ? getpid() : BOARD->pid[other];
  long got = call(how == 'w' ? SYS_process_vm_writev : SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
  unsigned long hash = 14695981039346656037UL;
  for (long i = 0; how == 'r' && i < got; i++) hash = (hash ^ (unsigned char)io_buffer[i]) * 1099511628211UL;
  if (how == 'r' && got > 0) put(" %lx", hash);
}
static void advise_other(long other, long address, long length, long advice) {
  struct iovec range = {(void *)address, (size_t)length};
  int process = (int)syscall(SYS_pidfd_open, BOARD->pid[other], 0);
  call(SYS_process_madvise, process, (long)&range, 1, advice, 0, 0);
  close(process);
}

/* /proc/PID/mem of another process, which overrides rights; ptrace does, too, and stops it meanwhile. */
static void call_other_mem(char how, long other, long address, long length, int value) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/mem", BOARD->pid[other]);
  call_mem(path, how, address, length, value);
}
static void trace_other(char how, long other, long address, long value) {
  int pid = BOARD->pid[other], status;
  if (pid == getpid()) { put(" itself"); return; }
  if (syscall(SYS_ptrace, 16 /* ATTACH */, pid, 0, 0) != 0 || waitpid(pid, &status, __WALL) != pid) { put(" not traced"); return; }
  long peeked = 0;
  long result = call(SYS_ptrace, how == 'r' ? 1 : 4, pid, address, how == 'r' ? (long)&peeked : value, 0, 0);
  if (how == 'r' && result == 0) put(" %lx", peeked);
  syscall(SYS_ptrace, 17 /* DETACH */, pid, 0, 0);
}
#endif
