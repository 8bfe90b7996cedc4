/** What forks share and what is copied for them: against the page tables at every trap, and the kernel's counters. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import { AttributedRun, ForkCalls, type ForkReport, makeForkReport, type System } from '../../src/index.ts';
import { PG_anon } from '../../src/mm/phys/page-flags.ts';
import { DEBIAN_DYNAMIC_ROOT, debianFile, HOW_TO_GET, HOW_TO_GET_DYNAMIC, hasDynamicRoot } from '../programs/debian.ts';
import { compileProgram, makeWatched, runWatched } from './watched-machine.ts';

interface Machine {
  readonly memoryMiB?: number;
  readonly root?: string;
  readonly checks?: 'each trap' | 'the sums';
}

type Kernel = System['kernel'];
type Space = Kernel['mm']['spaces'] extends ReadonlySet<infer Each> ? Each : never;

/** Anonymous pages that both have at the same address. */
function sharedNow({ mm }: Kernel, parent: Space, child: Space): number {
  const { pageTables, frames, zeroPage } = mm;
  let count = 0;
  for (let vma = child.vmas.first(); vma !== null; vma = child.vmas.next(vma))
    for (let page = vma.startVpn; page < vma.endVpn; page++) {
      const [own, other] = [child, parent].map((space) => {
        const slot = pageTables.findEntry(space, page);
        return slot === -1 ? 0 : pageTables.read(slot);
      });
      if (!pageTables.isMapped(own) || !pageTables.isMapped(other)) continue;
      const frame = pageTables.frameOf(own);
      if (frame === zeroPage || frame !== pageTables.frameOf(other)) continue;
      if ((frames.flags[frames.headOf(frame)] & PG_anon) !== 0) count++;
    }
  return count;
}

function reportOf(argv: readonly string[], { memoryMiB = 128, root, checks = 'the sums' }: Machine): ForkReport {
  const system = makeWatched(argv[0], { memoryMiB, swapMiB: 64, root });
  const { kernel } = system;
  const run = new AttributedRun(kernel, decompressSection);
  const calls = new ForkCalls(kernel, run);
  let compared = 0;
  if (checks === 'each trap')
    kernel.afterTrap = () => {
      const spaces = new Map([...kernel.mm.spaces].map((space) => [space.id, space]));
      for (const share of run.attribution.shares.forks) {
        const [parent, child] = [spaces.get(share.parent), spaces.get(share.child)];
        if (share.end !== null || parent === undefined || child === undefined) continue;
        // What was unmapped last counts until something else happens.
        expect(Math.abs(share.stillShared - sharedNow(kernel, parent, child))).toBeLessThanOrEqual(1);
        compared++;
      }
    };
  runWatched(system, argv);
  run.close();
  calls.close();
  if (checks === 'each trap') expect(compared).toBeGreaterThan(100);
  const report = makeForkReport(run, calls, kernel.clock.nowNs);
  const stats = system.stats({ wallMs: 0 });
  const { copiedByParent, copiedByChild, otherCopies, forks, vforks } = report.total;
  expect(copiedByParent + copiedByChild + otherCopies).toBe(stats.faults.cowCopy);
  expect(otherCopies).toBeGreaterThanOrEqual(0);
  expect(forks + vforks).toBeLessThanOrEqual(stats.forks);
  expect(report.copiers.reduce((sum, { copies }) => sum + copies, 0)).toBe(copiedByParent + copiedByChild);
  for (const fork of report.forks) {
    const { sharedPages, stillShared, erosion } = fork;
    expect(stillShared).toBeLessThanOrEqual(sharedPages);
    // Each page is written to once at most as its own by either side.
    expect(fork.copiedByParent + fork.reusedByParent).toBeLessThanOrEqual(sharedPages);
    expect(fork.copiedByChild + fork.reusedByChild).toBeLessThanOrEqual(sharedPages);
    erosion.slice(1).forEach(([sinceNs, pages], at) => {
      expect(pages).toBeLessThanOrEqual(erosion[at][1]);
      expect(sinceNs).toBeGreaterThanOrEqual(erosion[at][0]);
    });
    const isCounted = fork.how === 'vfork' || (fork.callNs !== null && fork.callNs > 50 * sharedPages);
    expect(isCounted).toBe(true);
  }
  system.shutdown();
  return report;
}

async function compile(source: string): Promise<string> {
  return compileProgram(join(import.meta.dirname, source));
}

describe('what forks share and copy', () => {
  it('is what the page tables say at every trap, and by whom', async () => {
    const { forks, total } = reportOf([await compile('programs/forks.c')], { checks: 'each trap' });
    expect(forks.map(({ sharedPages }) => sharedPages > 500)).toEqual([true, true, true]);
    expect(forks.map(({ copiedByChild }) => Math.floor(copiedByChild / 50))).toEqual([2, 4, 0]);
    expect(forks.map(({ copiedByParent }) => Math.floor(copiedByParent / 50))).toEqual([0, 0, 1]);
    expect(forks.map(({ end }) => end?.how)).toEqual(['exit', 'exit', 'exit']);
    expect(total.vforks).toBe(0);
  }, 120_000);

  it('in a memory that is too small, through swap', async () => {
    const { forks } = reportOf([await compile('programs/forks.c')], { memoryMiB: 4 });
    expect(forks.map(({ copiedByChild }) => Math.floor(copiedByChild / 50))).toEqual([2, 4, 0]);
  }, 120_000);

  it('of a grandchild after its parent has gone, of vfork, and of children that execute', async () => {
    const { forks, spawn } = reportOf([await compile('programs/families.c')], {});
    expect(forks.map(({ how, end }) => [how, end?.how])).toEqual([
      ['fork', 'exit'],
      ['fork', 'exit'],
      ['vfork', 'exit'],
      ['fork', 'exec'],
    ]);
    const [first, second] = forks;
    // Its stack, before it ends.
    expect([second.endedBy, second.copiedByParent <= 2]).toEqual(['parent', true]);
    // The grandmother writes what the grandchild alone has still.
    expect(first.copiedByParent).toBeGreaterThanOrEqual(40);
    expect(first.endedBy).toBe('child');
    expect([spawn.forks, spawn.savedNs > 10_000]).toEqual([1, true]);
  }, 120_000);

  it.skipIf(debianFile('usr/bin/busybox') === null)(
    `of a pipeline of busybox ${HOW_TO_GET}`,
    () => {
      const script = 'for i in 1 2 3; do echo $i; done | sort -r | head -n 2; (busybox true; echo b) | cat';
      const { forks } = reportOf([debianFile('usr/bin/busybox') as string, 'sh', '-c', script], {});
      expect(forks.length).toBeGreaterThanOrEqual(5);
    },
    120_000,
  );

  it.skipIf(!hasDynamicRoot)(
    `of sqlite3, which runs a program ${HOW_TO_GET_DYNAMIC}`,
    () => {
      const sql = [
        'create table t(a)',
        'insert into t select value from generate_series(1,2000)',
        '.shell /usr/bin/sqlite3 :memory: "select 2"',
      ];
      const { forks } = reportOf(['/usr/bin/sqlite3', ':memory:', ...sql], { root: DEBIAN_DYNAMIC_ROOT });
      expect(forks.length).toBeGreaterThanOrEqual(1);
    },
    120_000,
  );
});
