import {
  type AccessSink,
  PageAccesses,
  TlbHierarchy,
  type TlbLevel,
  type TlbShape,
  type TraceUnit,
} from '../src/index.ts';
import type { TlbWish } from './sim-options.ts';
import { UsageError } from './usage-error.ts';

export interface TlbRow {
  readonly pageBytes: number;
  /** 'walk': what missed everywhere. */
  readonly level: TlbLevel | 'walk';
  readonly entries: number | null;
  readonly ways: number | null;
  /** Bytes that the entries cover. */
  readonly reachBytes: number | null;
  readonly refs: number;
  readonly misses: number;
  readonly missRatio: number;
}

/** All TLBs that were asked for, told of one trace at once: each page size alone, and where one level has several sizes, each of them. */
export class TlbSimulation {
  private readonly made: { pageBytes: number; tlbs: TlbHierarchy; accesses: PageAccesses }[] = [];

  constructor(wishes: readonly TlbWish[], unit: TraceUnit) {
    const shifts = [...new Set(wishes.flatMap(({ pageShifts }) => pageShifts))].sort((a, b) => a - b);
    for (const shift of shifts.length === 0 ? [12] : shifts)
      for (const shapes of shapesOf(wishes)) {
        const tlbs = new TlbHierarchy(shapes);
        const accesses = new PageAccesses(unit, shift, (kind, high, low) => tlbs.reference(kind, high, low));
        this.made.push({ pageBytes: 2 ** shift, tlbs, accesses });
      }
  }

  get sinks(): readonly AccessSink[] {
    return this.made.map(({ accesses }) => accesses);
  }

  rows(): TlbRow[] {
    return this.made.flatMap(({ pageBytes, tlbs }) => [
      ...tlbs.results().map(({ level, entries, ways, lookups, misses }) => ({
        pageBytes,
        level,
        entries,
        ways,
        reachBytes: entries * pageBytes,
        refs: lookups,
        misses,
        missRatio: lookups === 0 ? 0 : misses / lookups,
      })),
      ...(tlbs.results().length < 2
        ? []
        : [
            {
              pageBytes,
              level: 'walk' as const,
              entries: null,
              ways: null,
              reachBytes: null,
              refs: tlbs.references,
              misses: tlbs.walks,
              missRatio: tlbs.references === 0 ? 0 : tlbs.walks / tlbs.references,
            },
          ]),
    ]);
  }
}

/** The levels together; several, where one level is to be tried with several numbers of entries. */
function shapesOf(wishes: readonly TlbWish[]): (readonly [TlbLevel, TlbShape])[][] {
  const ladders = wishes.filter(({ entries }) => entries.length > 1);
  if (ladders.length > 1) throw new UsageError('--tlb: one level alone can have several numbers of entries');
  const counts = ladders[0]?.entries ?? [0];
  return counts.map((count) =>
    wishes.map((wish): readonly [TlbLevel, TlbShape] => {
      const entries = wish.entries.length > 1 ? count : wish.entries[0];
      return [wish.level, { entries, ways: wish.ways === 'full' ? entries : wish.ways }];
    }),
  );
}
