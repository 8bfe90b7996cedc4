import type { MissListener } from '../../machine/miss-listener.ts';
import type { Access, TranslationRoot } from '../../machine/mmu.ts';
import type { Ram } from '../../machine/ram.ts';
import type { Vaddr } from '../../machine/units.ts';
import * as at from './layout.ts';

const WORD = 2 ** 32;

/**
 * Lets an instruction be known that misses the TLB: while somebody listens, the walker (walk.ts) holds a miss, as if it were a page
 * fault, so that `run` comes back with the registers as before the instruction; run once more, the instruction may miss.
 *
 *   closed --miss: held--> the listener is told --open for one--> the instruction again --miss: a refill--> closed
 *
 * An instruction may miss several times (two pages), and a page that holds code misses at each store: held at the same place again, it may
 * miss once more, and what was counted for it is taken back.
 *
 * Invariant: outside of `run` the gate is open, and counters are those of a run without it.
 */
export class MissGate {
  listener: MissListener | null = null;
  private readonly ram: Ram;
  /** What the listener was told of at one instruction. */
  private readonly waiting: number[] = [];
  private pc = -1;
  private retired = -1;
  /** Where it was held at that instruction. */
  private readonly places = new Set<string>();
  private allowed = 0;
  /** MAIL_TRAP_ADDRESS and MAIL_TRAP_ACCESS of the last trap. */
  private trapWords = new Uint32Array(3);
  /** MAIL_TLB_MISSES and MAIL_WALK_REFERENCES where the instruction was held first, and last. */
  private first: readonly [number, number] = [0, 0];
  private last: readonly [number, number] = [0, 0];

  constructor(ram: Ram) {
    this.ram = ram;
  }

  /** Nothing is held any more: the machine's memory is another one. */
  open(): void {
    this.ram.i32[at.MAIL_MISS_GATE / 4] = 0;
  }

  /** Before the machine runs on: misses are held from now on, but for those that the instruction may have. */
  close(): void {
    this.trapWords = this.ram.u32.slice(at.MAIL_TRAP_ADDRESS / 4, at.MAIL_TRAP_ACCESS / 4 + 1);
    this.ram.i32[at.MAIL_MISS_HELD / 4] = 0;
    this.ram.i32[at.MAIL_MISS_GATE / 4] = 1 + this.allowed;
  }

  /** Did the machine come back because of a miss? */
  get isHeld(): boolean {
    return this.ram.i32[at.MAIL_MISS_HELD / 4] !== 0;
  }

  /** A miss is held: tells of it, and lets the instruction have it. It is no trap, so the last one's address is put back. */
  hold(root: TranslationRoot, retired: number): void {
    const address = this.get64(at.MAIL_TRAP_ADDRESS) as Vaddr;
    const access = this.ram.u32[at.MAIL_TRAP_ACCESS / 4] as Access;
    this.ram.u32.set(this.trapWords, at.MAIL_TRAP_ADDRESS / 4);
    this.ram.i32[at.MAIL_SAME_INSTRUCTION / 4] = 0;
    const pc = this.get64(at.PC);
    if (pc !== this.pc || retired !== this.retired) {
      this.settle();
      this.pc = pc;
      this.retired = retired;
      this.first = this.counters();
    }
    const place = `${address} ${access}`;
    if (this.places.has(place)) {
      // Something else of the instruction took what was allowed: a page that missed before and is not kept, or a fault.
      this.restore(this.counters()[0] === this.last[0] ? this.last : this.first);
      this.allowed++;
      return;
    }
    this.places.add(place);
    this.last = this.counters();
    this.allowed = Math.max(1, this.allowed);
    const { listener } = this;
    if (listener !== null) this.waiting.push(listener.missing(root, address, access, 'user'));
  }

  /** The machine has come back for another reason. */
  leave(): void {
    this.settle();
    this.open();
  }

  /** A walk for the kernel's own access, from `before` misses on. */
  noteOfKernel(root: TranslationRoot, address: Vaddr, access: Access, before: number): void {
    const { listener } = this;
    const count = this.counters()[0] - before;
    if (listener !== null && count > 0) listener.missed(listener.missing(root, address, access, 'kernel'), count);
  }

  /** The instruction is over: what it was told of and did not fault was a miss. */
  private settle(): void {
    const { waiting, listener } = this;
    if (waiting.length > 0) {
      const count = this.counters()[0] - this.first[0];
      waiting.slice(0, count).forEach((which, i) => {
        listener?.missed(which, i + 1 === waiting.length ? count - i : 1);
      });
    }
    waiting.length = 0;
    this.pc = -1;
    this.places.clear();
    this.allowed = 0;
  }

  private counters(): readonly [number, number] {
    return [this.get64(at.MAIL_TLB_MISSES), this.get64(at.MAIL_WALK_REFERENCES)];
  }

  private restore([misses, references]: readonly [number, number]): void {
    this.put64(at.MAIL_TLB_MISSES, misses);
    this.put64(at.MAIL_WALK_REFERENCES, references);
  }

  private get64(offset: number): number {
    return this.ram.u32[offset / 4] + this.ram.u32[offset / 4 + 1] * WORD;
  }

  private put64(offset: number, value: number): void {
    const high = Math.floor(value / WORD);
    this.ram.u32[offset / 4] = value - high * WORD;
    this.ram.u32[offset / 4 + 1] = high;
  }
}
