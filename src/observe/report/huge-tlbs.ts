import type { TlbShape } from '../tlb/tlb.ts';
import { TlbHierarchy, type TlbLevel } from '../tlb/tlb-hierarchy.ts';
import type { AccessKind } from '../traces/access.ts';

/** A processor of our day: 64 entries for data, 32 for code, 1,536 behind both. */
export const TLB_SHAPES: readonly (readonly [TlbLevel, TlbShape])[] = [
  ['L1I', { entries: 32, ways: 4 }],
  ['L1D', { entries: 64, ways: 4 }],
  ['L2', { entries: 1536, ways: 12 }],
];
/** Sets of the first level. */
const CODE_SETS = 32 / 4;
const DATA_SETS = 64 / 4;
/** Of a page number's upper half: it is one of huge pages. */
const HUGE = 2 ** 31;

/** Pages of 4 KiB that a key has room for. */
const PAGES = 2 ** 37;

/**
 * A hierarchy that is not asked for what is the last used of its set in the first level: that hits and changes nothing. Nearly all
 * references are of this kind.
 */
class FilteredTlbs {
  private readonly tlbs = new TlbHierarchy(TLB_SHAPES);
  private readonly lastCode = new Float64Array(CODE_SETS).fill(-1);
  private readonly lastData = new Float64Array(DATA_SETS).fill(-1);

  get walks(): number {
    return this.tlbs.walks;
  }

  reference(kind: AccessKind, space: number, page: number, size: 'small' | 'huge'): void {
    const number = size === 'huge' ? Math.floor(page / 512) : page;
    const key = (space * PAGES + number) * 2 + (size === 'huge' ? 1 : 0);
    const low = number >>> 0;
    const last = kind === 'fetch' ? this.lastCode : this.lastData;
    const set = low % last.length;
    if (last[set] === key && number < PAGES) return;
    last[set] = key;
    const high = (space * 2 ** 16 + Math.floor(number / 2 ** 32)) >>> 0;
    this.tlbs.reference(kind, size === 'huge' ? (high | HUGE) >>> 0 : high, low);
  }
}

/** The same references with pages of several sizes: as they were, all small, all huge, and huge where `always` could have made them so. */
export class HugeTlbs {
  references = 0;
  private readonly actual = new FilteredTlbs();
  private readonly small = new FilteredTlbs();
  private readonly huge = new FilteredTlbs();
  private readonly could = new FilteredTlbs();

  /** `page` of 4 KiB, of the address space `space` (below 2^15). */
  reference(
    kind: AccessKind,
    space: number,
    page: number,
    is: { readonly huge: boolean; readonly could: boolean },
  ): void {
    this.references++;
    this.small.reference(kind, space, page, 'small');
    this.huge.reference(kind, space, page, 'huge');
    this.actual.reference(kind, space, page, is.huge ? 'huge' : 'small');
    this.could.reference(kind, space, page, is.huge || is.could ? 'huge' : 'small');
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
