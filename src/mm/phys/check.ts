import { assert, panic } from '../../base/assert.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { checkBlock } from '../block/check-block.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import type { FrameAllocator } from './alloc.ts';
import { MAX_PAGE_ORDER } from './buddy.ts';
import type { FrameList } from './frame-list.ts';
import { type FrameTable, NO_FRAME } from './frame-table.ts';
import { NR_LRU_LISTS } from './lruvec.ts';
import {
  PG_anon,
  PG_buddy,
  PG_deferred,
  PG_dirty,
  PG_head,
  PG_hugetlb,
  PG_lru,
  PG_mlocked,
  PG_pagecache,
  PG_partially_mapped,
  PG_reserved,
  PG_slab,
  PG_swapbacked,
  PG_tail,
  PG_unevictable,
} from './page-flags.ts';
import type { KmemCache, SlabAllocator } from './slab.ts';
import { objectsIn } from './slab-layout.ts';
import type { Zone } from './zone.ts';

/**
 * Recomputes what the physical side counts and caches, and compares; throws KernelPanic naming the invariant. Costs a walk of
 * the whole frame table. What needs page tables (F2, R2, rss) is mm/invariants.ts.
 */
export function checkPhysical(parts: {
  readonly alloc: FrameAllocator;
  readonly slab: SlabAllocator;
  readonly pageCache: PageCache;
}): void {
  const { alloc, slab, pageCache } = parts;
  const inUse = checkBuddy(alloc);
  checkSlab(alloc, slab, inUse);
  checkLru(alloc, inUse);
  checkPageCache(pageCache, inUse);
  checkDeferred(alloc, inUse);
  checkBlock(pageCache.io, alloc.frames, inUse, alloc.stat.nr_writeback);
  const broken = pageCache.rmap.anonVmas.findBroken();
  if (broken !== null) panic(`mm/rmap: ${broken}`);
}

/** B1 to B4, F1, F3, F5, F6. Returns the frames in no free block: the others are blank, so further checks look at these alone. */
function checkBuddy(alloc: FrameAllocator): Uint32Array {
  const inUse = new Uint32Array(alloc.frames.frameCount);
  let count = 0;
  for (const zone of alloc.zones) count = checkZone(alloc.frames, zone, inUse, count);
  return inUse.subarray(0, count);
}

/** Appends the zone's frames in use to `inUse`, which has `count` already; returns how many it has then. */
function checkZone(frames: FrameTable, zone: Zone, inUse: Uint32Array, count: number): number {
  const { flags, refcount, mapcount, largeMapcount, owner, order, memcg } = frames;
  const { buddy } = zone;
  let listed = 0;
  for (let size = 0; size <= MAX_PAGE_ORDER; size++) {
    listed += walk(frames, buddy.freeLists[size], (block) => {
      assert((flags[block] & PG_buddy) !== 0 && order[block] === size, 'mm/phys/buddy.ts: B1 a listed block is free');
      assert(block % (1 << size) === 0, 'mm/phys/buddy.ts: B2 a block is aligned');
      const other = block ^ (1 << size);
      const inZone = other >= zone.startPfn && other + (1 << size) <= zone.endPfn;
      const mergeable = size < MAX_PAGE_ORDER && inZone && (flags[other] & PG_buddy) !== 0 && order[other] === size;
      assert(!mergeable, 'mm/phys/buddy.ts: B3 coalescing is complete');
    });
  }
  let blocks = 0;
  let freePages = 0;
  for (let frame = zone.startPfn; frame < zone.endPfn; ) {
    const word = flags[frame];
    if ((word & PG_buddy) !== 0) {
      const size = 1 << order[frame];
      // One word of all that must be 0: this loop runs once for each free frame at each trap of a test.
      let traces = word ^ PG_buddy;
      for (let each = frame + 1; each < frame + size; each++) traces |= flags[each];
      for (let each = frame; each < frame + size; each++)
        traces |= refcount[each] | mapcount[each] | largeMapcount[each] | owner[each] | memcg[each];
      assert(traces === 0, 'mm/phys/frame-table.ts: F6 free frames are blank');
      blocks++;
      freePages += size;
      frame += size;
      continue;
    }
    inUse[count++] = frame;
    if ((word & PG_head) !== 0)
      for (let tail = frame + 1; tail < frame + 2 ** order[frame]; tail++)
        assert(
          (flags[tail] & PG_tail) !== 0 && owner[tail] === frame,
          'mm/phys/frame-table.ts: F4 tails name the head',
        );
    else if (order[frame] !== 0) panic('mm/phys/frame-table.ts: F5 order is set on heads and free blocks alone');
    if (mapcount[frame] < 0 || refcount[frame] < 0) panic('mm/phys/frame-table.ts: counts are not negative');
    if (Math.max(mapcount[frame], largeMapcount[frame]) > refcount[frame] && (word & PG_tail) === 0)
      panic('mm/phys/frame-table.ts: F2 mapcount <= refcount');
    frame++;
  }
  assert(blocks === listed, 'mm/phys/buddy.ts: B1 every free block is listed');
  assert(freePages === buddy.freePages, 'mm/phys/buddy.ts: B4 freePages');
  return count;
}

/** S1 to S3, and the slab gauges. */
export function checkSlab(alloc: FrameAllocator, slab: SlabAllocator, inUse = checkBuddy(alloc)): void {
  const { frames, stat } = alloc;
  const sums = slab.caches.map(() => ({ slabs: 0, slots: 0, active: 0, partial: 0 }));
  let reclaimable = 0;
  let unreclaimable = 0;
  const { flags } = frames;
  for (const frame of inUse) {
    if ((flags[frame] & PG_slab) === 0) continue;
    const cache = slab.caches[frames.owner[frame] - 1];
    assert(cache !== undefined, 'mm/phys/slab.ts: S1 a slab has a cache');
    const slots = objectsIn(frames.order[frame], cache.sizeBytes);
    const free = countFree(frames, cache, frame as Pfn, slots);
    assert(free + frames.private[frame] === slots, 'mm/phys/slab.ts: S1 free and used slots make up the slab');
    const sum = sums[cache.id - 1];
    sum.slabs++;
    sum.slots += slots;
    sum.active += frames.private[frame];
    if (free > 0) sum.partial++;
    if (cache.reclaimable) reclaimable += 1 << frames.order[frame];
    else unreclaimable += 1 << frames.order[frame];
  }
  for (const cache of slab.caches) {
    const sum = sums[cache.id - 1];
    const listed = walk(frames, cache.partial, (block) => {
      assert(
        frames.owner[block] === cache.id && frames.index[block] !== 0,
        'mm/phys/slab.ts: S2 partial slabs have room',
      );
    });
    assert(listed === sum.partial, 'mm/phys/slab.ts: S2 every slab with room is listed');
    const same = cache.slabCount === sum.slabs && cache.slotCount === sum.slots && cache.activeCount === sum.active;
    assert(same, `mm/phys/slab.ts: S3 counts of ${cache.name}`);
  }
  assert(stat.nr_slab_reclaimable === reclaimable, 'mm/phys/node-stat.ts: nr_slab_reclaimable');
  assert(stat.nr_slab_unreclaimable === unreclaimable, 'mm/phys/node-stat.ts: nr_slab_unreclaimable');
}

/** Walks the list in the slab's own memory; a loop or a wild link is found by the slot seen twice or outside. */
function countFree(frames: FrameTable, cache: KmemCache, slab: Pfn, slots: number): number {
  const first = slab * PAGE_SIZE;
  const seen = new Uint8Array(slots);
  let free = 0;
  for (let slot = frames.index[slab]; slot !== 0; slot = cache.readLink(slot)) {
    const at = (slot - first) / cache.sizeBytes;
    assert(
      Number.isInteger(at) && at >= 0 && at < slots,
      `mm/phys/slab.ts: S1 a free link stays in the slab (${cache.name})`,
    );
    assert(seen[at] === 0, `mm/phys/slab.ts: S1 a slot is free once (${cache.name})`);
    seen[at] = 1;
    free++;
  }
  return free;
}

/** L1, L2. */
function checkLru(alloc: FrameAllocator, inUse: Uint32Array): void {
  const { frames, lru } = alloc;
  let listed = 0;
  const sums = new Float64Array(NR_LRU_LISTS);
  lru.lruvecs.forEach((lruvec, memcg) => {
    lruvec?.lists.forEach((list, which) => {
      let pages = 0;
      listed += walk(frames, list, (frame) => {
        pages += frames.pagesOf(frame);
        const right = (frames.flags[frame] & PG_lru) !== 0 && lru.listOf(frame) === which;
        assert(
          right && frames.memcg[frame] === memcg,
          'mm/phys/lruvec.ts: L1 a page is on the list that its flags name',
        );
      });
      assert(pages === lruvec.sizes[which], 'mm/phys/lruvec.ts: L2 sizes');
      sums[which] += pages;
    });
  });
  assert(
    sums.every((sum, which) => sum === lru.sizes[which]),
    'mm/phys/lruvec.ts: L2 sizes of all lruvecs',
  );
  let flagged = 0;
  for (const frame of inUse) if ((frames.flags[frame] & PG_lru) !== 0) flagged++;
  assert(flagged === listed, 'mm/phys/lruvec.ts: L1 PG_lru is set on listed pages alone');
}

/** F7. */
function checkDeferred({ frames, deferredSplits }: FrameAllocator, inUse: Uint32Array): void {
  let deferred = 0;
  let partial = 0;
  for (const frame of inUse) {
    if ((frames.flags[frame] & PG_deferred) !== 0) deferred++;
    if ((frames.flags[frame] & PG_partially_mapped) !== 0) partial++;
  }
  const listed = deferredSplits.collect();
  assert(
    listed.length === deferred && listed.every((head) => (frames.flags[head] & (PG_deferred | PG_head)) > PG_head),
    'mm/phys/deferred-splits.ts: F7 every deferred page is listed',
  );
  assert(partial === deferredSplits.partiallyMapped, 'mm/phys/deferred-splits.ts: F7 partiallyMapped');
}

/** C1 to C5, R1's gauges, and the references that the cache and page tables account for. */
function checkPageCache(cache: PageCache, inUse: Uint32Array): void {
  const { frames, allocator, files } = cache;
  const { flags, refcount } = frames;
  const { stat } = allocator;
  let indexed = 0;
  for (const file of files) {
    if (file === null) continue;
    const broken = file.pages.findBroken() ?? file.i_mmap.findBroken();
    if (broken !== null) panic(`mm/page-cache: ${broken}`);
    for (let index = file.pages.next(0, 'any'); index >= 0; index = file.pages.next(index + 1, 'any')) {
      const part = file.pages.find(index) as Pfn;
      const frame = frames.headOf(part);
      indexed++;
      const isPart = frames.index[frame] + (part - frame) === index && part < frame + frames.pagesOf(frame);
      const own = (flags[frame] & PG_pagecache) !== 0 && frames.owner[frame] === file.id && isPart;
      assert(own, 'mm/page-cache/page-cache.ts: C1 index and frame agree');
      assert(
        refcount[frame] >= frames.mappingsOfPage(frame) + 1,
        'mm/page-cache/page-cache.ts: C2 the cache holds a reference',
      );
      const marked = file.pages.isDirty(index);
      const dirty = (flags[frame] & PG_dirty) !== 0 && file.backing !== null;
      assert(marked === dirty, 'mm/page-cache/page-cache.ts: C3 dirty marks agree');
      const swapbacked = (flags[frame] & PG_swapbacked) !== 0;
      assert(swapbacked === (file.kind === 'shmem'), 'mm/page-cache/page-cache.ts: C4 shmem pages are swapbacked');
    }
  }
  let cached = 0;
  let shmem = 0;
  let shmemThps = 0;
  let shmemPmdMapped = 0;
  let dirty = 0;
  let anonMapped = 0;
  let anonThps = 0;
  let fileMapped = 0;
  let mlocked = 0;
  for (const frame of inUse) {
    const word = flags[frame];
    if ((word & PG_pagecache) !== 0) {
      const count = frames.pagesOf(frame as Pfn);
      cached += count;
      const isShmem = (word & PG_swapbacked) !== 0;
      if (isShmem) shmem += count;
      else if ((word & PG_dirty) !== 0) dirty++;
      if (isShmem && frames.order[frame] === cache.shmemHuge.pmdOrder) shmemThps += count;
      if (isShmem && frames.entireMapcount[frame] > 0) shmemPmdMapped += count;
      assert(isShmem || count === 1, 'mm/page-cache/page-cache.ts: C1 only shmem has large pages');
    }
    if ((word & PG_mlocked) !== 0) {
      mlocked += frames.pagesOf(frame as Pfn);
      assert((word & (PG_lru | PG_unevictable)) !== PG_lru, 'mm/mlock-pages.ts: R5 a locked page is unevictable');
    }
    if ((word & (PG_reserved | PG_hugetlb | PG_tail)) === 0) {
      const mapped = frames.mappedFramesOf(frame as Pfn);
      if ((word & PG_anon) === 0) fileMapped += mapped;
      else {
        anonMapped += mapped;
        if (frames.entireMapcount[frame] > 0) anonThps++;
      }
    }
  }
  assert(cached === indexed, 'mm/page-cache/page-cache.ts: C1 every cached frame is in an index');
  assert(
    stat.nr_file_pages === cached && stat.nr_shmem === shmem,
    'mm/page-cache/page-cache.ts: C5 nr_file_pages, nr_shmem',
  );
  assert(stat.nr_shmem_thps === shmemThps, 'mm/page-cache/page-cache.ts: C5 nr_shmem_thps');
  assert(stat.nr_shmem_pmdmapped === shmemPmdMapped, 'mm/rmap/large-rmap.ts: R1 nr_shmem_pmdmapped');
  assert(stat.nr_dirty === dirty, 'mm/page-cache/page-cache.ts: C3 nr_dirty');
  assert(stat.nr_anon_pages === anonMapped, 'mm/rmap/rmap.ts: R1 nr_anon_pages');
  assert(stat.nr_anon_thps === anonThps, 'mm/rmap/rmap.ts: R1 nr_anon_thps');
  assert(stat.nr_mapped === fileMapped, 'mm/rmap/rmap.ts: R1 nr_mapped');
  assert(stat.nr_mlock === mlocked, 'mm/mlock-pages.ts: R5 nr_mlock');
}

/** Visits a list front to back, checking its links and length (F3); returns its length. */
function walk(frames: FrameTable, list: FrameList, visit: (frame: Pfn) => void): number {
  let count = 0;
  let before: number = NO_FRAME;
  for (let frame = list.head; frame !== NO_FRAME; frame = list.after(frame as Pfn)) {
    assert(frames.prev[frame] === before, 'mm/phys/frame-list.ts: F3 links agree');
    assert(count++ <= list.length, 'mm/phys/frame-list.ts: F3 a list has no loop');
    visit(frame as Pfn);
    before = frame;
  }
  assert(count === list.length && list.tail === before, 'mm/phys/frame-list.ts: F3 length and tail');
  return count;
}
