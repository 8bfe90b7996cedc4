/** Memory over time: each sample and each peak is what /proc says there. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decompressSection } from '../../cli/decompress-section.ts';
import {
  AttributedRun,
  PeakGrowth,
  ResidentPeaks,
  type SpacePeak,
  type System,
  sampleMemory,
} from '../../src/index.ts';
import { compileProgram, makeWatched, spawnWatched } from './watched-machine.ts';

const PAGE = 4096;

interface Case {
  readonly source: string;
  readonly memoryMiB: number;
  readonly everyNs: number;
  readonly pids: readonly number[];
  readonly swaps: boolean;
}

const CASES: readonly Case[] = [
  { source: 'forks.c', memoryMiB: 64, everyNs: 50_000, pids: [6, 7, 8, 9], swaps: false },
  // Ten megabytes, and less of RAM: the machine reclaims and swaps.
  { source: '../../cli/rounds.c', memoryMiB: 8, everyNs: 500_000, pids: [6], swaps: true },
];

async function compile(source: string): Promise<string> {
  return compileProgram(join(import.meta.dirname, 'programs', source));
}

function start(program: string, memoryMiB: number, watch: (kernel: System['kernel']) => void): System {
  const system = makeWatched(program, { memoryMiB });
  watch(system.kernel);
  spawnWatched(system, [program]);
  return system;
}

function mappedFrames({ mm }: System['kernel']): number {
  const { frames } = mm;
  let count = 0;
  for (let frame = 0; frame < frames.frameCount; frame++) {
    const isZeroPage = frame === mm.zeroPage || frame === mm.thp.zeroPage;
    if (!isZeroPage && frames.mappingsOf(frame as typeof mm.zeroPage) > 0) count++;
  }
  return count;
}

describe.each(CASES)('$source with $memoryMiB MiB', ({ source, memoryMiB, everyNs, pids, swaps }) => {
  it('its samples are what statm and smaps_rollup say, and PSS adds up to the frames that are mapped', async () => {
    const system = start(await compile(source), memoryMiB, () => {});
    const { kernel } = system;
    const read = (path: string): string => new TextDecoder().decode(system.readFile(path) as Uint8Array);
    let [mostProcesses, mostSwap] = [0, 0];
    for (let ns = everyNs; system.run({ untilNs: ns }) !== 'exited'; ns += everyNs) {
      const { processes } = sampleMemory(kernel);
      mostProcesses = Math.max(mostProcesses, processes.length);
      for (const { pid, vss, rss, pss, swap, cmdline } of processes) {
        const [size, resident] = read(`/proc/${pid}/statm`).split(' ').map(Number);
        expect([vss / PAGE, rss / PAGE]).toEqual([size, resident]);
        const rollup = read(`/proc/${pid}/smaps_rollup`);
        expect(rollup).toMatch(new RegExp(`^Pss: +${Math.floor(pss / 1024)} kB$`, 'm'));
        expect(rollup).toMatch(new RegExp(`^Swap: +${swap / 1024} kB$`, 'm'));
        expect(cmdline).toMatch(/forks|rounds/);
        mostSwap = Math.max(mostSwap, swap);
      }
      const pss = processes.reduce((sum, process) => sum + process.pss, 0);
      expect(Math.round(pss / PAGE)).toBe(mappedFrames(kernel));
    }
    expect(mostProcesses).toBe(Math.min(2, pids.length));
    expect(mostSwap > 0).toBe(swaps);
    system.shutdown();
  });

  it('its peaks are VmHWM, and what has grown adds up to the peak', async () => {
    const program = await compile(source);
    let peaks: ResidentPeaks | undefined;
    const hiwater = new Map<number, number>();
    const first = start(program, memoryMiB, (kernel) => {
      peaks = new ResidentPeaks(kernel);
      kernel.afterTrap = () => {
        for (const space of kernel.mm.spaces) hiwater.set(space.id, space.hiwaterRssPages);
      };
    });
    while (first.run({ instructions: 1e7 }) !== 'exited');
    first.shutdown();
    const { peakPages, peakMap, peakNs } = peaks as ResidentPeaks;
    const found: readonly SpacePeak[] = (peaks as ResidentPeaks).list();
    expect(found.map(({ pid }) => pid).sort()).toEqual(pids);
    for (const { space, pages } of found) expect(pages).toBe(hiwater.get(space));

    let run: AttributedRun | undefined;
    let growth: PeakGrowth | undefined;
    let maps = 0;
    const second = start(program, memoryMiB, (kernel) => {
      run = new AttributedRun(kernel, decompressSection);
      growth = new PeakGrowth(kernel, run, peakPages);
    });
    second.on(['faultline:page_map'], () => maps++);
    while (maps < peakMap) second.run({ instructions: 1 });
    const { pages } = (run as AttributedRun).attribution;
    expect([pages.peakPages, pages.peakNs]).toEqual([peakPages, peakNs]);
    const { sincePages, sinceNs } = growth as PeakGrowth;
    const grown = (growth as PeakGrowth).list().reduce((sum, { grownBytes }) => sum + grownBytes, 0);
    expect(grown).toBe((peakPages - sincePages) * PAGE);
    expect(sincePages).toBeGreaterThanOrEqual(peakPages / 2);
    expect(sinceNs).toBeLessThan(peakNs);
    second.shutdown();
  });
});
