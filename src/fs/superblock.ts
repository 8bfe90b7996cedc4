import { ErrorSequence } from '../base/error-sequence.ts';
import type { FsCore } from './fs-core.ts';

/** The numbers of statfs(2), f_type aside. Blocks are of `blockBytes`. */
export interface StatFs {
  blockBytes: number;
  blocks: number;
  blocksFree: number;
  files: number;
  filesFree: number;
}

/** One file system instance (Linux: struct super_block). */
export class Superblock {
  readonly core: FsCore;
  readonly fsType: string;
  /** f_type of statfs. */
  readonly magic: number;
  readonly devMajor = 0;
  readonly devMinor: number;
  readonly isReadonly: boolean;
  /** SB_I_NOEXEC: nothing in it is ever executed or mapped executable, whatever the mount says. */
  readonly noExec: boolean;
  /** Dentries are asked again at each walk (procfs: processes come and go). */
  readonly revalidates: boolean;
  /** Errors of write-back, for syncfs (s_wb_err). */
  readonly writebackErrors = new ErrorSequence();
  private lastIno = 0;
  /** Mounts of it that are in a tree, or that somebody still has a path on. */
  mountCount = 0;

  constructor(
    core: FsCore,
    options: {
      fsType: string;
      magic: number;
      isReadonly?: boolean;
      noExec?: boolean;
      revalidates?: boolean;
      devMinor?: number;
    },
  ) {
    this.core = core;
    this.fsType = options.fsType;
    this.magic = options.magic;
    this.isReadonly = options.isReadonly ?? false;
    this.noExec = options.noExec ?? false;
    this.revalidates = options.revalidates ?? false;
    this.devMinor = options.devMinor ?? core.takeAnonMinor();
  }

  takeIno(): number {
    return ++this.lastIno;
  }

  /** simple_statfs: no blocks. */
  statfs(): StatFs {
    return { blockBytes: 4096, blocks: 0, blocksFree: 0, files: 0, filesFree: 0 };
  }

  /** Mount options as /proc/mounts shows them after rw or ro, each with a comma in front. */
  showOptions(): string {
    return '';
  }

  /** Writes all dirty data to where it belongs, and waits for it or not: 0 or the first -ERRNO. */
  sync(_how?: 'wait' | 'start'): number {
    return 0;
  }

  /** Unmounted for good: drops every inode that it pins. */
  kill(): void {}
}
