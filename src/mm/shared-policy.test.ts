import { describe, expect, it } from 'vitest';
import { MPOL_BIND, MPOL_INTERLEAVE } from '../abi/mempolicy.ts';
import type { Mempolicy } from './mempolicy.ts';
import { SharedPolicy } from './shared-policy.ts';

const policy = (mode: number): Mempolicy => ({ mode, flags: 0, nodes: 1, userNodes: 1, homeNode: -1 });

describe('SharedPolicy', () => {
  it('holds what was set last for each page', () => {
    const shared = new SharedPolicy();
    const model: (Mempolicy | null)[] = new Array<Mempolicy | null>(12).fill(null);
    const steps: [number, number, Mempolicy | null][] = [
      [2, 8, policy(MPOL_BIND)],
      [4, 5, policy(MPOL_INTERLEAVE)],
      [0, 3, policy(MPOL_INTERLEAVE)],
      [7, 12, policy(MPOL_BIND)],
      [4, 9, null],
      [0, 12, policy(MPOL_BIND)],
      [3, 9, null],
    ];
    for (const [from, end, value] of steps) {
      shared.set(from, end, value);
      model.fill(value, from, end);
      expect(model.map((_, page) => shared.find(page))).toEqual(model);
    }
  });
});
