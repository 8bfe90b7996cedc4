import type { Kernel } from '../kernel/kernel.ts';
import { type Pfn, type Vpn, vaddrOf } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import {
  PG_anon,
  PG_buddy,
  PG_hugetlb,
  PG_ksm,
  PG_pagecache,
  PG_reserved,
  PG_slab,
  PG_swapcache,
  PG_table,
  PG_tail,
  PG_zsmalloc,
  pageFlagNames,
} from '../mm/phys/page-flags.ts';
import { forEachMapping } from '../mm/rmap/rmap-walk.ts';
import { pidOfSpace } from './space-owner.ts';

/** A frame as mem_map has it, with everybody who maps it (reverse mapping). */
export interface FrameView {
  readonly pfn: number;
  /** Names of its flags (struct page), joined by '|'. */
  readonly flags: string;
  readonly refcount: number;
  readonly mapcount: number;
  readonly mappers: readonly {
    /** Of the process; 0: an address space that no process has (any more). */
    readonly pid: number;
    readonly address: number;
  }[];
}

/** null where the machine has no such frame. */
export function viewFrame(kernel: Kernel, pfn: number): FrameView | null {
  const { frames, rmap } = kernel.mm;
  if (!Number.isInteger(pfn) || pfn < 0 || pfn >= frames.frameCount) return null;
  const mappers: { pid: number; address: number }[] = [];
  // What a huge page's leaves and parts map is found by its head.
  const head = frames.headOf(pfn as Pfn);
  forEachMapping(rmap, head, (vma, page) => {
    const at = (rmap.editor.isHugeAt(vma, page) ? page + (pfn - head) : page) as Vpn;
    if (!frames.isLarge(head) || rmap.editor.frameAt(vma, at) === pfn)
      mappers.push({ pid: pidOfSpace(kernel, vma.space as AddressSpace), address: vaddrOf(at) });
  });
  const { flags, refcount } = frames;
  const mapcount = frames.mappingsOf(pfn as Pfn);
  return { pfn, flags: pageFlagNames(flags[pfn]), refcount: refcount[head], mapcount, mappers };
}

/** What a frame is used for, by the first of these that holds. */
const USES = [
  ['free', PG_buddy],
  ['reserved', PG_reserved],
  ['page table', PG_table],
  ['slab', PG_slab],
  ['huge pool', PG_hugetlb],
  ['compressed swap', PG_zsmalloc],
  ['ksm', PG_ksm],
  ['anonymous, in swap cache', PG_anon | PG_swapcache],
  ['anonymous', PG_anon],
  ['swap cache', PG_swapcache],
  ['page cache', PG_pagecache],
] as const;

/** Frames by use. They add up to all that the machine has; parts of a huge page count as what the whole is used for. */
export function countFrames(kernel: Kernel): { readonly use: string; readonly frames: number }[] {
  const { frames } = kernel.mm;
  const counts = new Map<string, number>();
  for (let pfn = 0; pfn < frames.frameCount; ) {
    // A block of the buddy allocator has its flag and its order on the first frame alone.
    const flags = frames.flags[(frames.flags[pfn] & PG_tail) !== 0 ? frames.headOf(pfn as Pfn) : pfn];
    const isFree = (flags & PG_buddy) !== 0;
    const use = USES.find(([, bits]) => (flags & bits) === bits)?.[0] ?? 'kernel, other';
    const length = isFree ? 2 ** frames.order[pfn] : 1;
    counts.set(use, (counts.get(use) ?? 0) + length);
    pfn += length;
  }
  return [...counts].map(([use, count]) => ({ use, frames: count })).sort((a, b) => b.frames - a.frames);
}
