import { describe, expect, it } from 'vitest';
import type { Pfn } from '../../machine/units.ts';
import { PG_unevictable } from '../phys/page-flags.ts';
import { createTestMemory } from '../testing/physical-memory.ts';
import { lockShmem, unlockShmem } from './shmem-lock.ts';

describe('SHM_LOCK', () => {
  it('makes pages unevictable that come after it, and all evictable again with SHM_UNLOCK', () => {
    const { pageCache, frames, vmstat, alloc, check } = createTestMemory();
    const file = pageCache.createFile(null);
    const page = (index: number): Pfn => {
      const frame = pageCache.addZeroedPage(file, index) as Pfn;
      alloc.putFrame(frame);
      return frame;
    };
    const before = page(0);
    lockShmem(file);
    const after = page(1);
    const isUnevictable = (frame: Pfn): boolean => (frames.flags[frame] & PG_unevictable) !== 0;
    expect([before, after].map(isUnevictable)).toEqual([false, true]);
    expect(vmstat.unevictable_pgs_culled).toBe(1);
    check();
    unlockShmem(pageCache, file);
    expect([before, after].map(isUnevictable)).toEqual([false, false]);
    expect(vmstat.unevictable_pgs_rescued).toBe(1);
    check();
  });
});
