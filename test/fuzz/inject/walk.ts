import type { Rng } from '../../../src/base/rng.ts';
import { type InjectOptions, RECLAIM_POLICIES, type SystemOptions } from '../../../src/index.ts';
import { makeWalk, SLOTS, type Step } from '../mm/walk.ts';

/** A machine, what is to fail on it, and what its processes do. */
export interface InjectWalk {
  readonly inject: InjectOptions;
  readonly system: Pick<SystemOptions, 'memoryBytes' | 'paging' | 'vmaIndex' | 'reclaim'>;
  /** 0: none. */
  readonly swapBytes: number;
  readonly steps: readonly Step[];
}

const MIB = 2 ** 20;

/** All of it is drawn from the seed's numbers. */
export function makeInjectWalk(rng: Rng, count: number): InjectWalk {
  const pick = <T>(values: readonly T[]): T => values[rng.below(values.length)];
  const inject: InjectOptions = {
    frames: pick([0, 0.001, 0.01, 0.05, 0.2, 0.5]),
    slab: pick([0, 0.001, 0.01, 0.05, 0.2, 0.5]),
    diskRead: pick([0, 0.01, 0.1, 0.5]),
    diskWrite: pick([0, 0.01, 0.1, 0.5]),
    swap: pick(['full', 'as it is', 'as it is', 'as it is']),
  };
  const system = {
    memoryBytes: pick([5, 6, 8, 12, 24]) * MIB,
    paging: pick(['sv39', 'sv39', 'sv48', 'sv57'] as const),
    vmaIndex: pick(['maple', 'maple', 'list', 'avl', 'rbtree'] as const),
    reclaim: pick(RECLAIM_POLICIES),
  };
  const swapBytes = pick([0, 2, 8, 32]) * MIB;
  const frames = system.memoryBytes / 4096;
  const steps: Step[] = [`0 thp ${rng.below(2)}`, `0 shmem ${rng.below(4)}`, `0 ksm ${rng.below(2)}`];
  for (const step of makeWalk(rng, count, null)) {
    // What reads the walk's own report has no reader here.
    if (!/^\d (look|limit-|frames|personality)/.test(step)) steps.push(step);
    if (rng.below(2) === 0) steps.push(`${rng.below(3) === 0 ? rng.below(SLOTS) : 0} ${errand(rng, frames)}`);
  }
  return { inject, system, swapBytes, steps };
}

function errand(rng: Rng, frames: number): string {
  const kinds: (() => string)[] = [
    () => `carry ${rng.below(4)} ${rng.below(frames / 2)} ${rng.below(100)}`,
    () => `carry ${rng.below(4)} ${rng.below(frames / 8)} ${rng.below(100)}`,
    () => `carry ${rng.below(4)} 0 0`,
    () => `huge ${rng.below(8)}`,
    () => `sharehuge ${rng.below(128)}`,
    () => `collapse ${rng.below(4)}`,
    () => `shmem ${rng.below(4)}`,
    () => `merge ${1 + rng.below(60)}`,
    () => `hostfile ${rng.below(64)} ${rng.below(100_000)} ${rng.below(30_000)}`,
    () => `hostfile ${rng.below(64)} ${rng.below(100_000)} ${rng.below(30_000)}`,
    () => `tree ${rng.below(16)}`,
    () => `proc ${rng.below(10)}`,
    () => `swap ${rng.below(2)}`,
    () => `usepipe ${rng.below(60_000)}`,
    () => `usesocket ${rng.below(4)} ${rng.below(20_000)}`,
    () => `listen ${rng.below(4)}`,
    () => 'descriptors',
    () => 'ipc',
    () => 'leaf',
    () => `threads ${rng.below(8)}`,
    () => `crowd ${rng.below(20)}`,
    () => 'caches',
    () => `ksm ${rng.below(3)}`,
    () => `thp ${rng.below(2)}`,
    () => `pools ${rng.below(2)}`,
    () => `rest ${1 + rng.below(300)}`,
  ];
  return kinds[rng.below(kinds.length)]();
}
