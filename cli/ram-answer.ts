import type { MemoryNeed } from '../src/index.ts';
import { grouped } from './numbers.ts';
import type { RungResult } from './ram-ladder.ts';
import { formatSize } from './size.ts';

/** A run that takes at most this many times as long as with all the memory that it wants is not slowed down. */
const TOLERANCE = 1.1;

export interface RamRow {
  readonly memoryBytes: number;
  readonly policy: string;
  /** 'ends' as with most memory; 'fails': it ends otherwise, or cannot run. */
  readonly outcome: 'ends' | 'fails';
  readonly why: string | null;
  readonly virtualNs: number | null;
  /** Times as long as with most memory. */
  readonly slowdown: number | null;
  readonly majorFaults: number | null;
  readonly swappedBytes: number | null;
  /** Shares of the virtual time. */
  readonly waitingForMemory: number | null;
  readonly waitingForDisk: number | null;
  /** PSI: in which some task waited for memory (/proc/pressure/memory), and in which all did. */
  readonly pressureSome: number | null;
  readonly pressureFull: number | null;
  /** Misses of the reference stream with so much memory. */
  readonly lruMisses: number | null;
  readonly optimalMisses: number | null;
  /** Standard error of lruMisses; 0 where all pages were looked at. */
  readonly lruError: number | null;
}

export interface RamAnswer {
  readonly sentence: string;
  /** For each policy: the least memory with which the run is not slowed down. */
  readonly knees: readonly { readonly policy: string; readonly memoryBytes: number }[];
  readonly rows: readonly RamRow[];
  /** Of the curves: references of the run, and the share of its pages that were looked at; null: there are none. */
  readonly references: number | null;
  readonly sampledShare: number | null;
}

/** The rows from most memory to least, for each policy; the first of each is what the others are compared with. */
export function answerRam(program: string, results: readonly RungResult[], need: MemoryNeed | null): RamAnswer {
  const rows: RamRow[] = [];
  const policies = [...new Set(results.map(({ policy }) => policy))];
  const sizes = [...new Set(results.map(({ memoryBytes }) => memoryBytes))].sort((a, b) => b - a);
  for (const policy of policies) {
    const own = sizes.map((size) => results.find((each) => each.policy === policy && each.memoryBytes === size));
    const [most] = own;
    for (const result of own)
      if (result !== undefined && most !== undefined) rows.push(rowOf(result, most, need, sizes));
  }
  const knees = policies.map((policy) => ({
    policy,
    memoryBytes: kneeOf(rows.filter((row) => row.policy === policy)),
  }));
  return {
    sentence: sentenceOf(program, knees[0], rows),
    knees,
    rows,
    references: need?.references ?? null,
    sampledShare: need?.rate ?? null,
  };
}

function rowOf(result: RungResult, most: RungResult, need: MemoryNeed | null, sizes: readonly number[]): RamRow {
  const { memoryBytes, policy, stats, exitStatus, failure } = result;
  const isSame = stats !== null && exitStatus === most.exitStatus;
  const missed = need?.sizes[sizes.indexOf(memoryBytes)];
  const share = (ns: number | undefined): number | null =>
    stats === null || ns === undefined ? null : ns / stats.virtualNs;
  return {
    memoryBytes,
    policy,
    outcome: isSame ? 'ends' : 'fails',
    why: isSame ? null : (failure ?? `exit status ${exitStatus}`),
    virtualNs: stats?.virtualNs ?? null,
    slowdown: stats === null || most.stats === null ? null : stats.virtualNs / most.stats.virtualNs,
    majorFaults: stats?.pgmajfault ?? null,
    swappedBytes: stats === null ? null : (stats.swap.ins + stats.swap.outs) * 4096,
    waitingForMemory: share(stats?.time.memoryNs),
    waitingForDisk: share(stats?.time.diskNs),
    pressureSome: share(stats?.pressure.memorySomeNs),
    pressureFull: share(stats?.pressure.memoryFullNs),
    lruMisses: missed?.lru ?? null,
    optimalMisses: missed?.optimum ?? null,
    lruError: missed?.lruError ?? null,
  };
}

/** Rows of one policy, from most memory to least. A size that is slowed down ends the search: below it chance alone could be fast. */
function kneeOf(rows: readonly RamRow[]): number {
  let knee = rows[0].memoryBytes;
  for (const { memoryBytes, outcome, slowdown } of rows) {
    if (outcome === 'fails' || slowdown === null || slowdown > TOLERANCE) break;
    knee = memoryBytes;
  }
  return knee;
}

function sentenceOf(program: string, knee: RamAnswer['knees'][number], rows: readonly RamRow[]): string {
  const size = formatSize(knee.memoryBytes);
  const below = rows.find((row) => row.policy === knee.policy && row.memoryBytes < knee.memoryBytes);
  if (below === undefined) return `${program} needs no more than ${size}.`;
  const with_ = `with ${formatSize(below.memoryBytes)} it`;
  if (below.outcome === 'fails') return `${program} needs ${size}: ${with_} does not come to its end (${below.why}).`;
  const times = `${(below.slowdown as number).toFixed(1)} times as long`;
  const swapped = `${formatSize(below.swappedBytes as number)} to and from swap`;
  return `${program} needs ${size}: ${with_} takes ${times} (${grouped(below.majorFaults as number)} major faults, ${swapped}).`;
}

const BAR_COLUMNS = 30;

/** The sentence, and a table with a bar for each row. Ends with a newline. */
export function formatRam({ sentence, rows, references, sampledShare }: RamAnswer): string {
  const longest = Math.max(...rows.map(({ slowdown }) => slowdown ?? 0));
  const head = `${'memory'.padStart(8)}  ${'policy'.padEnd(10)}${'time'.padStart(12)}${'major faults'.padStart(14)}${'swap'.padStart(9)}${'PSI'.padStart(7)}${'LRU misses'.padStart(13)}${'optimum'.padStart(12)}  slower`;
  const lines = rows.map((row) => {
    const { memoryBytes, policy, virtualNs, slowdown, majorFaults, swappedBytes, lruMisses, optimalMisses } = row;
    const { pressureSome } = row;
    const start = `${formatSize(memoryBytes).padStart(8)}  ${policy.padEnd(10)}`;
    if (virtualNs === null || slowdown === null) return `${start}  ${row.why}`;
    const bar = '#'.repeat(Math.max(1, Math.round((slowdown / longest) * BAR_COLUMNS)));
    const cells = [
      `${(virtualNs / 1e6).toFixed(1)} ms`.padStart(12),
      grouped(majorFaults ?? 0).padStart(14),
      (swappedBytes === 0 ? '0' : formatSize(swappedBytes ?? 0)).padStart(9),
      `${((pressureSome ?? 0) * 100).toFixed(0)}%`.padStart(7),
      (lruMisses === null ? '' : grouped(lruMisses)).padStart(13),
      (optimalMisses === null ? '' : grouped(optimalMisses)).padStart(12),
    ].join('');
    const end = row.outcome === 'fails' ? `  ${row.why}` : '';
    return `${start}${cells}  ${bar} ${slowdown.toFixed(2)}${end}`;
  });
  return [sentence, '', head, ...lines, ...sampleLines(rows, references, sampledShare), ''].join('\n');
}

/** Where the curves are of a sample, how good they are. */
function sampleLines(rows: readonly RamRow[], references: number | null, share: number | null): string[] {
  if (references === null || share === null || share === 1) return [];
  const errors = rows.flatMap(({ lruMisses, lruError }) =>
    lruMisses === null || lruError === null || lruMisses === 0 ? [] : [lruError / lruMisses],
  );
  const worst = (Math.max(...errors) * 100).toFixed(1);
  return [
    '',
    `LRU misses and optimum are estimates from a sample of 1/${1 / share} of the pages, of ${grouped(references)} references; standard error of LRU misses: at most ${worst} %`,
  ];
}
