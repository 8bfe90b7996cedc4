/** Ratios of a row that were measured once, on the machine of docs/performance.md. */
export interface Ratios {
  readonly native: number | null;
  readonly qemu: number | null;
}

/** A loss of more is worth a word. Nothing fails: a busy machine can look like it. */
const LOSS = 0.15;

/** One note for each ratio that fell by more than LOSS. */
export function compareWithBaseline(now: Ratios, before: Ratios | undefined): string[] {
  if (before === undefined) return [];
  return (['native', 'qemu'] as const).flatMap((name) => {
    const [is, was] = [now[name], before[name]];
    if (is === null || was === null || is >= was * (1 - LOSS)) return [];
    return [`SLOWER: ${((1 - is / was) * 100).toFixed(0)}% below the baseline's ${was} to ${name}`];
  });
}
