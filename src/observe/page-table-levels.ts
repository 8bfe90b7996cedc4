import type { PagingFormat } from '../machine/paging/format.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';

/** Pages [start, end). Lists of them rise and do not overlap. */
export interface PageRange {
  readonly start: number;
  readonly end: number;
}

/** A page table of any shape: index bits of each level, the root's first. */
export interface TableGeometry {
  readonly indexBits: readonly number[];
  readonly entryBytes: number;
}

/** One line of the sparsity argument: the same pages under a page table of so many levels. */
export interface LevelsRow extends TableGeometry {
  readonly levels: number;
  /** The root and every table that some page needs. */
  readonly bytes: number;
  readonly tables: number;
  /** The machine's own format: `bytes` is what its tables take. */
  readonly isInForce: boolean;
}

/** Number and bytes of the tables that pages need: the root, and below it only tables with a page under them. */
export function tableCost(ranges: readonly PageRange[], geometry: TableGeometry): { tables: number; bytes: number } {
  const { indexBits, entryBytes } = geometry;
  let tables = 0;
  let bytes = 0;
  let span = 1;
  for (let level = indexBits.length - 1; level >= 0; level--) {
    const entries = 2 ** indexBits[level];
    span *= entries;
    const needed = level === 0 ? 1 : countBlocks(ranges, span);
    tables += needed;
    bytes += needed * entries * entryBytes;
  }
  return { tables, bytes };
}

/** How many aligned blocks of `span` pages hold a page of the ranges. */
function countBlocks(ranges: readonly PageRange[], span: number): number {
  let count = 0;
  let before = -1;
  for (const { start, end } of ranges) {
    const first = Math.max(before + 1, Math.floor(start / span));
    const last = Math.floor((end - 1) / span);
    if (last >= first) count += last - first + 1;
    before = Math.max(before, last);
  }
  return count;
}

/**
 * Page tables of one to five levels over the address space of a format. Tables below the root are the format's own (one page);
 * with fewer levels than it has, the root takes the bits that are left (with one level all of them: the flat table); with
 * more, there are levels on top, and the address space is larger.
 */
export function geometriesFor(format: PagingFormat): TableGeometry[] {
  const { levels, bitsPerLevel, entryBytes } = format;
  return [1, 2, 3, 4, 5].map((count) => {
    const root = Math.max(bitsPerLevel, (levels - count + 1) * bitsPerLevel);
    return { indexBits: [root, ...new Array<number>(count - 1).fill(bitsPerLevel)], entryBytes };
  });
}

export function compareLevels(ranges: readonly PageRange[], format: PagingFormat): LevelsRow[] {
  return geometriesFor(format).map((geometry, i) => ({
    ...geometry,
    levels: i + 1,
    ...tableCost(ranges, geometry),
    isInForce: i + 1 === format.levels,
  }));
}

/**
 * The pages that a space has tables for: those with an entry, and one page for each table that no longer holds any (memory
 * given back by madvise leaves the tables). So the row in force is exactly pgtablesBytes and the root's page.
 */
export function collectTabledPages(mm: MemoryManager, space: AddressSpace): PageRange[] {
  const { ram, format, pageTables } = mm;
  const entries = 2 ** format.bitsPerLevel;
  const words = format.entryBytes / 4;
  const ranges: { start: number; end: number }[] = [];
  const add = (page: number) => {
    const last = ranges.at(-1);
    if (last !== undefined && last.end === page) last.end++;
    else ranges.push({ start: page, end: page + 1 });
  };
  pageTables.forEachTable(space, (frame, level, firstPage) => {
    const base = ram.offsetOf(frame) / 4;
    let isEmpty = true;
    for (let i = 0; i < entries; i++) {
      if (pageTables.read(base + i * words) === 0) continue;
      isEmpty = false;
      if (level === 0) add(firstPage + i);
    }
    if (isEmpty) add(firstPage);
  });
  return ranges;
}
