import type { Timespec } from '../base/timespec.ts';

/**
 * All that comes from outside the machine, in one place so that it can be recorded and replayed (decision D3). Everything is
 * synchronous. Failures are -ERRNO numbers, never exceptions. No object of the host is ever handed in: files are named by
 * path, so kernel state stays plain data (decision D4); an implementation may keep descriptors open behind a path.
 */
export interface Environment {
  /** Host folders that were mounted; null where there is no host file system (browser). Paths are absolute host paths. */
  readonly host: HostFiles | null;
  /** What the program's descriptors 0, 1, 2 are on the host. */
  readonly stdio: readonly [StdioKind, StdioKind, StdioKind];
  /**
   * Bytes of standard input, at most `max`: 'eof' at its end, 'later' where none is there yet and waiting would block the host
   * (a terminal); for a file or a pipe it waits.
   */
  readInput(max: number): Uint8Array | 'eof' | 'later';
  /** Takes all the bytes, or returns -EPIPE, -ENOSPC ... */
  writeOutput(descriptor: 1 | 2, bytes: Uint8Array): number;
  /** Terminal size in character cells; [24, 80] where there is none. */
  windowSize(): readonly [rows: number, columns: number];
  /** Wall-clock time since the epoch; asked for at boot and, with `--clock host`, at each reading of the clock. */
  hostTimeNs(): number;
  /** Runs `work`, which reads for somebody who looks at the machine: no part of the run, so not recorded. Absent: nobody records. */
  observe?<T>(work: () => T): T;
}

export type StdioKind = 'tty' | 'pipe' | 'file' | 'null';

export interface HostStat {
  /** Linux's st_mode, type bits included. */
  mode: number;
  size: number;
  /** Host inode and device, which tell hard links apart. */
  ino: number;
  dev: number;
  nlink: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** When it was made. */
  btime: Timespec;
}

export interface HostFiles {
  /** lstat: links are not followed (the kernel follows them inside the guest's tree). */
  stat(path: string): HostStat | number;
  readdir(path: string): string[] | number;
  readlink(path: string): string | number;
  /** Bytes read, short at the end of file. */
  read(path: string, position: number, into: Uint8Array): number;
  write(path: string, position: number, from: Uint8Array): number;
  truncate(path: string, size: number): number;
  /** Creates an empty regular file; -EEXIST if there is one. */
  create(path: string, mode: number): number;
  mkdir(path: string, mode: number): number;
  symlink(target: string, path: string): number;
  link(existing: string, path: string): number;
  unlink(path: string): number;
  rmdir(path: string): number;
  rename(from: string, to: string): number;
  chmod(path: string, mode: number): number;
  utimes(path: string, atime: Timespec, mtime: Timespec): number;
  /** On the disk when it returns 0. */
  fsync(path: string): number;
}
