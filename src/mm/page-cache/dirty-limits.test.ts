import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../base/io.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { createTestMemory } from '../testing/physical-memory.ts';
import { dirtyLimits } from './dirty-limits.ts';
import { writeFrom } from './file-io.ts';
import type { PageBacking } from './file-pages.ts';

class CountingBacking implements PageBacking {
  sizeBytes = 0;
  written = 0;
  readPage(): number {
    return 0;
  }
  writePage(_index: number, _from: Uint8Array, lengthBytes: number): number {
    this.written++;
    return lengthBytes;
  }
}

const pages = (count: number): BufferSource => new BufferSource(new Uint8Array(count * PAGE_SIZE));
const SECOND_NS = 1_000_000_000;

function twoFiles() {
  const memory = createTestMemory();
  const { pageCache } = memory;
  const backings = [new CountingBacking(), new CountingBacking()];
  const files = backings.map((backing) => pageCache.createFile(backing));
  return { ...memory, backings, files };
}

describe('dirty pages', () => {
  it('has limits in bytes, or in per cent of what is available', () => {
    const { alloc, pageCache } = createTestMemory();
    const { dirty } = pageCache;
    Object.assign(dirty, { ratio: 0, bytes: 40 * PAGE_SIZE - 1, backgroundRatio: 0, backgroundBytes: 3 * PAGE_SIZE });
    expect(dirtyLimits(alloc, dirty)).toEqual({ threshold: 40, background: 3 });
    dirty.backgroundBytes = 40 * PAGE_SIZE;
    expect(dirtyLimits(alloc, dirty)).toEqual({ threshold: 40, background: 20 });
    Object.assign(dirty, { ratio: 40, bytes: 0, backgroundRatio: 20, backgroundBytes: 0 });
    const { threshold, background } = dirtyLimits(alloc, dirty);
    expect(threshold).toBeGreaterThan(0);
    expect(threshold - 2 * background).toBeLessThan(3);
  });

  it('lets the writer write where there is half way too much, the oldest file first, and asks the flusher for the rest', () => {
    const { alloc, pageCache, clock, backings, files } = twoFiles();
    Object.assign(pageCache.dirty, {
      ratio: 0,
      bytes: 40 * PAGE_SIZE,
      backgroundRatio: 0,
      backgroundBytes: 20 * PAGE_SIZE,
    });
    writeFrom(pageCache, files[0], 0, pages(20));
    expect([alloc.stat.nr_dirty, pageCache.needsFlusher]).toEqual([20, false]);
    clock.charge(SECOND_NS);
    writeFrom(pageCache, files[1], 0, pages(5));
    expect([alloc.stat.nr_dirty, pageCache.needsFlusher]).toEqual([25, true]);
    writeFrom(pageCache, files[1], 5 * PAGE_SIZE, pages(6));
    expect(backings.map(({ written }) => written)).toEqual([20, 0]);
    writeFrom(pageCache, files[1], 11 * PAGE_SIZE, pages(14));
    expect(alloc.stat.nr_dirty).toBe(25);
    pageCache.flush();
    expect([alloc.stat.nr_dirty, pageCache.needsFlusher]).toEqual([0, false]);
  });

  it('is written by the flusher once it has been dirty for too long', () => {
    const { alloc, pageCache, clock, files } = twoFiles();
    writeFrom(pageCache, files[0], 0, pages(3));
    clock.charge(20 * SECOND_NS);
    writeFrom(pageCache, files[1], 0, pages(4));
    pageCache.flush();
    expect(alloc.stat.nr_dirty).toBe(7);
    clock.charge(10 * SECOND_NS);
    pageCache.flush();
    expect(alloc.stat.nr_dirty).toBe(4);
    pageCache.dirty.expireCentisecs = 500;
    pageCache.flush();
    expect(alloc.stat.nr_dirty).toBe(0);
  });
});
