import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { EV_PAGE_ALLOC, EV_PAGE_FREE } from '../../base/event-kinds.ts';
import { EventSink } from '../../base/events.ts';
import { Vmstat } from '../../base/vmstat.ts';
import { Ram } from '../../machine/ram.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { createTestMemory } from '../testing/physical-memory.ts';
import { FrameAllocator } from './alloc.ts';
import { FrameTable, NO_FRAME } from './frame-table.ts';
import {
  __GFP_COMP,
  __GFP_DMA,
  __GFP_NOFAIL,
  __GFP_ZERO,
  GFP_ATOMIC,
  GFP_HIGHUSER_MOVABLE,
  GFP_KERNEL,
} from './gfp.ts';
import { PG_head, PG_tail } from './page-flags.ts';
import { WMARK_HIGH, WMARK_LOW, WMARK_MIN, type ZoneConfig } from './zone.ts';

function allocatorOf(frames: number, zones: ZoneConfig[]): FrameAllocator {
  const ram = new Ram({ ramBytes: frames * PAGE_SIZE, machineAreaBytes: 65536 });
  const events = new EventSink({ nowNs: 0 });
  const table = new FrameTable(frames);
  return new FrameAllocator({ ram, frames: table, zones, reservedFrames: 16, events, vmstat: new Vmstat() });
}

describe('FrameAllocator', () => {
  it('computes watermarks as Linux does for 256 MiB', () => {
    const alloc = allocatorOf(65536, [{ name: 'DMA32', startPfn: 0, endPfn: 65536 }]);
    expect(alloc.totalCount).toBe(65536 - 16);
    expect(alloc.watermarks.minFreeKbytes).toBe(2047); // int_sqrt(262080 * 16)
    const [zone] = alloc.zones;
    expect([zone.watermarks[WMARK_MIN], zone.watermarks[WMARK_LOW], zone.watermarks[WMARK_HIGH]]).toEqual([
      511, 638, 765,
    ]);
  });

  it('reserves low memory from requests that higher zones serve', () => {
    const alloc = allocatorOf(16384, [
      { name: 'DMA', startPfn: 0, endPfn: 4096 },
      { name: 'Normal', startPfn: 4096, endPfn: 16384 },
    ]);
    const [dma, normal] = alloc.zones;
    expect(Array.from(dma.lowmemReserve)).toEqual([0, 0, 48, 48, 48]); // 12288 / 256
    const first = alloc.allocFrame(GFP_HIGHUSER_MOVABLE);
    expect(first).toBe(4096);
    while (normal.freePages > normal.watermarks[WMARK_LOW]) alloc.allocFrame(GFP_KERNEL);
    expect(alloc.allocFrame(GFP_KERNEL)).toBeLessThan(4096);
    while (alloc.allocFrame(GFP_KERNEL) !== NO_FRAME);
    expect(dma.freePages).toBe(dma.watermarks[WMARK_MIN] + 48);
    expect(normal.freePages).toBe(normal.watermarks[WMARK_MIN]);
    expect(alloc.allocFrame(GFP_KERNEL | __GFP_DMA)).toBeGreaterThan(0);
    expect(alloc.allocFrame(GFP_ATOMIC)).toBeGreaterThan(0);
  });

  it('zeroes on __GFP_ZERO, makes compound blocks, frees them by any page', () => {
    const { alloc, ram, frames, check } = createTestMemory();
    const before = alloc.freeCount;
    const head = alloc.allocFrames(3, GFP_KERNEL | __GFP_COMP | __GFP_ZERO) as Pfn;
    expect(frames.has(head, PG_head)).toBe(true);
    expect(frames.has((head + 7) as Pfn, PG_tail)).toBe(true);
    expect(frames.headOf((head + 5) as Pfn)).toBe(head);
    expect(ram.u8.subarray(ram.offsetOf(head), ram.offsetOf(head) + 8 * PAGE_SIZE).every((byte) => byte === 0)).toBe(
      true,
    );
    alloc.getFrame((head + 3) as Pfn);
    expect(frames.refcount[head]).toBe(2);
    check();
    alloc.putFrame(head);
    alloc.putFrame((head + 6) as Pfn);
    expect(alloc.freeCount).toBe(before);
    check();
  });

  it('keeps counts and invariants under any order of calls', () => {
    const step = fc.record({ order: fc.integer({ min: -4, max: 5 }), pick: fc.nat(), zero: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const { alloc, check } = createTestMemory(512);
        const before = alloc.freeCount;
        const held: [Pfn, number][] = [];
        for (const { order, pick } of steps) {
          if (order >= 0) {
            const frame = alloc.allocFrames(order, GFP_KERNEL | __GFP_COMP);
            if (frame !== NO_FRAME) held.push([frame as Pfn, order]);
          } else if (held.length > 0) alloc.putFrame(held.splice(pick % held.length, 1)[0][0]);
          expect(alloc.freeCount).toBe(before - held.reduce((sum, [, each]) => sum + (1 << each), 0));
        }
        check();
        for (const [frame] of held) alloc.putFrame(frame);
        check();
        expect(alloc.freeCount).toBe(before);
      }),
      { numRuns: 50 },
    );
  });

  it('calls the reclaimer only for direct reclaim, and as long as it frees', () => {
    const { alloc } = createTestMemory(256);
    const held: Pfn[] = [];
    for (let frame = alloc.allocFrame(GFP_KERNEL); frame !== NO_FRAME; frame = alloc.allocFrame(GFP_KERNEL))
      held.push(frame as Pfn);
    let calls = 0;
    alloc.setReclaimer({
      reclaim: (wanted) => {
        calls++;
        expect(alloc.allocFrame(GFP_KERNEL)).not.toBe(NO_FRAME); // no watermark stops the reclaimer, no recursion
        let freed = 0;
        for (; freed < wanted && held.length > 0; freed++) alloc.putFrame(held.pop() as Pfn);
        return freed;
      },
    });
    expect(alloc.allocFrame(GFP_ATOMIC)).not.toBe(NO_FRAME);
    expect(calls).toBe(0);
    expect(alloc.allocFrame(GFP_KERNEL)).not.toBe(NO_FRAME);
    expect(calls).toBe(1);
    held.length = 0;
    expect(() => {
      for (;;) alloc.allocFrame(GFP_KERNEL | __GFP_NOFAIL);
    }).toThrow(/must not fail/);
  });

  it('emits and counts', () => {
    const { alloc, events, vmstat } = createTestMemory();
    const seen: number[][] = [];
    events.subscribe([EV_PAGE_ALLOC, EV_PAGE_FREE], ({ kind, values }) => seen.push([kind, values[0], values[1]]));
    const frame = alloc.allocFrame(GFP_KERNEL) as Pfn;
    alloc.putFrame(frame);
    expect(seen).toEqual([
      [EV_PAGE_ALLOC, frame, 0],
      [EV_PAGE_FREE, frame, 0],
    ]);
    expect([vmstat.pgalloc_dma32, vmstat.pgfree]).toEqual([1, 1]);
  });

  it('panics where a frame is freed that is mapped, or put too often', () => {
    const { alloc, frames } = createTestMemory();
    const frame = alloc.allocFrame(GFP_KERNEL) as Pfn;
    frames.mapcount[frame] = 1;
    expect(() => alloc.putFrame(frame)).toThrow(/not mapped/);
    const other = alloc.allocFrame(GFP_KERNEL) as Pfn;
    alloc.putFrame(other);
    expect(() => alloc.putFrame(other)).toThrow(/not negative/);
  });
});
