/** sigset_t of the kernel ABI: 64 bits, signal N is bit N - 1. Two unsigned words, so that no BigInt is needed. */
export class SigSet {
  lo = 0;
  hi = 0;

  static of(...signals: number[]): SigSet {
    const set = new SigSet();
    for (const signo of signals) set.add(signo);
    return set;
  }

  has(signo: number): boolean {
    return signo <= 32 ? (this.lo & (1 << (signo - 1))) !== 0 : (this.hi & (1 << (signo - 33))) !== 0;
  }

  add(signo: number): void {
    if (signo <= 32) this.lo = (this.lo | (1 << (signo - 1))) >>> 0;
    else this.hi = (this.hi | (1 << (signo - 33))) >>> 0;
  }

  delete(signo: number): void {
    if (signo <= 32) this.lo = (this.lo & ~(1 << (signo - 1))) >>> 0;
    else this.hi = (this.hi & ~(1 << (signo - 33))) >>> 0;
  }

  set(lo: number, hi: number): void {
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
  }

  copyFrom(other: SigSet): void {
    this.lo = other.lo;
    this.hi = other.hi;
  }

  clone(): SigSet {
    const set = new SigSet();
    set.copyFrom(this);
    return set;
  }

  or(other: SigSet): void {
    this.lo = (this.lo | other.lo) >>> 0;
    this.hi = (this.hi | other.hi) >>> 0;
  }

  andNot(other: SigSet): void {
    this.lo = (this.lo & ~other.lo) >>> 0;
    this.hi = (this.hi & ~other.hi) >>> 0;
  }

  get isEmpty(): boolean {
    return this.lo === 0 && this.hi === 0;
  }

  /** As /proc/PID/status prints a set: 16 hexadecimal digits. */
  toHex(): string {
    return this.hi.toString(16).padStart(8, '0') + this.lo.toString(16).padStart(8, '0');
  }
}
