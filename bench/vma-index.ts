import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Rng } from '../src/base/rng.ts';
import { type Pfn, type Vpn, vpn } from '../src/machine/units.ts';
import { AddressSpace } from '../src/mm/address-space.ts';
import { Vma } from '../src/mm/vma.ts';
import { createVmaIndex, VMA_INDEX_KINDS, type VmaIndexKind } from '../src/mm/vma-index/kinds.ts';
import type { VmaIndex } from '../src/mm/vma-index/vma-index.ts';

/**
 * The VMA indexes against each other: `ratio` (to maple) is what to compare, ns move with the host. See docs/vma-index.md for
 * what each line measures. Options: --quick for a tenth of the time; --only=KIND prints one index's numbers.
 */
const COUNTS = [10, 1_000, 60_000];
/** VMAs of four pages, four pages apart; one hole in a hundred is larger, and one, in the middle, is larger than all. */
const PAGES = 4;
const STRIDE = 8;
const LARGE_HOLE = 64;
const LARGEST_HOLE = 1_000;
const isQuick = process.argv.includes('--quick');
/** Rounds are short, so that some fall between what else the machine does. */
const MIN_MS = 4;
const ROUNDS = isQuick ? 5 : 40;
/** Erases and inserts in one timed stretch, about. */
const CHANGES = 400;

interface Filled {
  readonly index: VmaIndex;
  readonly vmas: readonly Vma[];
  readonly space: AddressSpace;
  readonly end: Vpn;
}

function fill(kind: VmaIndexKind, count: number): Filled {
  const index = createVmaIndex(kind);
  const space = new AddressSpace(1, 0, 0 as Pfn, vpn(2 ** 35), index, { assignAsid: () => 1 });
  const vmas: Vma[] = [];
  let page = 16;
  for (let i = 0; i < count; i++) {
    vmas.push(new Vma(1, space, vpn(page), vpn(page + PAGES), 0, 0));
    page += STRIDE + (i % 100 === 99 ? LARGE_HOLE : 0) + (i === count >> 1 ? LARGEST_HOLE : 0);
  }
  // From the top down: the one order in which a list need not be walked.
  for (let i = count - 1; i >= 0; i--) index.insert(vmas[i]);
  return { index, vmas, space, end: vpn(page) };
}

/** A question: the index stays as it is. `step` runs it `times` times and returns something that depends on it. */
interface Operation {
  readonly name: string;
  readonly step: (filled: Filled, rng: Rng, times: number) => number;
}

const OPERATIONS: readonly Operation[] = [
  {
    name: 'find, random',
    step({ index, vmas }, rng, times) {
      let sum = 0;
      for (let i = 0; i < times; i++) sum += index.find(vmas[rng.below(vmas.length)].startVpn)?.endVpn ?? 0;
      return sum;
    },
  },
  {
    name: 'find, local',
    // As faults come: sixteen in one VMA, then another.
    step({ index, vmas }, rng, times) {
      let sum = 0;
      let page = vmas[0].startVpn;
      for (let i = 0; i < times; i++) {
        if (i % 16 === 0) page = vmas[rng.below(vmas.length)].startVpn;
        sum += index.find((page + (i % PAGES)) as Vpn)?.endVpn ?? 0;
      }
      return sum;
    },
  },
  {
    name: 'gap, small',
    step({ index, end }, _rng, times) {
      let sum = 0;
      for (let i = 0; i < times; i++) sum += index.gapTopDown(vpn(16), end, 1 + (i % PAGES));
      return sum;
    },
  },
  {
    name: 'gap, the only one',
    step({ index, end }, _rng, times) {
      let sum = 0;
      for (let i = 0; i < times; i++) sum += index.gapTopDown(vpn(16), end, LARGEST_HOLE);
      return sum;
    },
  },
];

/** ns an operation: the fastest of ROUNDS, each as long as MIN_MS at least; what disturbs a round only makes it slower. */
function measure({ step }: Operation, filled: Filled): number {
  let times = 1;
  for (;;) {
    const start = performance.now();
    keep(step(filled, new Rng(7), times));
    if (performance.now() - start >= MIN_MS) break;
    times *= 2;
  }
  const results: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    keep(step(filled, new Rng(round + 1), times));
    results.push(((performance.now() - start) * 1e6) / times);
  }
  return Math.min(...results);
}

/** ns of an erase and of an insert: up to half of the VMAs of one or many equal spaces go, at random, and come back. */
function measureChanges(kind: VmaIndexKind, count: number): [erase: number, insert: number] {
  const copies = Array.from({ length: Math.ceil(CHANGES / count) }, () => fill(kind, count));
  const victims = Math.min(count >> 1, CHANGES);
  let erase = Number.POSITIVE_INFINITY;
  let insert = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const rng = new Rng(round + 1);
    const chosen = copies.map(({ vmas }) => {
      const shuffled = [...vmas];
      for (let i = 0; i < victims; i++) {
        const j = i + rng.below(count - i);
        [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
      }
      return shuffled.slice(0, victims);
    });
    const start = performance.now();
    for (const [c, { index }] of copies.entries()) for (const vma of chosen[c]) index.erase(vma);
    const middle = performance.now();
    for (const [c, { index }] of copies.entries()) for (const vma of chosen[c]) index.insert(vma);
    const end = performance.now();
    const operations = victims * copies.length;
    erase = Math.min(erase, ((middle - start) * 1e6) / operations);
    insert = Math.min(insert, ((end - middle) * 1e6) / operations);
  }
  for (const { index } of copies) if (index.findBroken() !== null) throw new Error(`${kind} is broken`);
  return [erase, insert];
}

let kept = 0;
function keep(value: number): void {
  kept = (kept + value) % 1_000_003;
}

/** One index: ns by operation and count, in the order of the table. */
function measureKind(kind: VmaIndexKind): number[] {
  // The compiler sees every operation before anything counts.
  const warm = fill(kind, 1_000);
  for (const { step } of OPERATIONS) for (let i = 0; i < 20; i++) keep(step(warm, new Rng(i), 200));
  return COUNTS.flatMap((count) => {
    const filled = fill(kind, count);
    const results = OPERATIONS.map((operation) => measure(operation, filled));
    if (filled.index.findBroken() !== null) throw new Error(`${kind} is broken`);
    return [...results, ...measureChanges(kind, count)];
  });
}

const NAMES = [...OPERATIONS.map(({ name }) => name), 'erase', 'insert'];

function printTable(results: readonly (readonly number[])[]): void {
  const names = VMA_INDEX_KINDS.map((kind) => kind.padStart(11)).join('');
  console.log(`${'ns an operation'.padEnd(18)}${'VMAs'.padStart(7)}${names}    list/maple  avl/maple  rbtree/maple`);
  for (const [c, count] of COUNTS.entries())
    for (const [o, name] of NAMES.entries()) {
      const ns = results.map((each) => each[c * NAMES.length + o]);
      const maple = ns[ns.length - 1];
      const cells = ns.map((each) => each.toFixed(each < 100 ? 1 : 0).padStart(11)).join('');
      const ratios = ns.slice(0, -1).map((each) => (each / maple).toFixed(each / maple < 10 ? 2 : 0));
      const columns = `${ratios[0].padStart(14)}${ratios[1].padStart(11)}${ratios[2].padStart(14)}`;
      console.log(`${name.padEnd(18)}${String(count).padStart(7)}${cells}${columns}`);
    }
}

// A process for each index: what one does to the compiler's picture of the code does not touch the next.
const only = VMA_INDEX_KINDS.find((kind) => process.argv.includes(`--only=${kind}`));
if (only !== undefined) console.log(JSON.stringify({ ns: measureKind(only), kept }));
else
  printTable(
    VMA_INDEX_KINDS.map((kind) => {
      const args = [fileURLToPath(import.meta.url), `--only=${kind}`, ...process.argv.slice(2)];
      return (JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as { ns: number[] }).ns;
    }),
  );
