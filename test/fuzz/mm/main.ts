/**
 * npm run fuzz:mm -- [--seconds N] [--seed S] [--steps N] [--only CALL,CALL] [--keep-going] [--out DIR]
 * npm run fuzz:mm -- --replay FILE | --record
 *
 * Random walks over the memory calls, natively and in Faultline, compared after every step; see README.md beside this file.
 * A divergence is shrunk and printed with both reports and as a C program (with --out into DIR). Ends with status 0 if there was none, 1 if there was,
 * 2 after bad input.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../../cli/usage-error.ts';
import { Rng } from '../../../src/base/rng.ts';
import { FaultlineMachine, firstDifference, type Report, runNatively } from './machines.ts';
import { compileExecutor } from './programs.ts';
import { readSteps, record } from './recorded.ts';
import { reproducer } from './reproducer.ts';
import { shrink } from './shrink.ts';
import { callOf, makeWalk, type Step } from './walk.ts';

/** The kernel whose answers decide (guest/expected/KERNEL). */
const KERNEL = '6.18';

interface Settings {
  readonly seconds: number;
  readonly seed: number;
  readonly steps: number;
  readonly only: readonly string[] | null;
  readonly replay: string | null;
  readonly out: string | null;
  readonly goesOn: boolean;
  readonly records: boolean;
}

function readSettings(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      steps: { type: 'string', default: '80' },
      only: { type: 'string' },
      replay: { type: 'string' },
      out: { type: 'string' },
      'keep-going': { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  return {
    seconds: wholeNumber('--seconds', values.seconds),
    seed: wholeNumber('--seed', values.seed),
    steps: wholeNumber('--steps', values.steps),
    only: values.only?.split(',') ?? null,
    replay: values.replay ?? null,
    out: values.out ?? null,
    goesOn: values['keep-going'],
    records: values.record,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new UsageError(`${name}: '${text}' is not a whole number`);
  return value;
}

class Fuzzer {
  private readonly native: string;
  private readonly faultline: FaultlineMachine;
  readonly unstable: number[] = [];

  constructor(native: string, faultline: FaultlineMachine) {
    this.native = native;
    this.faultline = faultline;
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
}

async function main(args: string[]): Promise<number> {
  const settings = readSettings(args);
  const version = release().match(/^\d+\.\d+/)?.[0] ?? release();
  if (process.platform !== 'linux' || version !== KERNEL) {
    process.stdout.write(
      `fuzz:mm: this is ${process.platform} ${version}; only Linux ${KERNEL} decides: nothing was compared\n`,
    );
    return 0;
  }
  const native = await compileExecutor('native');
  if (settings.records) {
    process.stdout.write(`${record(native, version)}\n`);
    return 0;
  }
  const fuzzer = new Fuzzer(native, new FaultlineMachine(await compileExecutor('riscv64')));
  if (settings.replay !== null) return replay(fuzzer, readSteps(settings.replay));
  const started = performance.now();
  let walks = 0;
  let steps = 0;
  let found = 0;
  for (let seed = settings.seed; performance.now() - started < settings.seconds * 1000; seed++) {
    const walk = makeWalk(new Rng(seed), settings.steps, settings.only);
    const { at, native } = fuzzer.compare(walk);
    walks++;
    steps += walk.length;
    if (at === -1) continue;
    const unstable = fuzzer.instability(walk, native);
    if (unstable !== null) {
      fuzzer.unstable.push(seed);
      process.stdout.write(`seed ${seed}: this machine answers differently each time; passed over\n${unstable}`);
      continue;
    }
    found++;
    const short = fuzzer.shrink(walk, at);
    process.stdout.write(`seed ${seed}: differs at step ${at}; ${short.length} steps are enough:\n`);
    show(fuzzer, short);
    if (settings.out === null) process.stdout.write(`--- as a C program\n${reproducer(short)}`);
    else save(settings.out, seed, short);
    if (!settings.goesOn) break;
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  const passed = fuzzer.unstable.length === 0 ? '' : `, ${fuzzer.unstable.length} walks not stable natively`;
  process.stdout.write(`${walks} walks, ${steps} steps in ${seconds} s: ${found} divergences${passed}\n`);
  return found === 0 ? 0 : 1;
}

function replay(fuzzer: Fuzzer, steps: readonly Step[]): number {
  const { at } = fuzzer.compare(steps);
  if (at === -1) {
    process.stdout.write(`${steps.length} steps: no divergence\n`);
    return 0;
  }
  show(fuzzer, steps);
  return 1;
}

/** The steps, and both reports of the one that differs. */
function show(fuzzer: Fuzzer, steps: readonly Step[]): void {
  const { at, native, ours } = fuzzer.compare(steps);
  const text = [
    ...steps,
    `--- before`,
    native[at - 1] ?? '',
    '--- Linux',
    native[at] ?? '(nothing)',
    '--- Faultline',
    ours[at] ?? '(nothing)',
  ];
  process.stdout.write(`${text.join('\n')}\n`);
}

function save(folder: string, seed: number, steps: readonly Step[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${seed}.steps`), `${steps.join('\n')}\n`);
  writeFileSync(join(folder, `${seed}.c`), reproducer(steps));
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError)) throw error;
  process.stderr.write(`fuzz:mm: ${error.message}\n`);
  process.exitCode = 2;
}
