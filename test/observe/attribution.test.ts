/** What is put down to code adds up to the kernel's counters, at every trap and by every key. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import {
  ATTRIBUTION_KEYS,
  AttributedRun,
  type AttributionTable,
  type RunStats,
  type SourcePlace,
} from '../../src/index.ts';
import { DEBIAN_DYNAMIC_ROOT, debianFile, HOW_TO_GET, HOW_TO_GET_DYNAMIC, hasDynamicRoot } from '../programs/debian.ts';
import { compileProgram, makeWatched, runWatched } from './watched-machine.ts';

interface Outcome {
  readonly tables: readonly AttributionTable[];
  readonly stats: RunStats;
  readonly run: AttributedRun;
}

interface Machine {
  readonly root?: string;
  readonly memoryMiB?: number;
  readonly swapMiB?: number;
}

function attribute(argv: readonly string[], { root, memoryMiB = 128, swapMiB = 0 }: Machine): Outcome {
  const system = makeWatched(argv[0], { memoryMiB, swapMiB, root });
  const { kernel } = system;
  const run = new AttributedRun(kernel, decompressSection, { tlbMisses: 'by code' });
  const { pages } = run.attribution;
  let peak = 0;
  kernel.afterTrap = () => {
    let resident = 0;
    for (const space of kernel.mm.spaces) resident += space.rssPages;
    if (resident !== pages.pages) throw new Error(`${pages.pages} pages are put down, ${resident} are resident`);
    peak = Math.max(peak, resident);
  };
  runWatched(system, argv);
  run.close();
  // Within a trap more may be resident than before and behind it.
  expect(pages.peakPages).toBeGreaterThanOrEqual(peak);
  const stats = system.stats({ wallMs: 0 });
  system.shutdown();
  return { tables: ATTRIBUTION_KEYS.map((key) => run.tables.by(key)), stats, run };
}

function expectExact({ tables, stats, run }: Outcome): void {
  for (const { by, total, entries } of tables) {
    const sum = (value: (entry: (typeof entries)[number]) => number): number =>
      entries.reduce((sofar, entry) => sofar + value(entry), 0);
    for (const kind of Object.keys(stats.faults) as (keyof RunStats['faults'])[]) {
      expect(total.faultsByKind[kind], kind).toBe(stats.faults[kind]);
      expect(
        sum((entry) => entry.faultsByKind[kind]),
        `${kind} by ${by}`,
      ).toBe(stats.faults[kind]);
    }
    expect(sum((entry) => entry.majorFaults)).toBe(total.majorFaults);
    expect(sum((entry) => entry.swapIns)).toBe(stats.swap.ins + stats.swap.zeroIns);
    expect(sum((entry) => entry.tlbMisses)).toBe(stats.tlbMisses);
    // All of them are of some code.
    if (by === 'function')
      expect(entries.find(({ symbol, tlbMisses }) => symbol === '[not by code]' && tlbMisses > 0)).toBeUndefined();
    expect(sum((entry) => entry.cowCopies)).toBe(total.cowCopies);
    expect(sum((entry) => entry.residentBytes)).toBe(run.attribution.pages.pages * 4096);
    expect(sum((entry) => entry.peakBytes)).toBe(run.attribution.pages.peakPages * 4096);
  }
}

async function compile(source: string): Promise<string> {
  return compileProgram(join(import.meta.dirname, source));
}

describe('attribution', () => {
  it('of copies to the forks that made pages shared', async () => {
    const outcome = attribute([await compile('programs/forks.c')], {});
    expectExact(outcome);
    const functions = outcome.tables[0];
    const by = (name: string) => functions.entries.find(({ symbol }) => symbol === name);
    // The first page has the allocator's header, and was there before.
    expect(by('fill')?.faults).toBeGreaterThanOrEqual(499);
    expect(by('child_work')?.cowByFork).toEqual([
      { fork: 0, copies: 100 },
      { fork: 1, copies: 200 },
    ]);
    expect(by('parent_work')?.cowByFork).toEqual([{ fork: 2, copies: 50 }]);
    expect(functions.forks.length).toBe(3);
    expect(functions.forks[0].stack.some((place) => place.startsWith('main forks.c:'))).toBe(true);
  }, 120_000);

  it('of refaults and pages from swap, in a memory that is too small', async () => {
    const outcome = attribute([await compile('../cli/rounds.c')], { memoryMiB: 8, swapMiB: 32 });
    expectExact(outcome);
    const [line] = outcome.tables[1].entries;
    expect([line.symbol, line.line > 0, line.refaults > 5000]).toEqual(['main', true, true]);
    expect(outcome.tables[1].total.majorFaults).toBe(outcome.stats.pgmajfault);
  }, 120_000);

  it.skipIf(debianFile('usr/bin/busybox') === null)(
    `of a pipeline of busybox ${HOW_TO_GET}`,
    () => {
      const script = 'for i in 1 2 3; do echo $i; done | sort -r | head -n 2; cat /proc/self/maps | wc -l';
      expectExact(attribute([debianFile('usr/bin/busybox') as string, 'sh', '-c', script], {}));
    },
    120_000,
  );

  it.skipIf(!hasDynamicRoot)(
    `of sqlite3, through its libraries ${HOW_TO_GET_DYNAMIC}`,
    () => {
      const sql =
        'create table t(a,b); insert into t select value, hex(randomblob(40)) from generate_series(1,2000); select count(*), max(b) from t order by 1;';
      const outcome = attribute(['/usr/bin/sqlite3', ':memory:', sql], { root: DEBIAN_DYNAMIC_ROOT });
      expectExact(outcome);
      const { stacks, sources, attribution } = outcome.run;
      const ends = attribution.rows
        .filter(({ stack, faults }) => stack !== 0 && faults.some((count) => count > 0))
        .map(({ stack }) => sources.ofStack(stacks.framesOf(stack)));
      // Stripped, and unwound to where the program, or the dynamic linker, begins.
      const isWhole = (places: readonly SourcePlace[]): boolean =>
        places.some(({ symbol }) => symbol === '__libc_start_main') ||
        places.at(-1)?.module.includes('ld-linux') === true;
      const whole = ends.filter(isWhole);
      expect(whole.length / ends.length).toBeGreaterThan(0.9);
      expect(ends.some((places) => places.some(({ module }) => module.includes('libsqlite3')))).toBe(true);
    },
    120_000,
  );
});
