import { GEN_ANON, GEN_FILE, GEN_TYPES, type GenType } from './generations.ts';

export const MAX_NR_TIERS = 4;
/** Small numbers of refaults mean nothing (MIN_LRU_BATCH, BITS_PER_LONG). */
export const MIN_LRU_BATCH = 64;
export const MAX_SWAPPINESS = 200;

/** What the controller compares: refaults against all that could have come back, as the gain weighs them. */
interface Position {
  readonly refaulted: number;
  readonly total: number;
  readonly gain: number;
}

/**
 * How often pages come back after they were evicted, by kind and tier, and what follows from it (Linux: the refault feedback loop of
 * mm/vmscan.c, 6.18, a PID controller's proportional and integral parts). A tier has the pages that were used through file
 * descriptors 0, 1, 2, or 3 and more times.
 */
export class Tiers {
  private readonly averageRefaulted = counts();
  private readonly averageTotal = counts();
  /** Since the oldest generation of the kind became so. */
  private readonly refaulted = counts();
  private readonly evicted = counts();
  private readonly protected = counts();

  noteRefault(type: GenType, tier: number, pages: number): void {
    this.refaulted[type][tier] += pages;
  }

  noteEviction(type: GenType, tier: number, pages: number): void {
    this.evicted[type][tier] += pages;
  }

  noteProtection(type: GenType, tier: number, pages: number): void {
    this.protected[type][tier] += pages;
  }

  /** reset_ctrl_pos: a generation has gone; the averages go half way to what it showed. */
  carryOver(type: GenType): void {
    for (let tier = 0; tier < MAX_NR_TIERS; tier++) {
      const total = this.averageTotal[type][tier] + this.evicted[type][tier] + this.protected[type][tier];
      this.averageTotal[type][tier] = Math.floor(total / 2);
      const refaulted = this.averageRefaulted[type][tier] + this.refaulted[type][tier];
      this.averageRefaulted[type][tier] = Math.floor(refaulted / 2);
      this.refaulted[type][tier] = 0;
      this.evicted[type][tier] = 0;
      this.protected[type][tier] = 0;
    }
  }

  /** get_type_to_scan: the kind whose pages come back less often. */
  typeToScan(swappiness: number): GenType {
    if (swappiness <= 1) return GEN_FILE;
    if (swappiness >= MAX_SWAPPINESS) return GEN_ANON;
    const anon = this.sum(GEN_ANON, swappiness);
    const file = this.sum(GEN_FILE, MAX_SWAPPINESS - swappiness);
    return isBelow(anon, file) ? GEN_FILE : GEN_ANON;
  }

  /** get_tier_idx: pages of tiers above this come back more often than those of tier 0, so that they are protected. */
  lastUnprotected(type: GenType): number {
    const base = this.position(type, 0, 2);
    let tier = 1;
    // A margin of 2 to 3 for what fluctuates.
    while (tier < MAX_NR_TIERS && isBelow(base, this.position(type, tier, 3))) tier++;
    return tier - 1;
  }

  /** For lru_gen of debugfs: refaulted and evicted of a tier, averages first. */
  historyOf(
    type: GenType,
    tier: number,
  ): readonly [
    averageRefaulted: number,
    averageTotal: number,
    refaulted: number,
    evicted: number,
    protectedPages: number,
  ] {
    return [
      this.averageRefaulted[type][tier],
      this.averageTotal[type][tier],
      this.refaulted[type][tier],
      this.evicted[type][tier],
      this.protected[type][tier],
    ];
  }

  private position(type: GenType, tier: number, gain: number): Position {
    return {
      refaulted: this.averageRefaulted[type][tier] + this.refaulted[type][tier],
      total: this.averageTotal[type][tier] + this.evicted[type][tier] + this.protected[type][tier],
      gain,
    };
  }

  private sum(type: GenType, gain: number): Position {
    let refaulted = 0;
    let total = 0;
    for (let tier = 0; tier < MAX_NR_TIERS; tier++) {
      const each = this.position(type, tier, gain);
      refaulted += each.refaulted;
      total += each.total;
    }
    return { refaulted, total, gain };
  }
}

/** positive_ctrl_err: `value` refaults less than the set point, or too seldom to tell. */
function isBelow(setPoint: Position, value: Position): boolean {
  return (
    value.refaulted < MIN_LRU_BATCH ||
    value.refaulted * (setPoint.total + MIN_LRU_BATCH) * setPoint.gain <=
      (setPoint.refaulted + 1) * value.total * value.gain
  );
}

function counts(): Float64Array[] {
  return GEN_TYPES.map(() => new Float64Array(MAX_NR_TIERS));
}

/** for_each_evictable_type: without swap files alone, with swappiness "max" anonymous memory alone. */
export function evictableTypes(swappiness: number): readonly GenType[] {
  if (swappiness === 0) return [GEN_FILE];
  return swappiness > MAX_SWAPPINESS ? [GEN_ANON] : GEN_TYPES;
}
