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
 * Both sides, to be equal to the byte. Pss is rounded down to 1/4096 byte once a mapping (smaps_account), so what that loses of a frame
 * or slot is known exactly, and is added again.
 */
export function sumPss(mm: MemoryManager): PssSums {
  const sum = { pss: 0, swapPss: 0, rss: 0 };
  for (const space of mm.spaces) {
    const sizes = sizesOfSpace(mm, space);
    sum.pss += sizes.pss;
    sum.swapPss += sizes.swapPss;
    sum.rss += sizes.rss;
  }
  const frames = countFrames(mm);
  const slots = countSlots(mm);
  return {
    pss: (sum.pss + frames.lostUnits) / PSS_UNIT,
    mapped: frames.mapped,
    swapPss: (sum.swapPss + slots.lostUnits) / PSS_UNIT,
    swapped: slots.swapped,
    rss: sum.rss,
    entries: frames.entries,
  };
}

function lostIn(bytes: number, times: number): number {
  return bytes * PSS_UNIT - times * Math.floor((bytes * PSS_UNIT) / times);
}

/** Bytes that some entry maps, and bytes of all entries; the pages of zeroes are nobody's. */
function countFrames({ frames, zeroPage, thp }: MemoryManager): { mapped: number; entries: number; lostUnits: number } {
  const sum = { mapped: 0, entries: 0, lostUnits: 0 };
  for (let frame = 0; frame < frames.frameCount; frame++) {
    const times = frames.mappingsOf(frame as Pfn);
    const head = frames.headOf(frame as Pfn);
    if (times === 0 || frame === zeroPage || head === thp.zeroPage || frames.has(head, PG_hugetlb)) continue;
    sum.mapped += PAGE_SIZE;
    sum.entries += PAGE_SIZE * times;
    sum.lostUnits += lostIn(PAGE_SIZE, times);
  }
  return sum;
}

/** Bytes of slots that entries of page tables lead to. Those of shmem objects are in Swap, and in nobody's SwapPss. */
function countSlots(mm: MemoryManager): { swapped: number; lostUnits: number } {
  const sum = { swapped: 0, lostUnits: 0 };
  for (const area of mm.swap.areas) {
    if (area === null) continue;
    for (const slot of area.slotsInUse()) {
      const times = area.countOf(slot);
      if (times === 0) continue;
      sum.swapped += PAGE_SIZE;
      sum.lostUnits += lostIn(PAGE_SIZE, times);
    }
  }
  for (const file of mm.pageCache.files) sum.swapped -= (file?.swapped.size ?? 0) * PAGE_SIZE;
  return sum;
}
