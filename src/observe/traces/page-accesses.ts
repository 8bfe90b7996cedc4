import type { AccessKind, AccessSink, TraceUnit } from './access.ts';

/** Takes references to pages; a page is `high` and `low` 32 bits of its number. */
export type PageSink = (kind: AccessKind, high: number, low: number) => void;

/** Addresses count bytes; ids of pages count pages of so many bits. */
const BASE_SHIFT = 12;

/**
 * Makes references to pages of a size of accesses to bytes: an access over the end of a page is one to each page. Ids of pages are those of
 * pages of 4 KiB; larger pages are so many of them in a row.
 */
export class PageAccesses implements AccessSink {
  /** Bits of a trace's number within its page. */
  private readonly shift: number;
  private readonly hasSizes: boolean;
  private readonly sink: PageSink;

  /** `pageShift`: 12 for pages of 4 KiB, 21 for 2 MiB. */
  constructor(unit: TraceUnit, pageShift: number, sink: PageSink) {
    this.shift = unit === 'addresses' ? pageShift : Math.max(0, pageShift - BASE_SHIFT);
    this.hasSizes = unit === 'addresses';
    this.sink = sink;
  }

  access(kind: AccessKind, high: number, low: number, sizeBytes: number): void {
    const { shift } = this;
    if (shift === 0) {
      this.sink(kind, high, low);
      return;
    }
    let pageHigh = high >>> shift;
    let pageLow = ((low >>> shift) | (high << (32 - shift))) >>> 0;
    this.sink(kind, pageHigh, pageLow);
    if (!this.hasSizes) return;
    const pageBytes = 2 ** shift;
    for (let left = (low & (pageBytes - 1)) + sizeBytes - pageBytes; left > 0; left -= pageBytes) {
      pageLow = (pageLow + 1) >>> 0;
      if (pageLow === 0) pageHigh++;
      this.sink(kind, pageHigh, pageLow);
    }
  }
}
