import type { TlbShape } from '../tlb/tlb.ts';
import { TlbHierarchy, type TlbLevel } from '../tlb/tlb-hierarchy.ts';
import type { AccessKind } from '../traces/access.ts';

/** A processor of our day: 64 entries for data, 32 for code, 1,536 behind both. */
export const TLB_SHAPES: readonly (readonly [TlbLevel, TlbShape])[] = [
  ['L1I', { entries: 32, ways: 4 }],
  ['L1D', { entries: 64, ways: 4 }],
  ['L2', { entries: 1536, ways: 12 }],
];
/** Of a page number's upper half: it is one of huge pages. */
const HUGE = 2 ** 31;

/** The same references with pages of several sizes: as they were, all small, all huge, and huge where `always` could have made them so. */
export class HugeTlbs {
  references = 0;
  private readonly actual = new TlbHierarchy(TLB_SHAPES);
  private readonly small = new TlbHierarchy(TLB_SHAPES);
  private readonly huge = new TlbHierarchy(TLB_SHAPES);
  private readonly could = new TlbHierarchy(TLB_SHAPES);

  /** `page` of 4 KiB, of the address space `space` (below 2^15). */
  reference(
    kind: AccessKind,
    space: number,
    page: number,
    is: { readonly huge: boolean; readonly could: boolean },
  ): void {
    this.references++;
    const high = (space * 2 ** 16 + Math.floor(page / 2 ** 32)) >>> 0;
    const low = page >>> 0;
    const range = Math.floor(page / 512) >>> 0;
    const rangeHigh = (high | HUGE) >>> 0;
    this.small.reference(kind, high, low);
    this.huge.reference(kind, rangeHigh, range);
    if (is.huge) this.actual.reference(kind, rangeHigh, range);
    else this.actual.reference(kind, high, low);
    if (is.huge || is.could) this.could.reference(kind, rangeHigh, range);
    else this.could.reference(kind, high, low);
  }

  /** Walks of the page tables. */
  get walks(): { readonly actual: number; readonly small: number; readonly huge: number; readonly could: number } {
    return {
      actual: this.actual.walks,
      small: this.small.walks,
      huge: this.huge.walks,
      could: this.could.walks,
    };
  }
}
