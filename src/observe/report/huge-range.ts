/** 4 KiB pages in a huge one of 2 MiB. */
export const RANGE_PAGES = 512;

/** Numbers of pages of 4 KiB, sums over ranges that have ended and those that are there. */
export interface RangeSums {
  /** Ranges that had anonymous memory. */
  ranges: number;
  /** Huge pages that a fault made, and that were made of small pages. */
  faulted: number;
  collapsed: number;
  /** Faults that small pages would have had, and that huge ones had not. */
  saved: number;
  /** Of all huge pages, never touched while they were there. */
  bloat: number;
  /** What `always` could have given: huge pages at the first touch, faults saved, and pages never touched. */
  couldRanges: number;
  couldSave: number;
  couldBloat: number;
  /** Ranges that lay in a mapping as a whole later only: khugepaged could have made them huge. */
  laterRanges: number;
}

export function noSums(): RangeSums {
  return {
    ranges: 0,
    faulted: 0,
    collapsed: 0,
    saved: 0,
    bloat: 0,
    couldRanges: 0,
    couldSave: 0,
    couldBloat: 0,
    laterRanges: 0,
  };
}

/**
 * An aligned range of the size of a huge page, of one address space, from the first page that is made in it until the last has gone. Which
 * of its pages were touched is exact: every reference of the run is told.
 *
 *   empty --page or huge page--> begun --all have gone--> ended (sums), empty again
 */
export class HugeRange {
  /** Number of MappingNames. */
  mapping: number;
  /** Pages that are resident or in swap. */
  pages = 0;
  /** A huge leaf maps it now. */
  isHuge = false;
  /** Pages of it that are in swap. */
  swapped = 0;
  /** The huge page of zeroes stands here, which is nobody's memory. */
  isZero = false;
  /** When pages went last. */
  goneNs = -1;
  /** Nobody has touched anything of it yet. */
  isFresh = true;
  /** The whole range lay in one mapping at the first touch. */
  could = false;
  /** It does now, or did when its space ended. */
  later = false;
  private firstWasRead = false;
  private hasWrite = false;
  /** First touches that were faults, and stores to pages of zeroes. */
  private smallFaults = 0;
  private wasHuge = false;
  private isInherited = false;
  private readonly touched = new Uint32Array(RANGE_PAGES / 32);
  /** Touched, but not stored to: small pages would be the page of zeroes still, and a store a second fault. */
  private readonly onlyRead = new Uint32Array(RANGE_PAGES / 32);
  private touchedPages = 0;
  /** Faults of small pages for what was touched. */
  private wouldFault = 0;

  constructor(mapping: number) {
    this.mapping = mapping;
  }

  /** Page of the range, from 0. */
  touch(page: number, access: 'read' | 'write'): void {
    const word = page >> 5;
    const bit = 1 << (page & 31);
    if ((this.touched[word] & bit) === 0) {
      this.touched[word] |= bit;
      this.touchedPages++;
      this.wouldFault++;
      if (access === 'read') this.onlyRead[word] |= bit;
    } else if (access === 'write' && (this.onlyRead[word] & bit) !== 0) {
      this.onlyRead[word] &= ~bit;
      this.wouldFault++;
    }
  }

  fault(access: 'read' | 'write', leaf: 'huge' | 'small'): void {
    if (leaf === 'huge') this.wasHuge = true;
    if (this.smallFaults === 0) this.firstWasRead = access === 'read';
    if (access === 'write') this.hasWrite = true;
    this.smallFaults++;
  }

  /** A page has gone. */
  lose(timeNs: number): void {
    this.goneNs = timeNs;
    this.pages--;
  }

  /** A huge page stands here now. By 'fork' it is the parent's, and counts there. */
  becomeHuge(sums: RangeSums, by: 'fault' | 'collapse' | 'fork'): void {
    this.isHuge = true;
    this.isZero = false;
    this.isInherited = by === 'fork';
    if (!this.isInherited) this.wasHuge = true;
    if (by === 'fault') sums.faulted++;
    else if (by === 'collapse') sums.collapsed++;
  }

  /** The huge page is one no more. */
  splitUp(sums: RangeSums): void {
    if (!this.isHuge) return;
    this.isHuge = false;
    if (!this.isInherited) sums.bloat += RANGE_PAGES - this.touchedPages;
  }

  /** Nothing of it is left, or the run ends: what it has been. It can begin again. */
  end(sums: RangeSums): void {
    this.splitUp(sums);
    sums.ranges++;
    if (this.wasHuge) sums.saved += Math.max(0, this.wouldFault - this.smallFaults);
    if (this.could) {
      const faults = (this.firstWasRead ? 1 : 0) + (this.hasWrite ? 1 : 0);
      // Of pages that were read alone the huge page of zeroes is all that there is.
      sums.couldRanges += this.hasWrite ? 1 : 0;
      sums.couldSave += Math.max(0, this.smallFaults - faults);
      sums.couldBloat += this.hasWrite ? RANGE_PAGES - this.touchedPages : 0;
    } else if (this.later) sums.laterRanges++;
    this.isFresh = true;
    this.isZero = false;
    this.goneNs = -1;
    this.could = false;
    this.later = false;
    this.firstWasRead = false;
    this.hasWrite = false;
    this.smallFaults = 0;
    this.wasHuge = false;
    this.touched.fill(0);
    this.onlyRead.fill(0);
    this.touchedPages = 0;
    this.wouldFault = 0;
  }
}
