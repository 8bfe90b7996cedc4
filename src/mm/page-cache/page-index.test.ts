import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import type { Pfn } from '../../machine/units.ts';
import { NodeStat } from '../phys/node-stat.ts';
import { createTestMemory } from '../testing/physical-memory.ts';
import { PageIndex } from './page-index.ts';
import { ShadowNodes } from './shadow-nodes.ts';

describe('PageIndex', () => {
  it('agrees with a Map, dense and sparse, dirty marks and shadow entries included (X1 to X3)', () => {
    const index = fc.oneof(
      fc.nat({ max: 200 }),
      fc.nat({ max: 5000 }),
      fc.integer({ min: 2 ** 31 - 2, max: 2 ** 31 + 2 }),
      fc.constant(2 ** 51 - 1),
    );
    const step = fc.record({
      index,
      kind: fc.constantFrom('insert', 'insert', 'remove', 'evict', 'dirty', 'clean', 'forget'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { slab, check } = createTestMemory();
        const nodes = slab.cacheNamed('radix_tree_node');
        const shadowNodes = new ShadowNodes(new NodeStat());
        const tree = new PageIndex(nodes, shadowNodes);
        const pages = new Map<number, number>();
        const dirty = new Set<number>();
        const shadows = new Map<number, number>();
        for (const [at, { index, kind }] of steps.entries()) {
          if (kind === 'insert' && !pages.has(index)) {
            expect(tree.insert(index, (at + 1) as Pfn)).toBe(true);
            pages.set(index, at + 1);
            shadows.delete(index);
          } else if (kind === 'forget') {
            tree.dropShadows(index, index + 100);
            for (const each of [...shadows.keys()]) if (each >= index && each < index + 100) shadows.delete(each);
          } else if (pages.has(index)) {
            if (kind === 'remove') {
              tree.remove(index);
              pages.delete(index);
              dirty.delete(index);
            } else if (kind === 'evict') {
              tree.remove(index, at + 1);
              pages.delete(index);
              dirty.delete(index);
              shadows.set(index, at + 1);
            } else if (kind === 'dirty') {
              tree.markDirty(index);
              dirty.add(index);
            } else if (kind === 'clean') {
              tree.clearDirty(index);
              dirty.delete(index);
            }
          }
          expect(tree.findBroken()).toBeNull();
          expect(tree.find(index)).toBe(pages.get(index) ?? -1);
          expect(tree.shadowAt(index)).toBe(shadows.get(index) ?? 0);
        }
        const walk = (which: 'any' | 'dirty'): number[] => {
          const found: number[] = [];
          for (let i = tree.next(0, which); i >= 0; i = tree.next(i + 1, which)) found.push(i);
          return found;
        };
        const numerically = (a: number, b: number): number => a - b;
        expect(walk('any')).toEqual([...pages.keys()].sort(numerically));
        expect(walk('dirty')).toEqual([...dirty].sort(numerically));
        check();
        for (const index of pages.keys()) tree.remove(index);
        shadowNodes.shrink(0);
        expect(tree.shadowCount).toBe(0);
        expect(nodes.activeCount).toBe(0);
      }),
      { numRuns: 80 },
    );
  });
});
