import { describe, expect, it } from 'vitest';
import { fc } from '../../../../test/property.ts';
import type { Pfn } from '../../../machine/units.ts';
import { NO_FRAME } from '../../phys/frame-table.ts';
import { BloomFilter } from './bloom-filter.ts';
import { GEN_ANON, GEN_FILE, Generations, MAX_NR_GENS } from './generations.ts';
import { PageUse } from './page-use.ts';
import { MIN_LRU_BATCH, Tiers } from './tiers.ts';

describe('mglru', () => {
  it('keeps the pages of each generation in order, and their sizes', () => {
    const step = fc.record({
      page: fc.nat(15),
      seq: fc.nat(MAX_NR_GENS - 1),
      type: fc.constantFrom(GEN_ANON, GEN_FILE),
      kind: fc.constantFrom('young', 'old', 'remove'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const generations = new Generations(16);
        const lists = Array.from({ length: MAX_NR_GENS * 2 }, (): number[] => []);
        for (const { page, seq, type, kind } of steps) {
          const each = page as Pfn;
          const isListed = generations.has(each);
          for (const list of lists) if (list.includes(page)) list.splice(list.indexOf(page), 1);
          if (kind === 'remove') generations.remove(each);
          else {
            if (isListed) generations.move(each, seq, type, kind);
            else generations.add(each, seq, type, 1);
            const list = lists[seq * 2 + type];
            if (isListed && kind === 'old') list.unshift(page);
            else list.push(page);
            expect([generations.seqOf(each) % MAX_NR_GENS, generations.typeOf(each)]).toEqual([seq, type]);
          }
        }
        lists.forEach((list, at) => {
          const [seq, type] = [at >> 1, (at & 1) as 0 | 1];
          expect(generations.sizeOf(seq, type)).toBe(list.length);
          expect(generations.oldestOf(seq, type)).toBe(list[0] ?? NO_FRAME);
        });
      }),
    );
  });

  it('counts uses through files up to four, then calls the page one of the working set', () => {
    const use = new PageUse(1);
    const page = 0 as Pfn;
    const seen: number[] = [];
    for (let i = 0; i < 6; i++) {
      seen.push(use.refsOf(page), use.tierOf(page));
      use.note(page);
    }
    expect(seen).toEqual([0, 0, 1, 0, 2, 1, 3, 2, 4, 2, 4, 3]);
    expect(use.isTop(page)).toBe(true);
    use.clear(page);
    expect([use.refsOf(page), use.isWorkingset(page)]).toEqual([0, true]);
  });

  it('takes a page that two looks at page tables find used for young', () => {
    const use = new PageUse(1);
    expect([use.setRefsByTable(0 as Pfn), use.setRefsByTable(0 as Pfn)]).toEqual([false, true]);
  });

  it('protects tiers that come back more often than the lowest, and evicts of the kind that comes back less', () => {
    const tiers = new Tiers();
    tiers.noteEviction(GEN_FILE, 0, 1000);
    tiers.noteEviction(GEN_FILE, 1, 1000);
    expect(tiers.lastUnprotected(GEN_FILE)).toBe(3);
    tiers.noteRefault(GEN_FILE, 1, 10 * MIN_LRU_BATCH);
    expect(tiers.lastUnprotected(GEN_FILE)).toBe(0);
    expect(tiers.typeToScan(60)).toBe(GEN_ANON);
    tiers.carryOver(GEN_FILE);
    tiers.noteEviction(GEN_ANON, 0, 1000);
    tiers.noteRefault(GEN_ANON, 0, 900);
    expect(tiers.typeToScan(60)).toBe(GEN_FILE);
    expect([tiers.typeToScan(0), tiers.typeToScan(200)]).toEqual([GEN_FILE, GEN_ANON]);
  });

  it('remembers tables in a filter that forgets none', () => {
    const filter = new BloomFilter();
    for (let table = 0; table < 500; table++) filter.add(table * 7);
    for (let table = 0; table < 500; table++) expect(filter.mayHave(table * 7)).toBe(true);
    const wrong = Array.from({ length: 5000 }, (_, i) => i * 7 + 3).filter((table) => filter.mayHave(table));
    expect(wrong.length).toBeLessThan(100);
    filter.clear();
    expect(filter.mayHave(7)).toBe(false);
  });
});
