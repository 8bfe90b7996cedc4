import { EV_PAGE_FREE } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { ReferenceStream } from '../../machine/reference-stream.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';

const CHUNK = 1 << 20;

/**
 * Every change of page of a run, as the CPU's reference stream tells it, in 32-bit numbers: a page, or -1 - page where it is freed. A page here
 * is a frame from the time that it is allocated until it is freed, so pages that are shared count once. It means what it says while the
 * machine has memory enough: a page that goes to swap and comes back counts as another one.
 */
export class ReferenceTrace implements ReferenceStream {
  private readonly chunks: Int32Array[] = [];
  private used = CHUNK;
  private nextPage = 0;
  private readonly pageOfFrame: Int32Array;
  private readonly limit: number;
  private readonly end: () => void;
  /** References beyond the limit, which are not kept. */
  dropped = 0;

  /** Listens from now on, and keeps at most `limit` entries. The machine has one listener of this kind (--reclaim lru is one). */
  constructor(kernel: Kernel, limit = Number.POSITIVE_INFINITY) {
    this.limit = limit;
    this.pageOfFrame = new Int32Array(kernel.mm.frames.frameCount).fill(-1);
    kernel.mm.mmu.setReferenceStream(this);
    const unsubscribe = kernel.events.subscribe([EV_PAGE_FREE], ({ values: [pfn, order] }) => {
      for (let frame = pfn; frame < pfn + 2 ** order; frame++) this.freed(frame);
    });
    this.end = () => {
      unsubscribe();
      kernel.mm.mmu.setReferenceStream(null);
    };
  }

  referenced(_asid: number, _page: Vpn, frame: Pfn): void {
    let page = this.pageOfFrame[frame];
    if (page < 0) {
      page = this.nextPage++;
      this.pageOfFrame[frame] = page;
    }
    this.keep(page);
  }

  /** No more is listened to. */
  close(): void {
    this.end();
  }

  get length(): number {
    return this.chunks.length === 0 ? 0 : (this.chunks.length - 1) * CHUNK + this.used;
  }

  /** Pages that were referenced. */
  get pageCount(): number {
    return this.nextPage;
  }

  /** All entries as one array. */
  toArray(): Int32Array {
    const all = new Int32Array(this.length);
    this.chunks.forEach((chunk, at) => {
      all.set(at === this.chunks.length - 1 ? chunk.subarray(0, this.used) : chunk, at * CHUNK);
    });
    return all;
  }

  private freed(frame: number): void {
    const page = this.pageOfFrame[frame];
    if (page < 0) return;
    this.pageOfFrame[frame] = -1;
    this.keep(-1 - page);
  }

  private keep(entry: number): void {
    if (this.length >= this.limit) {
      this.dropped++;
      return;
    }
    if (this.used === CHUNK) {
      this.chunks.push(new Int32Array(CHUNK));
      this.used = 0;
    }
    this.chunks[this.chunks.length - 1][this.used++] = entry;
  }
}
