import type { Kernel } from '../../kernel/kernel.ts';
import { type PageListener, PageLives } from './page-lives.ts';
import { HASH_STEPS, hashOfPage } from './sampled-curve.ts';

const CHUNK = 1 << 20;

/**
 * Every change of page of a run, as the CPU's reference stream tells it, in 32-bit numbers: a page (PageLives), or -1 - page where it is freed.
 *
 * Of a run with more of them than it may keep it is a sample: half of the pages are forgotten, by their hash, with all that was kept of them
 * and all that comes; and half of those that are left, when it is full again. So it has all references to a share `rate` of the pages.
 *
 * Invariant: what is kept is of pages whose hash is below rate * HASH_STEPS.
 */
export class ReferenceTrace implements PageListener {
  /** Share of the pages that are kept. */
  rate = 1;
  /** References of the run, those that are not kept too. */
  referenceCount = 0;
  private chunks: Int32Array<ArrayBuffer>[] = [];
  private used = CHUNK;
  private readonly limit: number;
  private readonly lives: PageLives;

  /** Listens from now on, and keeps at most `limit` entries. */
  constructor(kernel: Kernel, limit = Number.POSITIVE_INFINITY) {
    this.limit = limit;
    this.lives = new PageLives(kernel, this);
  }

  referenced(page: number): void {
    this.referenceCount++;
    this.keep(page, page);
  }

  freed(page: number): void {
    this.keep(page, -1 - page);
  }

  /** No more is listened to. */
  close(): void {
    this.lives.close();
  }

  get length(): number {
    return this.chunks.length === 0 ? 0 : (this.chunks.length - 1) * CHUNK + this.used;
  }

  /** Pages that were referenced. */
  get pageCount(): number {
    return this.lives.pageCount;
  }

  /** All entries as one array. */
  toArray(): Int32Array {
    const all = new Int32Array(this.length);
    this.chunks.forEach((chunk, at) => {
      all.set(at === this.chunks.length - 1 ? chunk.subarray(0, this.used) : chunk, at * CHUNK);
    });
    return all;
  }

  private keep(page: number, entry: number): void {
    if (this.rate < 1 && hashOfPage(page) >= this.rate * HASH_STEPS) return;
    if (this.length >= this.limit) {
      this.halve();
      if (hashOfPage(page) >= this.rate * HASH_STEPS) return;
    }
    this.append(entry);
  }

  private append(entry: number): void {
    if (this.used === CHUNK) {
      this.chunks.push(new Int32Array(CHUNK));
      this.used = 0;
    }
    this.chunks[this.chunks.length - 1][this.used++] = entry;
  }

  /** Until there is room again. */
  private halve(): void {
    while (this.length >= this.limit && this.rate > 1 / HASH_STEPS) {
      this.rate /= 2;
      const before = this.chunks;
      const lastUsed = this.used;
      this.chunks = [];
      this.used = CHUNK;
      for (let at = 0; at < before.length; at++) {
        const count = at === before.length - 1 ? lastUsed : CHUNK;
        for (let i = 0; i < count; i++) {
          const entry = before[at][i];
          if (hashOfPage(entry < 0 ? -1 - entry : entry) < this.rate * HASH_STEPS) this.append(entry);
        }
        // What has been gone through is not needed any more.
        before[at] = NO_CHUNK;
      }
    }
  }
}

const NO_CHUNK = new Int32Array(0);
