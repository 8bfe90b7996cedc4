import { release } from 'node:os';
import { Rng } from '../../../src/base/rng.ts';
import { FaultlineMachine, firstDifference, type Report, runNatively } from './machines.ts';
import { compileExecutor } from './programs.ts';
import { shrink } from './shrink.ts';
import { callOf, makeWalk, type Step } from './walk.ts';

/** The kernel whose answers decide (guest/expected/KERNEL). */
const KERNEL = '6.18';

/** This machine's kernel, `platform version`, where its answers do not decide; null where they do. */
export function otherKernel(): string | null {
  const version = release().match(/^\d+\.\d+/)?.[0] ?? release();
  return process.platform === 'linux' && version === KERNEL ? null : `${process.platform} ${version}`;
}

export interface Search {
  readonly seconds: number;
  /** Of the first walk; the next one has the next seed. */
  readonly seed: number;
  readonly steps: number;
  /** Nothing but these calls; null for all. */
  readonly only: readonly string[] | null;
  readonly afterDivergence: 'end' | 'go on';
}

export interface Divergence {
  readonly seed: number;
  readonly at: number;
  readonly short: readonly Step[];
}

/** What a search came to, for its closing line. */
export interface Searched {
  readonly walks: number;
  readonly steps: number;
  readonly seconds: number;
  readonly divergences: number;
  /** Seeds of walks that Linux itself answered differently in another run. */
  readonly unstable: readonly number[];
}

/** Runs walks natively and in Faultline, and says where they part. */
export class Fuzzer {
  private readonly native: string;
  private readonly faultline: FaultlineMachine;

  private constructor(native: string, faultline: FaultlineMachine) {
    this.native = native;
    this.faultline = faultline;
  }

  static async create(): Promise<Fuzzer> {
    return new Fuzzer(await compileExecutor('native'), new FaultlineMachine(await compileExecutor('riscv64')));
  }

  /** Walks of one seed after the other for that long; `found` is told of each divergence, `print` of all else. */
  search(
    { seconds, seed: first, steps: length, only, afterDivergence }: Search,
    found: (divergence: Divergence) => void,
    print: (text: string) => void,
  ): Searched {
    const started = performance.now();
    const unstable: number[] = [];
    let walks = 0;
    let steps = 0;
    let divergences = 0;
    for (let seed = first; performance.now() - started < seconds * 1000; seed++) {
      const walk = makeWalk(new Rng(seed), length, only);
      const { at, native } = this.compare(walk);
      walks++;
      steps += walk.length;
      if (at === -1) continue;
      const differing = this.instability(walk, native);
      if (differing !== null) {
        unstable.push(seed);
        print(`seed ${seed}: this machine answers differently each time; passed over\n${differing}`);
        continue;
      }
      divergences++;
      found({ seed, at, short: this.shrink(walk, at) });
      if (afterDivergence === 'end') break;
    }
    const took = Math.round((performance.now() - started) / 1000);
    return { walks, steps, seconds: took, divergences, unstable };
  }

  /** The first step that differs, with both reports. */
  compare(steps: readonly Step[]): { at: number; native: Report; ours: Report } {
    const native = runNatively(this.native, steps);
    const ours = this.faultline.run(steps);
    return { at: firstDifference(native, ours), native, ours };
  }

  /** What Linux itself answered differently in another run; null where it did not. Such a step cannot be compared. */
  instability(steps: readonly Step[], native: Report): string | null {
    for (let i = 0; i < 4; i++) {
      const again = runNatively(this.native, steps);
      const at = firstDifference(native, again);
      if (at !== -1) return `${steps[at]}\n${native[at]}${again[at]}`;
    }
    return null;
  }

  /** A short walk that differs at a step of the same call, and natively does not differ from itself. */
  shrink(steps: readonly Step[], at: number): Step[] {
    const call = at < steps.length ? callOf(steps[at]) : '';
    return shrink(steps.slice(0, at + 1), (candidate) => {
      const found = this.compare(candidate);
      return found.at !== -1 && (call === '' || (found.at < candidate.length && callOf(candidate[found.at]) === call));
    });
  }

  /** The steps, and both reports of the one that differs. */
  describe(steps: readonly Step[]): string {
    const { at, native, ours } = this.compare(steps);
    const text = [
      ...steps,
      `--- before`,
      native[at - 1] ?? '',
      '--- Linux',
      native[at] ?? '(nothing)',
      '--- Faultline',
      ours[at] ?? '(nothing)',
    ];
    return `${text.join('\n')}\n`;
  }
}

export function closingLine({ walks, steps, seconds, divergences, unstable }: Searched): string {
  const passed = unstable.length === 0 ? '' : `, ${unstable.length} walks not stable natively`;
  return `${walks} walks, ${steps} steps in ${seconds} s: ${divergences} divergences${passed}\n`;
}
