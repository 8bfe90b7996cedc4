import { EV_PAGE_FREE } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Access } from '../../machine/mmu.ts';
import type { ReferenceStream } from '../../machine/reference-stream.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';

/** Told of a run's references. A page is a number from 0: a frame from the time that it is allocated until it is freed. */
export interface PageListener {
  referenced(page: number, access: Access, asid: number, at: Vpn): void;
  freed(page: number): void;
}

/**
 * Numbers the pages of a machine's reference stream as they come. As a page is a frame, one that several processes share counts once; one that
 * goes to swap and comes back counts as another one, so that it means what it says while the machine has memory enough.
 */
export class PageLives implements ReferenceStream {
  private nextPage = 0;
  private readonly pageOfFrame: Int32Array;
  private readonly listener: PageListener;
  private readonly end: () => void;

  /** Listens from now on. The machine has one listener of this kind (--reclaim lru is one). */
  constructor(kernel: Kernel, listener: PageListener) {
    this.listener = listener;
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

  referenced(asid: number, at: Vpn, frame: Pfn, access: Access): void {
    let page = this.pageOfFrame[frame];
    if (page < 0) {
      page = this.nextPage++;
      this.pageOfFrame[frame] = page;
    }
    this.listener.referenced(page, access, asid, at);
  }

  /** Pages that were referenced. */
  get pageCount(): number {
    return this.nextPage;
  }

  /** No more is listened to. */
  close(): void {
    this.end();
  }

  private freed(frame: number): void {
    const page = this.pageOfFrame[frame];
    if (page < 0) return;
    this.pageOfFrame[frame] = -1;
    this.listener.freed(page);
  }
}
