import { readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { RunStats } from '../src/index.ts';
import { runQuietly } from './quiet-run.ts';

/** One run of the ladder, with so much memory, under a policy. */
export interface Rung {
  readonly memoryBytes: number;
  readonly policy: string;
}

export interface RungResult extends Rung {
  /** Of the program; 128 + N after signal N. */
  readonly exitStatus: number;
  /** null: the run itself could not be made. */
  readonly stats: Counters | null;
  /** The first line of standard error, where there are no stats. */
  readonly failure: string | null;
}

export type Counters = Pick<RunStats, 'virtualNs' | 'pgfault' | 'pgmajfault' | 'time' | 'pressure' | 'swap'>;

export interface RungRequest {
  /** Options of `faultline run`, as they were given. */
  readonly options: readonly string[];
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly input: Uint8Array;
  readonly folder: string;
}

/** Runs them all, as many at a time as there are processors; `onDone` after each. In the order given. */
export async function climb(
  rungs: readonly Rung[],
  request: RungRequest,
  onDone: (count: number) => void,
): Promise<RungResult[]> {
  const results: RungResult[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < rungs.length) {
      const at = next++;
      results[at] = await runRung(rungs[at], at, request);
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), rungs.length) }, work));
  return results;
}

async function runRung(
  rung: Rung,
  number: number,
  { options, command, input, folder }: RungRequest,
): Promise<RungResult> {
  const file = join(folder, `stats-${number}.json`);
  const own = ['--memory', String(rung.memoryBytes), '--reclaim', rung.policy, '--stats-json', file];
  const { exitStatus, errors } = await runQuietly([...options, ...own, ...command], input);
  const stats = readStats(file);
  const failure =
    stats === null ? (errors.split('\n').find((line) => line.startsWith('faultline:')) ?? 'no word') : null;
  return { ...rung, exitStatus, stats, failure };
}

function readStats(file: string): Counters | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counters;
  } catch {
    return null;
  } finally {
    rmSync(file, { force: true });
  }
}
