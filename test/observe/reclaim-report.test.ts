/** Each page that reclaim takes is told of with its reason, and the sums are /proc/vmstat's counters, under each policy. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import {
  AttributedRun,
  Evictions,
  GuardedPolicies,
  makeReclaimReport,
  RECLAIM_POLICIES,
  type ReclaimReport,
  ScanTally,
  type System,
} from '../../src/index.ts';
import { FifoPolicy } from '../../src/mm/reclaim/fifo.ts';
import type { ReclaimPolicies } from '../../src/mm/reclaim/kinds.ts';
import { compileProgram, makeWatched, runWatched } from './watched-machine.ts';

type Vmstat = System['kernel']['vmstat'];

interface Outcome {
  readonly report: ReclaimReport;
  readonly vmstat: Vmstat;
  readonly refaults: number;
}

interface Run {
  readonly watched?: 'watched' | 'alone';
  readonly memoryMiB?: number;
}

async function reclaim(
  source: string,
  policy: (typeof RECLAIM_POLICIES)[number] | ReclaimPolicies,
  { watched = 'watched', memoryMiB = 8 }: Run = {},
): Promise<Outcome> {
  const compiled = await compileProgram(join(import.meta.dirname, source));
  const system = makeWatched(compiled, { memoryMiB, swapMiB: 32, reclaim: policy });
  const { kernel } = system;
  const run = new AttributedRun(kernel, decompressSection);
  const evictions = watched === 'watched' ? new Evictions(kernel, run) : null;
  const tally = new ScanTally(kernel);
  runWatched(system, [compiled]);
  run.close();
  evictions?.close();
  tally.close();
  const { stat } = kernel.mm.alloc;
  const report =
    evictions === null
      ? ({} as ReclaimReport)
      : makeReclaimReport(run, evictions, tally, { policy: kernel.mm.reclaimer.policyName, nowNs: kernel.clock.nowNs });
  const outcome = {
    report,
    vmstat: { ...kernel.vmstat },
    refaults: stat.workingset_refault_anon + stat.workingset_refault_file,
  };
  system.shutdown();
  return outcome;
}

/** What each policy says of its victims. */
const REASONS: Readonly<Record<(typeof RECLAIM_POLICIES)[number], readonly string[]>> = {
  mglru: ['generation'],
  'two-list': ['inactive'],
  fifo: ['first_in'],
  random: ['random'],
  clock: ['unreferenced'],
  nru: ['unreferenced', 'referenced'],
  'aging-2.4': ['aged'],
  lru: ['least_recent'],
  arc: ['recent_list', 'frequent_list'],
  'clock-pro': ['cold'],
};

describe.each(RECLAIM_POLICIES.map((policy) => [policy] as const))('under %s', (policy) => {
  it('has the sums of vmstat, and a reason for each', async () => {
    const { report, vmstat, refaults } = await reclaim('../cli/rounds.c', policy);
    const { total, scans, groups, causes, pages } = report;
    const by = (name: string) => scans.find((each) => each.by === name);
    expect([by('kswapd')?.scanned ?? 0, by('direct')?.scanned ?? 0]).toEqual([
      vmstat.pgscan_kswapd,
      vmstat.pgscan_direct,
    ]);
    expect([by('kswapd')?.reclaimed ?? 0, by('direct')?.reclaimed ?? 0]).toEqual([
      vmstat.pgsteal_kswapd,
      vmstat.pgsteal_direct,
    ]);
    for (const row of scans)
      expect(row.reclaimed + row.activated + row.refKeep + row.dirty + row.writeback + row.otherKeep).toBe(row.scanned);
    expect(total.reclaimed).toBe(vmstat.pgsteal_kswapd + vmstat.pgsteal_direct);
    expect(total.refaults).toBe(refaults);
    expect(total.back).toBe(refaults);
    for (const each of [groups, causes])
      expect(each.reduce((sum, group) => sum + group.pages, 0)).toBe(total.reclaimed + total.asked);
    expect(pages.filter(({ how }) => how === 'swapped').length).toBe(vmstat.pswpout);
    expect(total.reclaimed).toBeGreaterThan(1000);
    for (const { why } of pages) expect(REASONS[policy]).toContain(why);
    const mine = groups[0];
    expect([mine.process.endsWith('/6'), mine.place]).toEqual([true, 'main rounds.c:10']);
    expect(report.ages).toBe(policy === 'lru' || policy === 'arc' ? 'accessed bits' : 'references');
  }, 120_000);
});

it('does not change the run by looking', async () => {
  for (const policy of ['mglru', 'two-list'] as const) {
    const [watched, alone] = [
      await reclaim('../cli/rounds.c', policy),
      await reclaim('../cli/rounds.c', policy, { watched: 'alone' }),
    ];
    expect([watched.vmstat, watched.refaults]).toEqual([alone.vmstat, alone.refaults]);
  }
}, 120_000);

it('tells of what was asked for: MADV_PAGEOUT, POSIX_FADV_DONTNEED, drop_caches', async () => {
  const { report } = await reclaim('programs/asked.c', 'mglru');
  const asked = report.groups.filter(({ why }) => ['pageout', 'fadvise', 'drop_caches'].includes(why));
  const pages = (why: string): number =>
    asked.filter((each) => each.why === why).reduce((sum, each) => sum + each.pages, 0);
  expect(pages('pageout')).toBe(40);
  // The program's file has some ten pages that nobody maps, each read again.
  expect(pages('fadvise')).toBeGreaterThan(5);
  expect(pages('drop_caches')).toBeGreaterThanOrEqual(pages('fadvise'));
  const pageout = asked.find(({ why }) => why === 'pageout');
  expect(pageout?.place).toMatch(/^main asked\.c:\d+$/);
  expect([pageout?.back, pageout?.wanted]).toEqual([10, 10]);
  expect(report.causes.some(({ by, stack }) => by === 'asked' && stack[0] === 'sys_madvise')).toBe(true);
  expect(pageout?.unusedNs).toBeGreaterThan(0);
}, 120_000);

it('tells of what the limit of a memory cgroup made go', async () => {
  // Memory is not short, but in the cgroup.
  const { report, vmstat } = await reclaim('programs/limited.c', 'mglru', { memoryMiB: 64 });
  const { causes, groups, total } = report;
  expect([vmstat.pgsteal_direct, vmstat.pgsteal_kswapd]).toEqual([total.reclaimed, 0]);
  // Of 768 pages, touched twice over, a third has room; what was taken is all wanted back in the second round.
  expect([total.reclaimed > 1024, total.wanted]).toEqual([true, 768]);
  for (const { by, memcg, process } of causes)
    expect([by, memcg > 0, process.endsWith('/6')]).toEqual(['limit', true, true]);
  expect(causes[0].stack[0]).toMatch(/^main limited\.c:\d+$/);
  expect([groups[0].why, groups[0].how, groups[0].place]).toEqual(['generation', 'swapped', causes[0].stack[0]]);
}, 120_000);

it("has the words of a user's policy, and only those that there are", async () => {
  /** The oldest first; what is said of them by turns. */
  class Talkative extends FifoPolicy {
    private turn = 0;
    protected override get why(): never {
      return SAID[this.turn++ % SAID.length] as never;
    }
  }
  const SAID = ['cold', 'aged', 'I like it', 'pageout', undefined];
  const policy = new GuardedPolicies('talkative.mjs', ({ frameCount }) => new Talkative(frameCount));
  const { report, vmstat } = await reclaim('../cli/rounds.c', policy);
  const { pages, total } = report;
  expect([pages.length, total.asked]).toEqual([vmstat.pgsteal_direct + vmstat.pgsteal_kswapd, 0]);
  const share = (said: string): number => pages.filter(({ why }) => why === said).length / pages.length;
  expect(share('cold')).toBeCloseTo(1 / 5, 2);
  expect(share('aged')).toBeCloseTo(1 / 5, 2);
  expect(share('policy')).toBeCloseTo(3 / 5, 2);
}, 120_000);
