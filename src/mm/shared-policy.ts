import type { Mempolicy } from './mempolicy.ts';

interface PolicyRange {
  readonly from: number;
  readonly end: number;
  readonly policy: Mempolicy;
}

/**
 * struct shared_policy (6.18, mm/mempolicy.c): the policies of an object of shared memory, by page of it. They belong to the
 * object: who maps it later finds them.
 *
 * Invariant: ranges are in order and do not overlap.
 */
export class SharedPolicy {
  private ranges: readonly PolicyRange[] = [];

  /** mpol_shared_policy_lookup. */
  find(page: number): Mempolicy | null {
    return this.ranges.find(({ from, end }) => from <= page && page < end)?.policy ?? null;
  }

  /** shared_policy_replace: null takes away what is there. */
  set(from: number, end: number, policy: Mempolicy | null): void {
    const before = this.ranges.filter((each) => each.from < from);
    const after = this.ranges.filter((each) => each.end > end);
    this.ranges = [
      ...before.map((each) => ({ ...each, end: Math.min(each.end, from) })),
      ...(policy === null ? [] : [{ from, end, policy }]),
      ...after.map((each) => ({ ...each, from: Math.max(each.from, end) })),
    ];
  }
}
