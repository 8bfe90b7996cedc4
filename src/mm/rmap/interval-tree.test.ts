import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { type IntervalNode, IntervalTree } from './interval-tree.ts';

describe('IntervalTree', () => {
  it('agrees with an array (T1 to T3)', () => {
    const step = fc.record({
      start: fc.nat({ max: 60 }),
      size: fc.nat({ max: 20 }),
      remove: fc.boolean(),
      pick: fc.nat(),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 150 }),
        fc.array(fc.nat({ max: 80 }), { maxLength: 8 }),
        (steps, asks) => {
          const tree = new IntervalTree<number>();
          let model: IntervalNode<number>[] = [];
          for (const [id, { start, size, remove, pick }] of steps.entries()) {
            if (remove && model.length > 0) {
              const node = model[pick % model.length];
              tree.remove(node);
              model = model.filter((each) => each !== node);
            } else model.push(tree.insert(start, start + size, id));
            expect(tree.findBroken()).toBeNull();
          }
          expect(tree.count).toBe(model.length);
          for (const ask of asks) {
            const expected = model
              .filter((node) => node.start <= ask + 3 && node.last >= ask)
              .sort((a, b) => a.start - b.start || a.age - b.age)
              .map((node) => node.value);
            expect(tree.collectOverlaps(ask, ask + 3)).toEqual(expected);
          }
        },
      ),
    );
  });

  it('stops when told to, and looks at few nodes of many', () => {
    const tree = new IntervalTree<number>();
    for (let i = 0; i < 10_000; i++) tree.insert(i * 10, i * 10 + 9, i);
    const seen: number[] = [];
    expect(tree.forEachOverlap(500, 5000, (value) => seen.push(value) < 3)).toBe(false);
    expect(seen).toEqual([50, 51, 52]);
    expect(tree.collectOverlaps(99_999, 99_999)).toEqual([9999]);
    expect(tree.findBroken()).toBeNull();
  });
});
