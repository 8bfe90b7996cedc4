import type { Pfn } from '../machine/units.ts';

/** PAGEVEC_SIZE (6.18). */
const SIZE = 31;

/**
 * Pages that were locked a moment ago (Linux 6.18: mlock_fbatch, mm/mlock.c). Linux moves them to the unevictable list when the
 * batch is full or the lists are drained; until then a use of such a page activates it as any other. Here they are on that list
 * at once, and the batch says for whom a use still counts.
 */
export class MlockBatch {
  private readonly frames = new Uint32Array(SIZE);
  private count = 0;

  /** mlock_folio, munlock_folio. */
  add(frame: Pfn): void {
    this.frames[this.count++] = frame;
    if (this.count === SIZE) this.count = 0;
  }

  /** lru_add_drain. */
  drain(): void {
    this.count = 0;
  }

  holds(frame: Pfn): boolean {
    for (let i = 0; i < this.count; i++) if (this.frames[i] === frame) return true;
    return false;
  }
}
