import { KernelPanic, type System, type SystemOptions } from '../src/index.ts';
import { UsageError } from './usage-error.ts';

/** How closely a run looks at itself; the tests set it (CONTRIBUTING.md), nobody else needs it. */
export const SELF_CHECK_VARIABLE = 'FAULTLINE_CHECK';

export interface SelfCheck {
  readonly invariants: NonNullable<SystemOptions['invariants']>;
  readonly atEnd: 'nothing' | 'invariants';
}

/** Unset or empty: nothing but the count of frames at the end. `end`; `traps`, each one; `traps/N`, each Nth one; the last two also at the end. */
export function parseSelfCheck(text: string | undefined): SelfCheck {
  if (text === undefined || text === '') return { invariants: 'never', atEnd: 'nothing' };
  if (text === 'end') return { invariants: 'never', atEnd: 'invariants' };
  const period = /^traps(?:\/([1-9]\d{0,8}))?$/.exec(text);
  if (period === null)
    throw new UsageError(`${SELF_CHECK_VARIABLE}=${text}: write end, traps, or traps/N for every Nth trap`);
  return { invariants: { everyTraps: Number(period[1] ?? 1) }, atEnd: 'invariants' };
}

/** Shuts the machine down; throws KernelPanic if an invariant does not hold before. */
export function endMachine(system: System, check: SelfCheck): ReturnType<System['shutdown']> {
  if (check.atEnd === 'invariants') system.checkInvariants();
  return system.shutdown();
}

/** Throws KernelPanic if the shutdown did not find every frame free. */
export function mustHaveNoLeak(ended: { readonly leakedFrames: number }): void {
  const { leakedFrames } = ended;
  if (leakedFrames !== 0)
    throw new KernelPanic(`system.ts: all frames are free after the shutdown (${leakedFrames} are missing)`);
}
