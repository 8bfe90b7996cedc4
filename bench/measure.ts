import type { Platform, PlatformName } from './platforms.ts';
import type { Row } from './rows.ts';
import type { Sample } from './sample.ts';

/** A row on one platform. */
export interface Figure {
  /** Median of the rounds, ns an operation; null where the platform cannot do it: then `why`. */
  readonly ns: number | null;
  readonly why: string;
  /** Best and worst of the rounds. */
  readonly least: number;
  readonly most: number;
  /** Of Faultline: the largest resident set of the host's process, and of one process of the guest, MiB. */
  readonly hostMiB: number;
  readonly guestMiB: number;
}

export interface Result {
  readonly row: Row;
  readonly figures: ReadonlyMap<PlatformName, Figure>;
}

export interface Effort {
  readonly rounds: number;
  /** What one measured stretch should take, ms: longer than what the host's scheduler does to it. */
  readonly targetMs: number;
  /** 'cpu': CPU time, of all threads of Faultline's process too: for a machine that is busy with other things. */
  readonly time: 'wall' | 'cpu';
}

const MAX_COUNT = 1e8;
/** A stretch of less says nothing of the speed. */
const LEAST_MS = 8;
/** How much longer Faultline runs: the first run of all is a cold one, so its count is too small. */
const WARM_FACTOR = 2;

/**
 * Measures one row on all platforms, interleaved: round after round, so that what else the machine does meets all of them alike.
 * Each platform gets the count of operations that takes it about `targetMs`.
 */
export function measureRow(row: Row, platforms: readonly Platform[], effort: Effort): Result {
  const counts = new Map<Platform, number>();
  const samples = new Map<Platform, number[]>();
  const figures = new Map<PlatformName, Figure>();
  const memory = { hostMiB: 0, guestMiB: 0 };
  let check: string | null = null;
  for (const platform of platforms) {
    const first = platform.run(row, row.start);
    const why = whyNot(first, check);
    if (first !== null && why === '') {
      check ??= first.check;
      counts.set(platform, chooseCount(row, platform, first, effort));
      samples.set(platform, []);
    } else figures.set(platform.name, { ns: null, why, least: 0, most: 0, ...memory });
  }
  for (let round = 0; round < effort.rounds; round++)
    for (const [platform, count] of counts) {
      const sample = platform.run(row, count);
      if (sample === null || sample.failed !== null) continue;
      samples.get(platform)!.push(timeOf(sample, effort) / count);
      memory.hostMiB = Math.max(memory.hostMiB, (sample.hostKb ?? 0) / 1024);
      memory.guestMiB = Math.max(memory.guestMiB, (sample.guestKb ?? 0) / 1024);
    }
  for (const [platform, all] of samples) {
    all.sort((a, b) => a - b);
    const has = all.length > 0;
    const ours = platform.name === 'faultline' ? memory : { hostMiB: 0, guestMiB: 0 };
    figures.set(platform.name, {
      ns: has ? median(all) : null,
      why: has ? '' : 'all runs failed',
      least: all[0] ?? 0,
      most: all.at(-1) ?? 0,
      ...ours,
    });
  }
  return { row, figures };
}

function whyNot(sample: Sample | null, check: string | null): string {
  if (sample === null) return 'not installed';
  if (sample.failed !== null) return `failed: ${sample.failed}`;
  if (sample.skipped !== null) return sample.skipped;
  return check !== null && sample.check !== check ? `a wrong result: ${sample.check}, not ${check}` : '';
}

function timeOf(sample: Sample, { time }: Effort): number {
  return time === 'cpu' ? sample.cpuNs : sample.ns;
}

function chooseCount(row: Row, platform: Platform, first: Sample, effort: Effort): number {
  const most = row.most ?? MAX_COUNT;
  // In Faultline a short stretch is a cold one, in which an operation takes ten times as long.
  const leastNs = (platform.name === 'faultline' ? Math.max(LEAST_MS, effort.targetMs) : LEAST_MS) * 1e6;
  let count = row.start;
  let ns = timeOf(first, effort);
  while (ns < leastNs && count < most) {
    count = Math.min(most, count * 6);
    const sample = platform.run(row, count);
    if (sample !== null) ns = timeOf(sample, effort);
  }
  const targetNs = effort.targetMs * 1e6 * (platform.name === 'faultline' ? WARM_FACTOR : 1);
  return Math.max(row.start, Math.min(most, Math.ceil((count * targetNs) / Math.max(ns, 1))));
}

/** Of a sorted list that is not empty. */
export function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
