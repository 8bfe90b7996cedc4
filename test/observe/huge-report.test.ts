/** What huge pages gave, and what they could have given: against the kernel's counters, and against the same run with them. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import { AttributedRun, HugeRanges, type HugeReport, HugeTally, makeHugeReport, type System } from '../../src/index.ts';
import { sizesOfSpace } from '../../src/kernel/procfs/smaps.ts';
import { DEBIAN_DYNAMIC_ROOT, HOW_TO_GET_DYNAMIC, hasDynamicRoot } from '../programs/debian.ts';
import { compileProgram, makeWatched, runWatched } from './watched-machine.ts';

interface Wish {
  readonly enabled?: 'always' | 'madvise' | 'never';
  readonly memoryMiB?: number;
  readonly root?: string;
}

interface Outcome {
  readonly report: HugeReport;
  readonly vmstat: System['kernel']['vmstat'];
  readonly faults: number;
}

function run(argv: readonly string[], { enabled = 'never', memoryMiB = 64, root }: Wish): Outcome {
  const system = makeWatched(argv[0], { memoryMiB, swapMiB: 64, root });
  const { kernel } = system;
  kernel.mm.thp.enabled = enabled;
  const attributed = new AttributedRun(kernel, decompressSection);
  const ranges = new HugeRanges(kernel, attributed);
  const tally = new HugeTally(kernel, attributed);
  // What smaps says of all spaces together, at many traps.
  let traps = 0;
  kernel.afterTrap = () => {
    if (traps++ % 61 !== 0) return;
    const sizes = [...kernel.mm.spaces].map((space) => sizesOfSpace(kernel.mm, space));
    const sum = (value: (each: (typeof sizes)[number]) => number): number =>
      sizes.reduce((total, each) => total + value(each), 0);
    expect([ranges.anonBytes, ranges.hugeBytes]).toEqual([sum((each) => each.anonymous), sum((each) => each.anonHuge)]);
  };
  runWatched(system, argv);
  attributed.close();
  ranges.close();
  tally.close();
  const report = makeHugeReport(kernel, attributed, ranges, tally);
  const { vmstat } = kernel;
  const count = (what: string): number =>
    report.events.filter((event) => event.what === what).reduce((sum, event) => sum + event.count, 0);
  for (const what of [
    'thp_fault_alloc',
    'thp_fault_fallback',
    'thp_collapse_alloc',
    'thp_collapse_alloc_failed',
    'thp_split_pmd',
    'thp_split_page',
    'thp_split_page_failed',
    'thp_deferred_split_page',
    'thp_underused_split_page',
    'thp_swpout_fallback',
  ] as const)
    expect(count(what), what).toBe(vmstat[what]);
  expect(report.total.faulted).toBe(vmstat.thp_fault_alloc);
  const { actual, small, huge } = report.walks;
  expect([small >= actual, actual >= huge]).toEqual([true, true]);
  const faults = system.stats({ wallMs: 0 }).pgfault;
  const outcome = { report, vmstat: { ...vmstat }, faults };
  system.shutdown();
  return outcome;
}

async function compile(source: string): Promise<string> {
  return compileProgram(join(import.meta.dirname, source));
}

describe('huge pages', () => {
  it('could give what they give: pages, faults and bytes never touched, to the one', async () => {
    const program = await compile('programs/huge.c');
    const [without, with_] = [run([program], { enabled: 'never' }), run([program], { enabled: 'always' })];
    const could = without.report.total;
    expect([could.faulted, could.saved, could.bloat]).toEqual([0, 0, 0]);
    const had = with_.report.total;
    // Whole, ten pages, read and stored to, split: four that are written to; what is read alone has the page of zeroes.
    expect([could.couldRanges, had.faulted]).toEqual([4, 4]);
    expect(could.couldBloat).toBe(4 * 512 - 512 - 10 - 100 - 20);
    expect(could.couldSave).toBe(without.faults - with_.faults);
    expect(had.saved).toBe(could.couldSave);
    expect(had.bloat).toBe(could.couldBloat);
    expect(without.report.walks.could).toBeLessThan(without.report.walks.small);
    expect(could.laterRanges).toBeGreaterThanOrEqual(2);
    expect(with_.report.events.find(({ what }) => what === 'thp_split_pmd')?.why).toBe('sys_munmap');
  }, 120_000);

  it('with a memory that is too small, through swap and splits', async () => {
    const { report, vmstat } = run([await compile('../cli/rounds.c')], { enabled: 'always', memoryMiB: 12 });
    expect(vmstat.thp_split_page).toBeGreaterThan(0);
    expect(report.total.peakHugeBytes).toBeGreaterThan(0);
  }, 120_000);

  it('of a program that forks', async () => {
    for (const enabled of ['never', 'always'] as const) run([await compile('programs/forks.c')], { enabled });
  }, 120_000);

  it.skipIf(!hasDynamicRoot)(
    `of sqlite3 ${HOW_TO_GET_DYNAMIC}`,
    () => {
      const sql =
        'create table t(a,b); insert into t select value, hex(randomblob(400)) from generate_series(1,4000); select count(*), max(b) from t order by 1;';
      const { report } = run(['/usr/bin/sqlite3', ':memory:', sql], { root: DEBIAN_DYNAMIC_ROOT });
      expect(report.total.ranges).toBeGreaterThan(1);
    },
    120_000,
  );
});
