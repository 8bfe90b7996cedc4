import { NS_PER_INSTRUCTION } from './cost-model.ts';

/**
 * Virtual time: nanoseconds since boot, a function of what the machine did and of nothing else (decision D3): retired
 * instructions times a constant, plus what the cost model charges for traps, copies and devices, plus idle time skipped.
 */
export class VirtualClock {
  /** All time that is not instructions. */
  chargedNs = 0;
  /** Of that, time in which nothing could run (/proc/uptime, /proc/stat). */
  idleNs = 0;
  private readonly source: { readonly retired: number };

  constructor(source: { readonly retired: number }) {
    this.source = source;
  }

  get nowNs(): number {
    return this.source.retired * NS_PER_INSTRUCTION + this.chargedNs;
  }

  charge(ns: number): void {
    this.chargedNs += ns;
  }

  /** Idle: nothing can run before `deadlineNs`. */
  skipTo(deadlineNs: number): void {
    const now = this.nowNs;
    if (deadlineNs <= now) return;
    this.chargedNs += deadlineNs - now;
    this.idleNs += deadlineNs - now;
  }
}
