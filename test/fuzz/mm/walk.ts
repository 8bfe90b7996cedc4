import type { Rng } from '../../../src/base/rng.ts';
import { CALLS, type CallKind } from './calls.ts';

/** A step: what executor.c reads, `SLOT CALL ARGUMENT...`. */
export type Step = string;

/** What the arguments of one walk are drawn from. */
export interface WalkState {
  readonly rng: Rng;
  /** Pages of the arena that are used: few, so that calls meet. */
  readonly span: number;
  /** Which process lives in each slot: its parent's slot; null where none does. Slot 0 is the first process. */
  readonly parents: (number | null)[];
  /** The slot that acts. */
  slot: number;
  /** Grows by one a step: what stores write. */
  stamp: number;
}

export const SLOTS = 4;

export function slotOf(step: Step): number {
  return Number(step[0]);
}
/** Its name, without the @ of one that another thread takes. */
export function callOf(step: Step): string {
  return step.split(' ')[1].replace('@', '');
}

/**
 * A walk of `count` steps. Each walk uses a part of the calls only, chosen by its seed: so rare ones are combined deeply, too
 * (swarm testing, Groce et al. 2012). `only` restricts the choice by name.
 */
export function makeWalk(rng: Rng, count: number, only: readonly string[] | null): Step[] {
  const state: WalkState = {
    rng,
    span: [6, 12, 24, 48][rng.below(4)],
    parents: [-1, null, null, null],
    slot: 0,
    stamp: 0x1000,
  };
  const chosen = chooseCalls(rng, only);
  const threads = rng.below(100) < 30 ? 15 : 0;
  const steps: Step[] = [];
  while (steps.length < count) {
    const alive = state.parents.flatMap((parent, slot) => (parent === null ? [] : [slot]));
    // Runs of steps in one process.
    if (rng.below(4) === 0 || state.parents[state.slot] === null) state.slot = alive[rng.below(alive.length)];
    state.stamp++;
    const text = pick(rng, chosen).make(state);
    if (text === null) continue;
    const inThread = rng.below(100) < threads && !/^(fork|reap|race)/.test(text);
    steps.push(`${state.slot} ${inThread ? '@' : ''}${text}`);
  }
  for (const [slot, parent] of state.parents.entries()) if (parent !== null) steps.push(`${slot} touch`);
  return steps;
}

/** By name: what has one name belongs together. */
function chooseCalls(rng: Rng, only: readonly string[] | null): readonly CallKind[] {
  if (only !== null) return CALLS.filter(({ name }) => only.includes(name));
  const percent = [20, 35, 50][rng.below(3)];
  const names = new Set<string>();
  for (const name of new Set(CALLS.map((kind) => kind.name))) if (rng.below(100) < percent) names.add(name);
  return CALLS.filter(
    ({ name, always, without }) =>
      always === true || (names.has(name) && (without === undefined || !names.has(without))),
  );
}

function pick(rng: Rng, kinds: readonly CallKind[]): CallKind {
  const total = kinds.reduce((sum, kind) => sum + kind.weight, 0);
  let at = rng.below(total);
  for (const kind of kinds) {
    at -= kind.weight;
    if (at < 0) return kind;
  }
  return kinds[0];
}

/** The steps whose process lives when its turn comes, and forks and reaps that can be: what is left after some were dropped. */
export function possibleSteps(steps: readonly Step[]): Step[] {
  const parents: (number | null)[] = [-1, null, null, null];
  return steps.filter((step) => {
    const slot = slotOf(step);
    if (parents[slot] === null) return false;
    const argument = step.split(' ')[2];
    const call = callOf(step);
    const other = Number(argument);
    if (call.startsWith('other') && parents[other] === null) return false;
    if (call === 'fork') {
      if (parents[other] !== null) return false;
      parents[other] = slot;
    }
    if (call === 'reap') {
      if (parents[other] !== slot || parents.includes(other)) return false;
      parents[other] = null;
    }
    return true;
  });
}
