import type { AttributedRun } from '../attribution/attributed-run.ts';
import type { AttributionRow } from '../attribution/attribution.ts';

/** A stack in words, outermost first, with what it weighs. */
export interface WeightedStack {
  readonly names: readonly string[];
  readonly weight: number;
}

/** Stacks with their weight: the process, then its functions, outermost first; those of equal names are one. Sorted by names. */
export function weighStacks(run: AttributedRun, weightOf: (row: AttributionRow) => number): WeightedStack[] {
  const weights = new Map<string, number>();
  for (const row of run.attribution.rows) {
    const weight = weightOf(row);
    if (weight === 0) continue;
    const places = run.sources.ofStack(run.stacks.framesOf(row.stack));
    const { comm } = run.attribution.processes.of(row.space);
    const names = [comm, ...places.reverse().map(({ symbol, isInlined }) => (isInlined ? `${symbol}_[i]` : symbol))];
    // What separates names and lines is in none.
    const key = names.map((name) => name.replaceAll(/[;\n]/g, ':')).join(';');
    weights.set(key, (weights.get(key) ?? 0) + weight);
  }
  return [...weights].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, weight]) => ({ names: key.split(';'), weight }));
}

/** As flamegraph.pl reads them: `process;main;work 12`, a line each. */
export function formatCollapsed(stacks: readonly WeightedStack[]): string {
  return stacks.map(({ names, weight }) => `${names.join(';')} ${weight}\n`).join('');
}
