import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { HostFiles, HostStat, Timespec } from '../src/index.ts';
import { linuxErrno } from './host-errno.ts';

/** Descriptors kept open behind paths. A guess: well below the usual limit of 256 on macOS. */
const OPEN_LIMIT = 64;

interface OpenFile {
  readonly descriptor: number;
  readonly writes: boolean;
}

/**
 * The host's files through node:fs, synchronously. Links in the last component are never followed (lstat, O_NOFOLLOW): the
 * guest resolves links in its own tree, so none leads out of a mounted folder.
 */
export class NodeHostFiles implements HostFiles {
  /** Least recently used first. */
  private readonly open = new Map<string, OpenFile>();

  stat(path: string): HostStat | number {
    return attempt(() => {
      const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stat === undefined) return -2;
      return {
        mode: Number(stat.mode),
        size: Number(stat.size),
        ino: Number(stat.ino),
        dev: Number(stat.dev),
        nlink: Number(stat.nlink),
        atime: timespecOf(stat.atimeNs),
        mtime: timespecOf(stat.mtimeNs),
        ctime: timespecOf(stat.ctimeNs),
        btime: timespecOf(stat.birthtimeNs),
      };
    });
  }
  readdir(path: string): string[] | number {
    return attempt(() => readdirSync(path));
  }
  readlink(path: string): string | number {
    return attempt(() => readlinkSync(path));
  }

  read(path: string, position: number, into: Uint8Array): number {
    return attempt(() => {
      const descriptor = this.descriptorOf(path, 'read');
      let done = 0;
      while (done < into.length) {
        const count = readSync(descriptor, into, done, into.length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }
  write(path: string, position: number, from: Uint8Array): number {
    return attempt(() => {
      const descriptor = this.descriptorOf(path, 'write');
      let done = 0;
      while (done < from.length) done += writeSync(descriptor, from, done, from.length - done, position + done);
      return done;
    });
  }
  truncate(path: string, size: number): number {
    return attempt(() => {
      ftruncateSync(this.descriptorOf(path, 'write'), size);
      return 0;
    });
  }
  create(path: string, mode: number): number {
    return attempt(() => {
      const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR | constants.O_NOFOLLOW;
      // Kept open: a mode without write permission must not stop the maker from filling the file.
      this.keep(path, openSync(path, flags, mode | 0o200), 'write');
      chmodSync(path, mode);
      return 0;
    });
  }
  mkdir(path: string, mode: number): number {
    return attempt(() => {
      mkdirSync(path, mode);
      chmodSync(path, mode);
      return 0;
    });
  }
  symlink(target: string, path: string): number {
    return attempt(() => {
      symlinkSync(target, path);
      return 0;
    });
  }
  link(existing: string, path: string): number {
    return attempt(() => {
      linkSync(existing, path);
      return 0;
    });
  }
  unlink(path: string): number {
    this.close(path);
    return attempt(() => {
      unlinkSync(path);
      return 0;
    });
  }
  rmdir(path: string): number {
    return attempt(() => {
      rmdirSync(path);
      return 0;
    });
  }
  rename(from: string, to: string): number {
    // Descriptors are found by path: all below either name would name another file.
    for (const path of [...this.open.keys()]) if (isAtOrBelow(path, from) || isAtOrBelow(path, to)) this.close(path);
    return attempt(() => {
      renameSync(from, to);
      return 0;
    });
  }
  chmod(path: string, mode: number): number {
    return attempt(() => {
      // chmod follows links, and a link has no mode of its own.
      if (lstatSync(path).isSymbolicLink()) return -95;
      chmodSync(path, mode);
      return 0;
    });
  }
  /** Node takes seconds as one number: good to a quarter of a microsecond. */
  utimes(path: string, atime: Timespec, mtime: Timespec): number {
    return attempt(() => {
      const kept = this.open.get(path);
      if (kept?.writes === true) futimesSync(kept.descriptor, secondsOf(atime), secondsOf(mtime));
      else lutimesSync(path, secondsOf(atime), secondsOf(mtime));
      return 0;
    });
  }
  fsync(path: string): number {
    return attempt(() => {
      const kept = this.open.get(path);
      if (kept !== undefined) fsyncSync(kept.descriptor);
      else {
        const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        try {
          fsyncSync(descriptor);
        } finally {
          closeSync(descriptor);
        }
      }
      return 0;
    });
  }

  /** Closes all descriptors. */
  closeAll(): void {
    for (const path of [...this.open.keys()]) this.close(path);
  }

  private close(path: string): void {
    const kept = this.open.get(path);
    if (kept === undefined) return;
    this.open.delete(path);
    closeSync(kept.descriptor);
  }

  private descriptorOf(path: string, purpose: 'read' | 'write'): number {
    const kept = this.open.get(path);
    if (kept !== undefined && (purpose === 'read' || kept.writes)) {
      this.open.delete(path);
      this.open.set(path, kept);
      return kept.descriptor;
    }
    this.close(path);
    const flags = (purpose === 'write' ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NOFOLLOW;
    const descriptor = openSync(path, flags | (constants.O_NONBLOCK ?? 0));
    this.keep(path, descriptor, purpose);
    return descriptor;
  }

  private keep(path: string, descriptor: number, purpose: 'read' | 'write'): void {
    this.open.set(path, { descriptor, writes: purpose === 'write' });
    if (this.open.size > OPEN_LIMIT) this.close(this.open.keys().next().value!);
  }
}

function isAtOrBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function timespecOf(ns: bigint): Timespec {
  const nanoseconds = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((ns - nanoseconds) / 1_000_000_000n), nanoseconds: Number(nanoseconds) };
}

function secondsOf(time: Timespec): number {
  return time.seconds + time.nanoseconds / 1e9;
}

function attempt<T>(run: () => T): T | number {
  try {
    return run();
  } catch (error) {
    return linuxErrno(error);
  }
}
