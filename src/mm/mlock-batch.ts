import type { Pfn } from '../machine/units.ts';

/** PAGEVEC_SIZE (6.18). */
const SIZE = 31;

/** What a page is until the batch is emptied: evictable still (and active), unevictable still, or as its flags say. */
export type Pending = 'evictable' | 'active' | 'unevictable' | 'settled';

/**
 * Pages that were locked or unlocked a moment ago (Linux 6.18: mlock_fbatch, mm/mlock.c). Linux moves them between the lists when the
 * batch is full or the lists are drained; until then a use of a page that is to be unevictable activates it as any other, and
 * one of a page that is to be evictable does not. Here they are moved at once, and the batch says for whom that is yet to come.
 */
export class MlockBatch {
  /** Locks that did not come about (mlock-pages.ts). */
  lostLocks = 0;
  /** Of this batch: 1 to 2^31 - 1. */
  number = 1;
  private readonly frames = new Uint32Array(SIZE);
  private readonly before: Pending[] = Array.from({ length: SIZE }, () => 'settled');
  private count = 0;

  /** mlock_folio, munlock_folio: `before` is what the page was, or 'settled' if the list does not change. */
  add(frame: Pfn, before: Pending): void {
    this.frames[this.count] = frame;
    this.before[this.count] = before;
    this.count++;
    if (this.count === SIZE) this.drain();
  }

  /** lru_add_drain. */
  drain(): void {
    this.count = 0;
    this.number = (this.number % 0x7fff_ffff) + 1;
  }

  /** The first entry that changes the page's list tells what it was. */
  stateOf(frame: Pfn): Pending {
    for (let i = 0; i < this.count; i++)
      if (this.frames[i] === frame && this.before[i] !== 'settled') return this.before[i];
    return 'settled';
  }
}
