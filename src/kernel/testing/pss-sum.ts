import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { PG_hugetlb } from '../../mm/phys/page-flags.ts';
import { PSS_UNIT, sizesOfSpace } from '../procfs/smaps.ts';

/** What smaps says of all address spaces together, in bytes, and what the frames and slots themselves say. */
export interface PssSums {
  readonly pss: number;
  readonly mapped: number;
  readonly swapPss: number;
  readonly swapped: number;
  readonly rss: number;
  readonly entries: number;
}

/**
 * Both sides, to be equal: Pss is rounded down to 1/4096 byte once a mapping, so that up to 4095 mappings of shared pages together
 * lose less than a byte, and rounding up gives it back.
 */
export function sumPss(mm: MemoryManager): PssSums {
  const sum = { pss: 0, swapPss: 0, rss: 0 };
  for (const space of mm.spaces) {
    const sizes = sizesOfSpace(mm, space);
    sum.pss += sizes.pss;
    sum.swapPss += sizes.swapPss;
    sum.rss += sizes.rss;
  }
  const { mapped, entries } = countFrames(mm);
  const whole = (units: number): number => Math.ceil(units / PSS_UNIT);
  return { pss: whole(sum.pss), mapped, swapPss: whole(sum.swapPss), swapped: countSlots(mm), rss: sum.rss, entries };
}

/** Bytes that some entry maps, and bytes of all entries; the pages of zeroes and special mappings' own are nobody's. */
function countFrames({ frames, zeroPage, thp }: MemoryManager): { mapped: number; entries: number } {
  let mapped = 0;
  let entries = 0;
  for (let frame = 0; frame < frames.frameCount; frame++) {
    const times = frames.mapcount[frame];
    if (times === 0 || frame === zeroPage || frame === thp.zeroPage || frames.has(frame as Pfn, PG_hugetlb)) continue;
    const bytes = frames.pagesOf(frame as Pfn) * PAGE_SIZE;
    mapped += bytes;
    entries += bytes * times;
  }
  return { mapped, entries };
}

/** Bytes of slots that entries of page tables lead to. Those of shmem objects are in Swap, and in nobody's SwapPss. */
function countSlots(mm: MemoryManager): number {
  let slots = 0;
  for (const area of mm.swap.areas)
    if (area !== null)
      for (let slot = 1; slot < area.slotCount; slot++) if (!area.isBad(slot) && area.counts[slot] > 0) slots++;
  for (const file of mm.pageCache.files) slots -= file?.swapped.size ?? 0;
  return slots * PAGE_SIZE;
}
