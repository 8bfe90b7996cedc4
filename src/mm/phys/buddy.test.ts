import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import type { Pfn } from '../../machine/units.ts';
import { Buddy, MAX_PAGE_ORDER } from './buddy.ts';
import { FrameTable, NO_FRAME } from './frame-table.ts';

/** What is free, frame by frame; free blocks follow from it by maximal coalescing. */
function coalesced(free: boolean[], start: number, end: number): Map<number, number> {
  const blocks = new Map<number, number>();
  const isFree = (at: number, order: number): boolean => {
    if (at < start || at + (1 << order) > end) return false;
    for (let i = at; i < at + (1 << order); i++) if (!free[i]) return false;
    return true;
  };
  for (let at = start; at < end; ) {
    if (!free[at]) {
      at++;
      continue;
    }
    let order = MAX_PAGE_ORDER;
    while (at % (1 << order) !== 0 || !isFree(at, order)) order--;
    blocks.set(at, order);
    at += 1 << order;
  }
  return blocks;
}

function freeBlocks(buddy: Buddy): Map<number, number> {
  const blocks = new Map<number, number>();
  buddy.freeLists.forEach((list, order) => {
    for (let frame = list.head; frame !== NO_FRAME; frame = list.after(frame as Pfn)) blocks.set(frame, order);
  });
  return blocks;
}

const sorted = (map: Map<number, number>): [number, number][] => [...map].sort((a, b) => a[0] - b[0]);

describe('Buddy', () => {
  it('gives the lower half of a split block and coalesces again', () => {
    const buddy = new Buddy(new FrameTable(16), 0, 16);
    buddy.free(0 as Pfn, 4);
    expect(buddy.alloc(0)).toBe(0);
    expect(buddy.alloc(0)).toBe(1);
    expect(buddy.alloc(1)).toBe(2);
    expect(sorted(freeBlocks(buddy))).toEqual([
      [4, 2],
      [8, 3],
    ]);
    buddy.free(2 as Pfn, 1);
    buddy.free(0 as Pfn, 0);
    buddy.free(1 as Pfn, 0);
    expect(sorted(freeBlocks(buddy))).toEqual([[0, 4]]);
  });

  it('never coalesces across the zone (B3)', () => {
    const buddy = new Buddy(new FrameTable(16), 4, 12);
    buddy.free(4 as Pfn, 2, 'back');
    buddy.free(8 as Pfn, 2, 'back');
    expect(sorted(freeBlocks(buddy))).toEqual([
      [4, 2],
      [8, 2],
    ]);
    expect(buddy.alloc(3)).toBe(NO_FRAME);
  });

  it('agrees with a frame-by-frame model: B1 to B4', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('alloc' as const), order: fc.integer({ min: 0, max: 6 }) }),
      fc.record({ kind: fc.constant('free' as const), pick: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.array(step, { maxLength: 120 }), (start, steps) => {
        const end = start + 210;
        const frames = new FrameTable(256);
        const buddy = new Buddy(frames, start, end);
        const free = new Array(256).fill(false);
        for (let at = start; at < end; at++) {
          buddy.free(at as Pfn, 0);
          free[at] = true;
        }
        const held: [number, number][] = [];
        for (const each of steps) {
          if (each.kind === 'alloc') {
            const had = Math.max(-1, ...coalesced(free, start, end).values());
            const frame = buddy.alloc(each.order);
            expect(frame === NO_FRAME).toBe(had < each.order);
            if (frame === NO_FRAME) continue;
            expect(frame % (1 << each.order)).toBe(0);
            for (let i = 0; i < 1 << each.order; i++) {
              expect(free[frame + i]).toBe(true);
              free[frame + i] = false;
            }
            held.push([frame, each.order]);
          } else if (held.length > 0) {
            const [frame, order] = held.splice(each.pick % held.length, 1)[0];
            buddy.free(frame as Pfn, order);
            free.fill(true, frame, frame + (1 << order));
          }
          expect(sorted(freeBlocks(buddy))).toEqual(sorted(coalesced(free, start, end)));
          expect(buddy.freePages).toBe(free.filter(Boolean).length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a double free', () => {
    const buddy = new Buddy(new FrameTable(16), 0, 16);
    buddy.free(3 as Pfn, 0);
    expect(() => buddy.free(3 as Pfn, 0)).toThrow(/freed once/);
  });
});
