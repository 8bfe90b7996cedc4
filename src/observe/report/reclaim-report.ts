import type { AttributedRun } from '../attribution/attributed-run.ts';
import { NO_MAPPING } from '../attribution/mapping-names.ts';
import { placeName } from '../attribution/table.ts';
import type { EvictedHow, EvictedKind, Eviction, Evictions, ReclaimCause } from './evictions.ts';
import type { UseSource } from './last-use.ts';
import type { ScanBy, ScanCounts, ScanTally } from './scan-tally.ts';

/** Pages that went for the same reason, of the same owner. */
export interface VictimGroup {
  /** ReclaimWhy. */
  readonly why: string;
  readonly kind: EvictedKind;
  readonly how: EvictedHow;
  readonly process: string;
  readonly mapping: string;
  /** Who made them resident: `function file.c:12`. */
  readonly place: string;
  readonly pages: number;
  /** Refaults, and those of them that somebody wanted (not only read with a neighbour). */
  readonly back: number;
  readonly wanted: number;
  /** Medians: unused before they went; away, of those that came back, and pages that went in between. */
  readonly unusedNs: number | null;
  readonly awayNs: number | null;
  readonly distance: number | null;
}

export interface CauseGroup {
  readonly by: ReclaimCause['by'];
  readonly memcg: number;
  readonly process: string;
  /** Innermost first. */
  readonly stack: readonly string[];
  readonly pages: number;
  readonly wanted: number;
}

/** One page, in words. */
export interface Victim {
  readonly timeNs: number;
  readonly pfn: number;
  readonly why: string;
  readonly rank: number;
  readonly kind: EvictedKind;
  readonly how: EvictedHow;
  readonly process: string;
  readonly address: number;
  readonly mapping: string;
  readonly mappers: number;
  readonly place: string;
  readonly cause: string;
  readonly unusedNs: number | null;
  readonly back: Eviction['back'];
}

export interface ReclaimReport {
  readonly policy: string;
  readonly nowNs: number;
  readonly total: {
    /** Reclaim's own choices (pgsteal_*), and pages that somebody asked for. */
    readonly reclaimed: number;
    readonly asked: number;
    readonly back: number;
    readonly wanted: number;
    /** workingset_refault_*. */
    readonly refaults: number;
    readonly medianDistance: number | null;
    readonly medianAwayNs: number | null;
  };
  readonly ages: UseSource;
  readonly scans: readonly ({ readonly by: ScanBy } & ScanCounts)[];
  readonly groups: readonly VictimGroup[];
  readonly causes: readonly CauseGroup[];
  readonly pages: readonly Victim[];
}

export function makeReclaimReport(
  run: AttributedRun,
  evictions: Evictions,
  tally: ScanTally,
  { policy, nowNs }: { readonly policy: string; readonly nowNs: number },
): ReclaimReport {
  const { list } = evictions;
  const words = new Words(run, evictions);
  const back = list.filter((each) => each.back !== null);
  const wanted = back.filter(isWanted);
  return {
    policy,
    nowNs,
    total: {
      reclaimed: list.filter(({ isStolen }) => isStolen).length,
      asked: list.filter(({ isStolen }) => !isStolen).length,
      back: back.length,
      wanted: wanted.length,
      refaults: evictions.refaults,
      medianDistance: median(wanted.map((each) => each.back?.distance ?? 0)),
      medianAwayNs: median(wanted.map((each) => each.back?.afterNs ?? 0)),
    },
    ages: evictions.lastUse.source,
    scans: tally.list(),
    groups: groupsOf(list, words),
    causes: causesOf(evictions, words),
    pages: list.map((each) => words.victimOf(each)),
  };
}

function isWanted({ back }: Eviction): boolean {
  return back !== null && !back.isAhead;
}

function groupsOf(list: readonly Eviction[], words: Words): VictimGroup[] {
  const groups = new Map<string, Eviction[]>();
  for (const each of list) {
    const { why, kind, how, process, mapping, place } = words.victimOf(each);
    const key = [why, kind, how, process, mapping, place].join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return [...groups.values()]
    .map((pages): VictimGroup => {
      const { why, kind, how, process, mapping, place } = words.victimOf(pages[0]);
      const back = pages.filter((each) => each.back !== null);
      return {
        why,
        kind,
        how,
        process,
        mapping,
        place,
        pages: pages.length,
        back: back.length,
        wanted: pages.filter(isWanted).length,
        unusedNs: median(pages.flatMap(({ unusedNs }) => (unusedNs === null ? [] : [unusedNs]))),
        awayNs: median(back.map((each) => each.back?.afterNs ?? 0)),
        distance: median(back.map((each) => each.back?.distance ?? 0)),
      };
    })
    .sort((a, b) => b.pages - a.pages);
}

function causesOf({ list, causes }: Evictions, words: Words): CauseGroup[] {
  const groups = new Map<string, { -readonly [name in keyof CauseGroup]: CauseGroup[name] }>();
  for (const each of list) {
    const { by, memcg, process, stack } = causes[each.cause];
    const names = words.stackOf(stack);
    const key = [by, memcg, process, ...names].join('\n');
    const group = groups.get(key) ?? { by, memcg, process, stack: names, pages: 0, wanted: 0 };
    group.pages++;
    if (isWanted(each)) group.wanted++;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.pages - a.pages);
}

/** Numbers in words; each looked up once. */
class Words {
  private readonly run: AttributedRun;
  private readonly evictions: Evictions;
  private readonly stacks = new Map<number, readonly string[]>();

  constructor(run: AttributedRun, evictions: Evictions) {
    this.run = run;
    this.evictions = evictions;
  }

  victimOf(eviction: Eviction): Victim {
    const { timeNs, pfn, why, rank, kind, how, address, mappers, unusedNs, back } = eviction;
    const cause = this.evictions.causes[eviction.cause];
    return {
      timeNs,
      pfn,
      why,
      rank,
      kind,
      how,
      process: eviction.space === 0 ? '' : this.run.tables.processOf(eviction.space),
      address,
      mapping: eviction.mapping === NO_MAPPING ? '[not mapped]' : this.run.tables.mappingOf(eviction.mapping),
      mappers,
      place: callerOf(this.stackOf(eviction.stack)),
      cause: cause.process === '' ? cause.by : `${cause.by} ${cause.process}`,
      unusedNs,
      back,
    };
  }

  stackOf(stack: number): readonly string[] {
    let names = this.stacks.get(stack);
    if (names === undefined) {
      names = this.run.sources.ofStack(this.run.stacks.framesOf(stack)).map(placeName);
      this.stacks.set(stack, names);
    }
    return names;
  }
}

/** The program's innermost line of a stack; without debug information its innermost function. */
export function callerOf(stack: readonly string[]): string {
  return (
    stack.find((place) => place.includes(':')) ?? stack.find((place) => !place.startsWith('sys_')) ?? stack[0] ?? ''
  );
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return Float64Array.from(values).sort()[values.length >> 1];
}
