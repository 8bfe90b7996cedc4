import { assert } from '../../../base/assert.ts';
import type { FrameAllocator } from '../../phys/alloc.ts';
import { PG_zsmalloc } from '../../phys/page-flags.ts';
import { ZRAM_COMPRESSED, ZRAM_HUGE, ZRAM_SAME, type ZramStore } from './zram-store.ts';

/** Z1 to Z5 of all devices, counted anew. */
export function checkZrams(stores: readonly ZramStore[], alloc: FrameAllocator): void {
  let held = 0;
  for (const store of stores) {
    checkSlots(store);
    checkPool(store, alloc);
    held += store.pool.frameCount;
  }
  const counted = alloc.zones.reduce((sum, zone) => sum + zone.nr_zspages, 0);
  assert(counted === held, 'mm/swap/zram: Z3 nr_zspages counts the frames of zspages');
  // Most machines have no such device, and this runs at each trap of a test.
  if (stores.length === 0) return;
  let flagged = 0;
  for (let frame = 0; frame < alloc.frames.frameCount; frame++)
    if ((alloc.frames.flags[frame] & PG_zsmalloc) !== 0) flagged++;
  assert(flagged === held, 'mm/swap/zram: Z1 a frame with PG_zsmalloc is of a zspage');
}

function checkSlots(store: ZramStore): void {
  const { stats, pool } = store;
  const sums = [0, 0, 0, 0];
  let bytes = 0;
  const objects = new Set<number>();
  let stored = 0;
  store.forEachSlot((_slot, kind, lengthBytes, handle) => {
    sums[kind]++;
    stored++;
    if (kind === ZRAM_SAME) return;
    bytes += lengthBytes;
    objects.add(handle);
    assert(pool.isUsed(handle), 'mm/swap/zram: Z4 a handle leads to an object in use');
  });
  assert(objects.size === sums[ZRAM_COMPRESSED] + sums[ZRAM_HUGE], 'mm/swap/zram: Z4 an object is of one slot');
  const used = pool.zspages.reduce((sum, zspage) => sum + (zspage?.usedCount ?? 0), 0);
  assert(used === objects.size, 'mm/swap/zram: Z4 each object has a handle');
  const same = stats.samePages === sums[ZRAM_SAME] && stats.hugePages === sums[ZRAM_HUGE];
  assert(same && stats.comprDataBytes === bytes, 'mm/swap/zram: Z5 stats');
  assert(stats.pagesStored === stored, 'mm/swap/zram: Z5 pagesStored');
  assert(stats.maxUsedPages >= pool.frameCount, 'mm/swap/zram: Z5 maxUsedPages');
}

function checkPool({ pool }: ZramStore, { frames }: FrameAllocator): void {
  const broken = pool.findBroken();
  assert(broken === null, `mm/swap/zram: ${broken}`);
  pool.zspages.forEach((zspage, id) => {
    zspage?.frames.forEach((frame, at) => {
      const own = frames.flags[frame] === PG_zsmalloc && frames.owner[frame] === id && frames.index[frame] === at;
      assert(own && frames.refcount[frame] === 1, 'mm/swap/zram: Z1 a frame knows its zspage');
    });
  });
}
