import { INSTRUCTIONS_PER_NS } from './cost-model.ts';

/**
 * Virtual time: nanoseconds since boot, a function of what the machine did and of nothing else (decision D3): retired
 * instructions over a constant, plus what the cost model charges for traps, copies and devices, plus idle time skipped.
 *
 * Invariant: every time here is a whole number of ns; of instructions only the whole ns count.
 */
export class VirtualClock {
  /** All time that is not instructions. */
  chargedNs = 0;
  /** Of that, time in which nothing could run (/proc/uptime, /proc/stat): nobody wanted to, or all waited for a device or for memory. */
  idleNs = 0;
  diskWaitNs = 0;
  memoryWaitNs = 0;
  private readonly source: { readonly retired: number };

  constructor(source: { readonly retired: number }) {
    this.source = source;
  }

  get nowNs(): number {
    return this.retiredNs + this.chargedNs;
  }

  /** Time of the instructions alone. */
  get retiredNs(): number {
    return Math.floor(this.source.retired / INSTRUCTIONS_PER_NS);
  }

  /**
   * How many instructions from here it is until `ns` more have passed, if nothing else is charged: the least that do. `retiredNs` is that
   * of now.
   */
  instructionsUntil(ns: number, retiredNs = this.retiredNs): number {
    return (Math.ceil(ns) + retiredNs) * INSTRUCTIONS_PER_NS - this.source.retired;
  }

  charge(ns: number): void {
    this.chargedNs += ns;
  }

  /** Nothing can run before `deadlineNs`. */
  skipTo(deadlineNs: number, cause: 'idle' | 'disk' | 'memory' = 'idle'): void {
    const ns = Math.ceil(deadlineNs - this.nowNs);
    if (ns <= 0) return;
    this.chargedNs += ns;
    if (cause === 'idle') this.idleNs += ns;
    else if (cause === 'disk') this.diskWaitNs += ns;
    else this.memoryWaitNs += ns;
  }
}
