/**
 * Structures that system calls exchange with user memory and whose layout is the architecture's. Numbers are exact below
 * 2^53; times are seconds and nanoseconds apart, so that nothing is lost.
 */
export interface StatFields {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blockBytes: number;
  readonly blocks512: number;
  readonly atime: TimeParts;
  readonly mtime: TimeParts;
  readonly ctime: TimeParts;
}

export interface TimeParts {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export interface StatfsFields {
  readonly type: number;
  readonly blockBytes: number;
  readonly blocks: number;
  readonly blocksFree: number;
  readonly files: number;
  readonly filesFree: number;
  readonly fsid: readonly [number, number];
  readonly nameLength: number;
  readonly flags: number;
}

export interface FlockFields {
  readonly type: number;
  readonly whence: number;
  readonly start: number;
  readonly length: number;
  readonly pid: number;
}

export interface SysinfoFields {
  readonly uptimeSeconds: number;
  /** Load averages of 1, 5 and 15 minutes in units of 1/65536. */
  readonly loads: readonly [number, number, number];
  readonly totalRam: number;
  readonly freeRam: number;
  readonly sharedRam: number;
  readonly bufferRam: number;
  readonly totalSwap: number;
  readonly freeSwap: number;
  readonly processes: number;
  readonly totalHigh: number;
  readonly freeHigh: number;
  readonly unitBytes: number;
}

export interface ArchStructs {
  encodeStat(stat: StatFields): Uint8Array;
  encodeStatfs(statfs: StatfsFields): Uint8Array;
  readonly flockBytes: number;
  decodeFlock(bytes: Uint8Array): FlockFields;
  encodeFlock(flock: FlockFields): Uint8Array;
  encodeSysinfo(info: SysinfoFields): Uint8Array;
  /** struct epoll_event: its size, and where the 64 bits of data stand. */
  readonly epollEventBytes: number;
  readonly epollDataOffset: number;
}
