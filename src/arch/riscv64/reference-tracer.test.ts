import { expect, test } from 'vitest';
import { fc } from '../../../test/property.ts';
import { ACCESS_READ } from '../../machine/mmu.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import type { ReferenceDetail } from '../../machine/reference-stream.ts';
import { vaddr } from '../../machine/units.ts';
import { assemble, ECALL } from './testing/assemble.ts';
import { Guest } from './testing/guest.ts';

const CODE = [0x10, 0x11] as const;
const DATA = 0x100;
const DATA_PAGES = 6;
const WORDS_PER_PAGE = 1000;
/** Where in its page a base register points, so that 12 bits reach both ends of the page. */
const BASE = 2048;

interface Step {
  readonly kind: 'load' | 'store' | 'cross' | 'jump';
  readonly page: number;
}

/** Most recent first. */
function recency(string: readonly number[]): number[] {
  return [...new Set([...string].reverse())];
}

/** Runs the steps and gives what was told and what a hart without a TLB would tell, both as page numbers. */
function trace(steps: readonly Step[], detail?: ReferenceDetail): { told: number[]; full: number[] } {
  const g = new Guest(sv39);
  for (const page of CODE) g.map(page, 5);
  for (let page = 0; page <= DATA_PAGES; page++) g.map(DATA + page, 3);
  for (let page = 0; page < DATA_PAGES; page++) g.setX(10 + page, BigInt((DATA + page) * 4096 + BASE));
  const told: number[] = [];
  const full: number[] = [];
  const words: number[][] = [[], []];
  let at = 0;
  for (const { kind, page } of steps) {
    full.push(CODE[at]);
    const rs1 = 10 + page;
    if (kind === 'jump') {
      const other = 1 - at;
      // The pages are filled from their beginnings.
      const from = CODE[at] * 4096 + words[at].length * 4;
      const to = CODE[other] * 4096 + words[other].length * 4;
      words[at].push(assemble('jal', { rd: 0, imm: to - from }));
      at = other;
    } else if (kind === 'load') words[at].push(assemble('ld', { rd: 5, rs1 }));
    else if (kind === 'store') words[at].push(assemble('sd', { rs1, rs2: 5 }));
    else words[at].push(assemble('ld', { rd: 5, rs1, imm: 2044 }));
    if (kind !== 'jump') full.push(DATA + page);
    if (kind === 'cross') full.push(DATA + page + 1);
  }
  words[at].push(ECALL);
  full.push(CODE[at]);
  CODE.forEach((page, i) => {
    if (words[i].length > 0) g.code(page * 4096, words[i]);
  });
  g.cpu.setReferenceStream({ referenced: (_asid, page) => void told.push(page) }, detail);
  g.runFrom(CODE[0] * 4096);
  return { told, full };
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind'][]>('load', 'load', 'store', 'cross', 'jump'),
    page: fc.nat(DATA_PAGES - 1),
  }),
  { maxLength: WORDS_PER_PAGE / 20 },
);

test('the stream orders pages as all accesses one by one do', () => {
  fc.assert(
    fc.property(steps, (each) => {
      const { told, full } = trace(each);
      expect(recency(told)).toEqual(recency(full));
      expect(told.every((page, i) => i === 0 || page !== told[i - 1])).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('of the detail pages: the same pages', () => {
  fc.assert(
    fc.property(steps, (each) => {
      const { told, full } = trace(each, 'pages');
      expect(new Set(told)).toEqual(new Set(full));
    }),
    { numRuns: 60 },
  );
});

test('it has every change of page', () => {
  const { told } = trace([
    { kind: 'load', page: 1 },
    { kind: 'store', page: 1 },
    { kind: 'load', page: 2 },
    { kind: 'jump', page: 0 },
    { kind: 'load', page: 2 },
  ]);
  expect(told).toEqual([0x10, 0x101, 0x10, 0x101, 0x10, 0x102, 0x10, 0x11, 0x102, 0x11]);
});

test("the kernel's accesses are in it, and it ends when nobody listens", () => {
  const g = new Guest(sv39);
  g.map(DATA, 3);
  g.map(DATA + 1, 3);
  const told: number[] = [];
  g.cpu.setReferenceStream({ referenced: (_asid, page) => void told.push(page) });
  const read = (page: number): void => void g.cpu.translate(g.root, vaddr((DATA + page) * 4096), ACCESS_READ);
  for (const page of [0, 0, 1, 0]) read(page);
  expect(told).toEqual([DATA, DATA + 1, DATA]);
  g.cpu.setReferenceStream(null);
  read(1);
  expect(told.length).toBe(3);
});
