import { describe, expect, it } from 'vitest';
import { BufferSink, BufferSource } from '../../base/io.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { readInto, writeFrom } from '../page-cache/file-io.ts';
import { createTestMemory } from '../testing/physical-memory.ts';
import { ShmemObject } from './shmem.ts';

describe('ShmemObject', () => {
  it('reads holes as zeroes without making pages, and frees what is cut off', () => {
    const memory = createTestMemory();
    const { pageCache, alloc, check } = memory;
    const object = new ShmemObject(pageCache, 10 * PAGE_SIZE);
    const sink = new BufferSink(100);
    expect(readInto(pageCache, object.pages, 4000, sink)).toBe(100);
    expect(object.allocatedPages).toBe(0);
    writeFrom(pageCache, object.pages, 5 * PAGE_SIZE - 2, new BufferSource(Uint8Array.of(1, 2, 3, 4)));
    expect([object.allocatedPages, alloc.stat.nr_shmem, alloc.stat.nr_dirty]).toEqual([2, 2, 0]);
    object.truncate(5 * PAGE_SIZE - 1);
    object.truncate(10 * PAGE_SIZE);
    const after = new BufferSink(4);
    readInto(pageCache, object.pages, 5 * PAGE_SIZE - 2, after);
    expect([...after.filled]).toEqual([1, 0, 0, 0]);
    expect(object.allocatedPages).toBe(1);
    check();
    object.destroy();
    memory.slab.shrink();
    expect(alloc.freeCount).toBe(alloc.totalCount);
  });

  it('punches holes at byte precision', () => {
    const { pageCache, check } = createTestMemory();
    const object = new ShmemObject(pageCache, 0);
    writeFrom(pageCache, object.pages, 0, new BufferSource(new Uint8Array(4 * PAGE_SIZE).fill(7)));
    object.punchHole(PAGE_SIZE - 1, 3 * PAGE_SIZE + 1);
    expect(object.allocatedPages).toBe(2);
    object.punchHole(10, 12);
    const sink = new BufferSink(4 * PAGE_SIZE);
    readInto(pageCache, object.pages, 0, sink);
    const expected = new Uint8Array(4 * PAGE_SIZE)
      .fill(7)
      .fill(0, PAGE_SIZE - 1, 3 * PAGE_SIZE + 1)
      .fill(0, 10, 12);
    expect(Buffer.compare(sink.bytes, expected)).toBe(0);
    check();
  });
});
