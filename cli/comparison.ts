import { grouped } from './numbers.ts';

/** A counter of two runs. */
export interface Difference {
  /** As in --stats-json, parts joined by '.'. */
  readonly metric: string;
  readonly a: number;
  readonly b: number;
}

/** The first page fault at which two runs are not the same; null: that run has ended. */
export interface Parting {
  /** From 1. */
  readonly number: number;
  readonly a: string | null;
  readonly b: string | null;
}

/** Not of the machine, or of many things at once. */
const LEFT_OUT = new Set(['wallMs', 'exit', 'processes', 'absentSyscalls']);

/** All numbers of the two, in the order of the first. */
export function differencesOf(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): Difference[] {
  const [first, second] = [flatten(a), flatten(b)];
  const metrics = [...new Set([...first.keys(), ...second.keys()])];
  return metrics.map((metric) => ({ metric, a: first.get(metric) ?? 0, b: second.get(metric) ?? 0 }));
}

function flatten(stats: Readonly<Record<string, unknown>>, prefix = ''): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [name, value] of Object.entries(stats)) {
    if (prefix === '' && LEFT_OUT.has(name)) continue;
    if (typeof value === 'number') numbers.set(`${prefix}${name}`, value);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, number] of flatten(value as Record<string, unknown>, `${prefix}${name}.`))
        numbers.set(key, number);
  }
  return numbers;
}

/**
 * Compares page faults in their order by what they are, whatever their times: a slower run is not another one. Lines as formatFault
 * writes them.
 */
export function firstParting(a: readonly string[], b: readonly string[]): Parting | null {
  const withoutTime = (line: string | undefined): string | null => line?.trimStart().replace(/^\S+ /, '') ?? null;
  for (let at = 0; at < Math.max(a.length, b.length); at++)
    if (withoutTime(a[at]) !== withoutTime(b[at]))
      return { number: at + 1, a: a[at]?.trim() ?? null, b: b[at]?.trim() ?? null };
  return null;
}

/** A table, and where they part. Ends with a newline. */
export function formatComparison(of: {
  readonly a: string;
  readonly b: string;
  readonly differences: readonly Difference[];
  readonly parting: Parting | null;
}): string {
  const { a, b, differences, parting } = of;
  const name = Math.max('metric'.length, ...differences.map(({ metric }) => metric.length));
  const rows = differences.map((each) => {
    const change = each.b - each.a;
    const ratio = each.a === 0 ? '' : `${change > 0 ? '+' : ''}${((100 * change) / each.a).toFixed(1)} %`;
    const sign = change > 0 ? '+' : change < 0 ? '-' : '';
    const cells = [grouped(each.a), grouped(each.b), `${sign}${grouped(Math.abs(change))}`].map((cell) =>
      cell.padStart(16),
    );
    return `${each.metric.padEnd(name)}${cells.join('')}${ratio.padStart(12)}`.trimEnd();
  });
  const head = `${'metric'.padEnd(name)}${['A', 'B', 'difference'].map((cell) => cell.padStart(16)).join('')}`;
  const table = rows.length === 0 ? ['all counters are the same'] : [head, ...rows];
  const ends = (line: string | null): string => line ?? 'no more faults';
  const where =
    parting === null
      ? ['their page faults are the same']
      : [`they part at page fault ${grouped(parting.number)}:`, `  A  ${ends(parting.a)}`, `  B  ${ends(parting.b)}`];
  return [`A: ${a}`, `B: ${b}`, '', ...table, '', ...where, ''].join('\n');
}
