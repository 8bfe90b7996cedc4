import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../base/rng.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import type { Lruvec } from '../phys/lruvec.ts';
import { createReclaimPolicy, type ReclaimPolicyName } from './kinds.ts';
import type { ReclaimablePages, ReclaimPolicy } from './policy.ts';

/** Pages are numbers, memory is a set of them, every page can go, and a reference sets its bit. */
class PlainMemory implements ReclaimablePages {
  readonly frames = null as unknown as FrameTable;
  readonly lru = null as unknown as Lruvec;
  readonly rng = new Rng(1);
  readonly hasSwap = true;
  readonly swappiness = 60;
  readonly freePages = 0;
  readonly highMarkPages = 0;
  readonly resident = new Set<number>();
  readonly used = new Set<number>();
  private readonly policy: ReclaimPolicy;

  constructor(policy: ReclaimPolicy) {
    this.policy = policy;
  }

  isCandidate(page: Pfn): boolean {
    return this.resident.has(page);
  }
  takeReferences(page: Pfn): { count: number; vmFlags: number } {
    return { count: this.used.delete(page) ? 1 : 0, vmFlags: 0 };
  }
  takeReferenced(): boolean {
    return false;
  }
  isDirty(): boolean {
    return false;
  }
  free(page: Pfn): boolean {
    this.resident.delete(page);
    this.used.delete(page);
    this.policy.removed?.(page);
    return true;
  }
  activate(): void {}
  deactivate(): void {}
  rotate(): void {}
  setReferenced(): void {}
  noteScanned(): void {}
}

function missesOf(name: ReclaimPolicyName, references: readonly number[], frames: number): number {
  const policy = createReclaimPolicy(name, 64);
  const memory = new PlainMemory(policy);
  let misses = 0;
  for (const page of references) {
    if (!memory.resident.has(page)) {
      misses++;
      if (memory.resident.size === frames) expect(policy.shrink(memory, 1, 0)).toBe(1);
      memory.resident.add(page);
      policy.added?.(page as Pfn);
    }
    memory.used.add(page);
  }
  return misses;
}

function fifoMisses(references: readonly number[], frames: number): number {
  const queue: number[] = [];
  let misses = 0;
  for (const page of references) {
    if (queue.includes(page)) continue;
    misses++;
    if (queue.length === frames) queue.shift();
    queue.push(page);
  }
  return misses;
}

/** The textbook's circle with a hand and a use bit for each frame. */
function clockMisses(references: readonly number[], frames: number): number {
  const circle: { page: number; used: boolean }[] = [];
  let hand = 0;
  let misses = 0;
  for (const page of references) {
    const hit = circle.find((each) => each.page === page);
    if (hit !== undefined) {
      hit.used = true;
      continue;
    }
    misses++;
    if (circle.length < frames) {
      circle.push({ page, used: true });
      continue;
    }
    while (circle[hand].used) {
      circle[hand].used = false;
      hand = (hand + 1) % frames;
    }
    circle[hand] = { page, used: true };
    hand = (hand + 1) % frames;
  }
  return misses;
}

/** Belady's: the page that is wanted last goes. */
function optMisses(references: readonly number[], frames: number): number {
  const resident = new Set<number>();
  let misses = 0;
  references.forEach((page, at) => {
    if (resident.has(page)) return;
    misses++;
    if (resident.size === frames) {
      const next = (each: number): number => {
        const found = references.indexOf(each, at + 1);
        return found < 0 ? Number.POSITIVE_INFINITY : found;
      };
      resident.delete([...resident].reduce((worst, each) => (next(each) > next(worst) ? each : worst)));
    }
    resident.add(page);
  });
  return misses;
}

const strings = fc.array(fc.nat(11), { minLength: 1, maxLength: 120 });
const sizes = fc.integer({ min: 1, max: 8 });

describe('page reference strings', () => {
  it('miss as often as simple models of fifo and clock', () => {
    fc.assert(
      fc.property(strings, sizes, (references, frames) => {
        expect(missesOf('fifo', references, frames)).toBe(fifoMisses(references, frames));
        expect(missesOf('clock', references, frames)).toBe(clockMisses(references, frames));
      }),
    );
  });

  it("never miss less than Belady's optimum", () => {
    fc.assert(
      fc.property(strings, sizes, (references, frames) => {
        const least = optMisses(references, frames);
        for (const name of ['fifo', 'clock', 'random', 'nru', 'aging-2.4'] as const)
          expect(missesOf(name, references, frames)).toBeGreaterThanOrEqual(least);
      }),
    );
  });

  it("show Belady's anomaly with fifo: more frames, more misses", () => {
    const references = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5];
    expect([missesOf('fifo', references, 3), missesOf('fifo', references, 4)]).toEqual([9, 10]);
  });
});
