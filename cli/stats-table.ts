import type { RunStats } from '../src/index.ts';
import { grouped } from './numbers.ts';

/** The counters of a run; without the host's time, which differs each time, where wallMs is null. */
export type CountedRun = Omit<RunStats, 'wallMs'> & { readonly wallMs: number | null };

/** The counters of a run in the manner of `perf stat`: value, name, what it means. Ends with a newline. */
export function formatStatsTable(stats: CountedRun, commandLine: string): string {
  const seconds = stats.virtualNs / 1e9;
  const rows: [string, string, string][] = [
    [
      grouped(stats.instructions),
      'instructions',
      stats.wallMs === null
        ? `# ${(stats.instructions / Math.max(stats.virtualNs, 1)).toFixed(3)} a nanosecond of virtual time`
        : `# ${(stats.instructions / 1e3 / Math.max(stats.wallMs, 0.001)).toFixed(1)} M/s of host time`,
    ],
    [
      grouped(stats.pgfault),
      'page-faults',
      `# ${(stats.pgfault / Math.max(seconds, 1e-9) / 1e3).toFixed(3)} K/s of virtual time`,
    ],
    [grouped(stats.pgfault - stats.pgmajfault), 'minor-faults', ''],
    [grouped(stats.pgmajfault), 'major-faults', ''],
    ...Object.entries(stats.faults)
      .filter(([, count]) => count > 0)
      .map(([kind, count]): [string, string, string] => [grouped(count), `  ${kind}`, FAULT_NOTES[kind] ?? '']),
    [grouped(stats.swap.ins), 'swap-ins', `# pages; ${grouped(stats.swap.outs)} out`],
    [grouped(stats.forks), 'forks', ''],
    [grouped(stats.contextSwitches), 'context-switches', ''],
    [
      grouped(stats.tlbMisses),
      'tlb-misses',
      `# ${(stats.walkReferences / Math.max(stats.tlbMisses, 1)).toFixed(1)} references a walk`,
    ],
    [grouped(Object.values(stats.syscalls).reduce((sum, n) => sum + n, 0)), 'system-calls', topCalls(stats.syscalls)],
    [grouped(stats.peakRssKb), 'kB peak resident', ''],
    [grouped(stats.pageTableKbPeak), 'kB peak page tables', ''],
  ];
  const lines = rows.map(([value, name, note]) => `${value.padStart(18)}      ${name.padEnd(24)}${note}`.trimEnd());
  return [
    '',
    ` Performance counter stats for '${commandLine}':`,
    '',
    ...lines,
    '',
    `${seconds.toFixed(9).padStart(18)} seconds virtual time elapsed`,
    ...timeLines(stats),
    ...(stats.wallMs === null ? [] : [`${(stats.wallMs / 1000).toFixed(9).padStart(18)} seconds host time elapsed`]),
    '',
    '',
  ].join('\n');
}

/** What of the virtual time was spent otherwise than running, and how long somebody ran. */
function timeLines({ time }: CountedRun): string[] {
  const parts: [string, number][] = [
    ['running', time.runningNs],
    ['waiting for memory', time.memoryNs],
    ['waiting for disk', time.diskNs],
    ['idle', time.idleNs],
  ];
  return parts.map(([name, ns]) => `${(ns / 1e9).toFixed(9).padStart(18)} seconds ${name}`);
}

const FAULT_NOTES: Readonly<Record<string, string>> = {
  anonZero: '# first write to anonymous memory: a zeroed frame',
  anonReadZero: '# first read of anonymous memory: the shared zero page',
  cowCopy: '# write to a shared private page: copied',
  cowReuse: '# write to a private page with no other user: reused',
  fileRead: '# file page mapped from the page cache',
  fileShared: '# first write to a page of a shared file mapping',
  stackGrow: '# stack extended downwards',
  swapIn: '# page brought back from swap',
  spurious: '# nothing to do: another fault had resolved it',
  segv: '# no mapping or no permission',
  bus: '# mapped, but beyond the end of the file',
  userfault: '# for the reader of a userfaultfd to resolve: the task sleeps',
};

function topCalls(calls: Readonly<Record<string, number>>): string {
  const top = Object.entries(calls)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .slice(0, 4)
    .map(([name, count]) => `${name} ${count}`);
  return top.length === 0 ? '' : `# ${top.join(', ')}`;
}
