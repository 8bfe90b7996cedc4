import { describe, expect, it } from 'vitest';
import { BufferSource } from '../base/io.ts';
import { PAGE_SIZE, type Pfn } from '../machine/units.ts';
import { collectBuddyinfo } from './buddyinfo.ts';
import { collectMeminfo } from './meminfo.ts';
import { writeFrom } from './page-cache/file-io.ts';
import { GFP_KERNEL } from './phys/gfp.ts';
import { createTestMemory } from './testing/physical-memory.ts';
import { collectNodeStats } from './vmstat-rows.ts';
import { collectZoneinfo } from './zoneinfo.ts';

describe('what /proc says of memory', () => {
  it('adds up', () => {
    const { alloc, pageCache, slab, vmstat } = createTestMemory(4096);
    const file = pageCache.createFile(null);
    writeFrom(pageCache, file, 0, new BufferSource(new Uint8Array(10 * PAGE_SIZE)));
    const held = alloc.allocFrame(GFP_KERNEL) as Pfn;
    const info = new Map(
      collectMeminfo(alloc, {
        commitLimitPages: 100,
        committedPages: 10,
        swap: { totalPages: 0, freePages: 0 },
        thp: { livePages: 0, pages: 512 },
      }),
    );
    const kib = (name: string): number => info.get(name) as number;
    expect(kib('MemTotal')).toBe(4095 * 4);
    expect([kib('Cached'), kib('Shmem'), kib('Inactive(anon)')]).toEqual([40, 40, 40]);
    expect(kib('MemFree') + kib('Cached') + kib('Slab') + 4).toBe(kib('MemTotal'));
    expect(kib('MemAvailable')).toBeLessThan(kib('MemFree'));
    expect(slab.cacheNamed('radix_tree_node').info()).toMatchObject({ activeObjs: 1, numSlabs: 1 });

    const [row] = collectBuddyinfo(alloc);
    expect(row.freeBlocks.reduce((sum, count, order) => sum + (count << order), 0)).toBe(alloc.freeCount);
    const { zones } = collectZoneinfo(alloc);
    expect(zones[0]).toMatchObject({
      zone: 'DMA32',
      free: alloc.freeCount,
      managed: 4095,
      present: 4096,
      protection: [0, 0, 0],
    });
    expect(new Map(collectNodeStats(alloc)).get('nr_shmem')).toBe(10);
    expect(vmstat.pgalloc_dma32 - vmstat.pgfree).toBe(4095 - alloc.freeCount);
    alloc.putFrame(held);
  });
});
