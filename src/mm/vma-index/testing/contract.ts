import { describe, expect, it } from 'vitest';
import { fc } from '../../../../test/property.ts';
import { type Pfn, type Vpn, vpn } from '../../../machine/units.ts';
import { AddressSpace } from '../../address-space.ts';
import { Vma } from '../../vma.ts';
import type { VmaIndex } from '../vma-index.ts';

/** What every VmaIndex must do, against a sorted array. Call it in the implementation's test file. */
export function testVmaIndex(name: string, create: () => VmaIndex): void {
  const space = new AddressSpace(0, 0, 0 as Pfn, vpn(2 ** 26), create(), { assignAsid: () => 1 });
  const makeVma = (start: number, pages: number) => new Vma(1, space, vpn(start), vpn(start + pages), 0, 0);
  const SPAN = 600;

  describe(`VmaIndex: ${name}`, () => {
    it('answers as a sorted array does, after any inserts, erases and resizes', () => {
      const step = fc.record({
        what: fc.constantFrom('insert', 'insert', 'insert', 'erase', 'resize'),
        at: fc.nat(SPAN - 1),
        pages: fc.integer({ min: 1, max: 6 }),
        trim: fc.nat(3),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
          const index = create();
          let model: Vma[] = [];
          for (const { what, at, pages, trim } of steps) {
            if (what === 'insert') {
              if (model.some((vma) => vma.startVpn < at + pages && vma.endVpn > at)) continue;
              const vma = makeVma(at, pages);
              index.insert(vma);
              model = [...model, vma].sort((a, b) => a.startVpn - b.startVpn);
            } else if (model.length > 0) {
              const position = at % model.length;
              const vma = model[position];
              if (what === 'erase') {
                index.erase(vma);
                model.splice(position, 1);
              } else {
                const low = position === 0 ? 0 : model[position - 1].endVpn;
                const high = position === model.length - 1 ? SPAN : model[position + 1].startVpn;
                const start = Math.min(vma.endVpn - 1, Math.max(low, vma.startVpn + trim - 1));
                index.resize(vma, vpn(start), vpn(Math.max(start + 1, Math.min(high, vma.endVpn + pages - 3))));
              }
            }
            expect(index.findBroken()).toBe(null);
          }
          compare(index, model);
        }),
        { numRuns: 150 },
      );
    });

    it('holds ten thousand VMAs and loses none', () => {
      const index = create();
      const vmas = Array.from({ length: 10_000 }, (_, i) => makeVma(((i * 7919) % 10_000) * 4, 2));
      for (const vma of vmas) index.insert(vma);
      expect(index.findBroken()).toBe(null);
      expect(index.count).toBe(10_000);
      expect(index.gapBottomUp(vpn(0), vpn(2 ** 26), 3)).toBe(39_998);
      expect(index.gapTopDown(vpn(0), vpn(40_000), 2)).toBe(39_998);
      for (const vma of vmas.slice(0, 9_990)) index.erase(vma);
      expect(index.findBroken()).toBe(null);
      expect(index.count).toBe(10);
    });

    it('has an empty order', () => {
      const index = create();
      expect([index.first(), index.last(), index.find(vpn(0)), index.findPrev(vpn(9))]).toEqual([
        null,
        null,
        null,
        null,
      ]);
      expect(index.gapBottomUp(vpn(10), vpn(20), 10)).toBe(10);
      expect(index.gapTopDown(vpn(10), vpn(20), 4)).toBe(16);
      expect(index.gapTopDown(vpn(10), vpn(20), 11)).toBe(-1);
    });
  });

  function compare(index: VmaIndex, model: readonly Vma[]): void {
    expect(index.count).toBe(model.length);
    expect(index.first()).toBe(model.at(0) ?? null);
    expect(index.last()).toBe(model.at(-1) ?? null);
    for (let i = 0; i < model.length; i++) {
      expect(index.next(model[i])).toBe(model[i + 1] ?? null);
      expect(index.prev(model[i])).toBe(model[i - 1] ?? null);
    }
    for (let page = 0; page < SPAN; page += 3) {
      expect(index.find(vpn(page))).toBe(model.find((vma) => vma.endVpn > page) ?? null);
      expect(index.findPrev(vpn(page))).toBe(model.findLast((vma) => vma.endVpn <= page) ?? null);
    }
    for (const size of [1, 2, 5, 20])
      for (const [low, high] of [
        [0, SPAN],
        [17, 300],
        [100, 120],
      ]) {
        const free: number[] = [];
        for (let page = low; page + size <= high; page++)
          if (!model.some((vma) => vma.startVpn < page + size && vma.endVpn > page)) free.push(page);
        expect(index.gapBottomUp(vpn(low) as Vpn, vpn(high), size)).toBe(free.at(0) ?? -1);
        expect(index.gapTopDown(vpn(low), vpn(high), size)).toBe(free.at(-1) ?? -1);
      }
  }
}
