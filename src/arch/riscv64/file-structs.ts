import type { ArchStructs, FlockFields, StatFields, StatfsFields, SysinfoFields } from '../structs.ts';
import { getS64, setU64 } from './words.ts';

const STAT_BYTES = 128;
const STATFS_BYTES = 120;
const FLOCK_BYTES = 32;
const SYSINFO_BYTES = 112;

/**
 * The LP64 asm-generic layouts: struct stat (include/uapi/asm-generic/stat.h), statfs (statfs.h), flock (fcntl.h) and
 * sysinfo (linux/sysinfo.h). epoll_event is packed on x86-64 alone.
 */
export const RISCV64_STRUCTS: ArchStructs = {
  encodeStat(stat: StatFields): Uint8Array {
    const bytes = new Uint8Array(STAT_BYTES);
    const view = new DataView(bytes.buffer);
    setU64(view, 0, stat.dev);
    setU64(view, 8, stat.ino);
    view.setUint32(16, stat.mode, true);
    view.setUint32(20, stat.nlink, true);
    view.setUint32(24, stat.uid, true);
    view.setUint32(28, stat.gid, true);
    setU64(view, 32, stat.rdev);
    setU64(view, 48, stat.size);
    view.setInt32(56, stat.blockBytes, true);
    setU64(view, 64, stat.blocks512);
    setU64(view, 72, stat.atime.seconds);
    setU64(view, 80, stat.atime.nanoseconds);
    setU64(view, 88, stat.mtime.seconds);
    setU64(view, 96, stat.mtime.nanoseconds);
    setU64(view, 104, stat.ctime.seconds);
    setU64(view, 112, stat.ctime.nanoseconds);
    return bytes;
  },

  encodeStatfs(statfs: StatfsFields): Uint8Array {
    const bytes = new Uint8Array(STATFS_BYTES);
    const view = new DataView(bytes.buffer);
    setU64(view, 0, statfs.type);
    setU64(view, 8, statfs.blockBytes);
    setU64(view, 16, statfs.blocks);
    setU64(view, 24, statfs.blocksFree);
    setU64(view, 32, statfs.blocksFree);
    setU64(view, 40, statfs.files);
    setU64(view, 48, statfs.filesFree);
    view.setUint32(56, statfs.fsid[0], true);
    view.setUint32(60, statfs.fsid[1], true);
    setU64(view, 64, statfs.nameLength);
    setU64(view, 72, statfs.blockBytes);
    setU64(view, 80, statfs.flags);
    return bytes;
  },

  flockBytes: FLOCK_BYTES,

  decodeFlock(bytes: Uint8Array): FlockFields {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return {
      type: view.getInt16(0, true),
      whence: view.getInt16(2, true),
      start: getS64(view, 8),
      length: getS64(view, 16),
      pid: view.getInt32(24, true),
    };
  },

  encodeFlock(flock: FlockFields): Uint8Array {
    const bytes = new Uint8Array(FLOCK_BYTES);
    const view = new DataView(bytes.buffer);
    view.setInt16(0, flock.type, true);
    view.setInt16(2, flock.whence, true);
    setU64(view, 8, flock.start);
    setU64(view, 16, flock.length);
    view.setInt32(24, flock.pid, true);
    return bytes;
  },

  encodeSysinfo(info: SysinfoFields): Uint8Array {
    const bytes = new Uint8Array(SYSINFO_BYTES);
    const view = new DataView(bytes.buffer);
    const words = [info.uptimeSeconds, ...info.loads, info.totalRam, info.freeRam, info.sharedRam, info.bufferRam];
    for (const [i, word] of [...words, info.totalSwap, info.freeSwap].entries()) setU64(view, i * 8, word);
    view.setUint16(80, info.processes, true);
    setU64(view, 88, info.totalHigh);
    setU64(view, 96, info.freeHigh);
    view.setUint32(104, info.unitBytes, true);
    return bytes;
  },

  epollEventBytes: 16,
  epollDataOffset: 8,
};
