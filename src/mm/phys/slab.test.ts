import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { createTestMemory } from '../testing/physical-memory.ts';
import { checkSlab } from './check.ts';
import { GFP_KERNEL } from './gfp.ts';

describe('KmemCache', () => {
  it('gives slots of real memory in address order and keeps the free list in them', () => {
    const { slab, ram } = createTestMemory();
    const cache = slab.createCache({ name: 'thing', objectBytes: 48 });
    const first = cache.alloc();
    expect(first % PAGE_SIZE).toBe(0);
    expect(cache.alloc()).toBe(first + 48);
    const third = first + 2 * 48;
    expect(ram.u32[(ram.ramBase + third + 24) / 4]).toBe(third + 48);
    cache.free(first);
    expect(ram.u32[(ram.ramBase + first + 24) / 4]).toBe(third);
    expect(cache.alloc()).toBe(first);
  });

  it('agrees with a set: slots differ, do not overlap, counts hold (S1 to S3)', () => {
    const size = fc.constantFrom(8, 64, 104, 192, 624, 1600, 4288);
    const steps = fc.array(fc.oneof(fc.constant(-1), fc.constant(-1), fc.nat({ max: 1000 })), { maxLength: 300 });
    fc.assert(
      fc.property(size, steps, (objectBytes, picks) => {
        const memory = createTestMemory(1024);
        const before = memory.alloc.freeCount;
        const cache = memory.slab.createCache({ name: 'thing', objectBytes });
        const held: number[] = [];
        for (const pick of picks) {
          if (pick < 0) {
            const slot = cache.alloc();
            if (slot === 0) continue;
            for (const other of held) expect(Math.abs(other - slot)).toBeGreaterThanOrEqual(objectBytes);
            const at = memory.ram.ramBase + slot;
            memory.ram.u8.fill(0xff, at, at + objectBytes); // the owner may write all of it
            held.push(slot);
          } else if (held.length > 0) {
            cache.free(held.splice(pick % held.length, 1)[0]);
          }
        }
        expect(cache.activeCount).toBe(held.length);
        memory.check();
        for (const slot of held) cache.free(slot);
        memory.check();
        cache.shrink();
        expect(memory.alloc.freeCount).toBe(before);
        expect(cache.slabCount).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('gives empty slabs back above min_partial', () => {
    const memory = createTestMemory();
    const cache = memory.slab.createCache({ name: 'page', objectBytes: 2048 });
    const perSlab = cache.info().objPerSlab;
    const slots = Array.from({ length: perSlab * 9 }, () => cache.alloc());
    expect(cache.slabCount).toBe(9);
    for (const slot of slots) cache.free(slot);
    expect(cache.slabCount).toBe(cache.minPartial - 1); // the fifth on the list goes, as in __slab_free
    checkSlab(memory.alloc, memory.slab);
  });

  it('falls back to a smaller slab, then says 0, when memory is short', () => {
    const memory = createTestMemory(64);
    const cache = memory.slab.cacheNamed('names_cache');
    let got = 0;
    while (cache.alloc() !== 0) got++;
    expect(got).toBeGreaterThan(0);
    memory.check();
    expect(memory.alloc.allocFrame(GFP_KERNEL)).toBe(-1);
  });

  it('panics on a double free, a wrong cache and a bad slot', () => {
    const { slab } = createTestMemory();
    const cache = slab.cacheNamed('vm_area_struct');
    const slot = cache.alloc();
    cache.alloc();
    expect(() => slab.cacheNamed('filp').free(slot)).toThrow(/own cache/);
    expect(() => cache.free(slot + 8)).toThrow(/multiple/);
    cache.free(slot);
    expect(() => cache.free(slot)).toThrow(/once/);
  });

  it('finds a free list that a guest or a bug has damaged', () => {
    const memory = createTestMemory();
    const cache = memory.slab.cacheNamed('filp');
    const slot = cache.alloc();
    memory.ram.u32[(memory.ram.ramBase + slot + cache.sizeBytes + cache.linkOffset) / 4] = slot + cache.sizeBytes;
    expect(() => memory.check()).toThrow(/free once/);
  });
});
