import { EIO } from '../../abi/errno.ts';
import { Rng } from '../../base/rng.ts';
import { __GFP_NOFAIL } from './gfp.ts';

/** What is to fail, each with its probability, 0 to below 1 for memory, to 1 for disks. */
export interface InjectOptions {
  /** Allocations of frames (Linux: fail_page_alloc). */
  readonly frames?: number;
  /** Allocations of the kernel's objects (failslab). */
  readonly slab?: number;
  /** Reads and writes of host files and swap areas answer -EIO (fail_make_request). */
  readonly diskRead?: number;
  readonly diskWrite?: number;
  /** No page gets a slot of swap. */
  readonly swap?: 'full' | 'as it is';
}

/** What was made to fail so far. */
export interface InjectCounts {
  frames: number;
  slab: number;
  diskRead: number;
  diskWrite: number;
}

/**
 * Fault injection (Linux 6.18: lib/fault-inject.c, mm/fail_page_alloc.c, mm/failslab.c): at each place where Linux may fail, a number
 * drawn from the seed decides. As with Linux's ignore-gfp-wait=N, ignore-gfp-highmem=N and min-order=0 every request may fail but
 * those with __GFP_NOFAIL.
 *
 * Always true: nothing fails before `start`, which the machine calls when its first program is about to run; a failure is drawn
 * once a request, so that the same seed fails the same requests.
 */
export class FaultInjector {
  readonly counts: InjectCounts = { frames: 0, slab: 0, diskRead: 0, diskWrite: 0 };
  /**
   * The last request for memory that failed was made to: there may be plenty. A page fault is tried again then (VM_FAULT_OOM that
   * leaks out of the handler, pagefault_out_of_memory), and nobody is killed for it.
   */
  tookMemory = false;
  private readonly options: InjectOptions;
  private readonly rng: Rng;
  private isStarted = false;

  constructor(options: InjectOptions, seed: number) {
    for (const [what, rate] of Object.entries({ frames: options.frames, slab: options.slab }))
      if (rate !== undefined && !(rate >= 0 && rate < 1))
        throw new RangeError(`${what}=${rate}: a page fault ends only if the probability is below 1`);
    for (const [what, rate] of Object.entries({ 'disk-read': options.diskRead, 'disk-write': options.diskWrite }))
      if (rate !== undefined && !(rate >= 0 && rate <= 1)) throw new RangeError(`${what}=${rate}: no probability`);
    this.options = options;
    this.rng = new Rng(seed ^ 0xfa17);
  }

  start(): void {
    this.isStarted = true;
  }

  /** The machine ends: what is left is to be given back, not to be tried. */
  stop(): void {
    this.isStarted = false;
  }

  /** should_fail_alloc_page. */
  failsFrames(gfp: number): boolean {
    if ((gfp & __GFP_NOFAIL) !== 0 || !this.draw(this.options.frames)) return false;
    this.counts.frames++;
    this.tookMemory = true;
    return true;
  }

  /** should_failslab. */
  failsObject(gfp: number): boolean {
    if ((gfp & __GFP_NOFAIL) !== 0 || !this.draw(this.options.slab)) return false;
    this.counts.slab++;
    this.tookMemory = true;
    return true;
  }

  /** should_fail_request: 0, or -EIO for the next request of a disk. */
  next(direction: 'read' | 'write'): number {
    const { options, counts } = this;
    if (!this.draw(direction === 'read' ? options.diskRead : options.diskWrite)) return 0;
    if (direction === 'read') counts.diskRead++;
    else counts.diskWrite++;
    return -EIO;
  }

  get isSwapFull(): boolean {
    return this.isStarted && this.options.swap === 'full';
  }

  private draw(rate = 0): boolean {
    return this.isStarted && rate > 0 && this.rng.u32() < rate * 2 ** 32;
  }
}
