import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../../src/base/rng.ts';
import { type Report, runNatively } from './machines.ts';
import { makeWalk, type Step } from './walk.ts';

/**
 * What Linux answered, for runs without Linux: each walk of found/ with its whole report beside it, and walks of fixed seeds in
 * walks.json, where a step has the first digits of its text's hash.
 */
export interface RecordedWalks {
  readonly kernel: string;
  readonly walks: readonly {
    readonly seed: number;
    readonly steps: readonly (readonly [step: Step, hash: string])[];
  }[];
}

export const FOUND = join(import.meta.dirname, 'found');
const WALKS = join(import.meta.dirname, 'walks.json');
const SEEDS = 24;
const STEPS = 60;

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
export function readWalks(): RecordedWalks {
  return JSON.parse(readFileSync(WALKS, 'utf8')) as RecordedWalks;
}
export function foundNames(): string[] {
  return readdirSync(FOUND)
    .filter((file) => file.endsWith('.steps'))
    .map((file) => file.slice(0, -'.steps'.length));
}
export function readSteps(path: string): Step[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => /^\d /.test(line));
}
export function expectedPath(name: string): string {
  return join(FOUND, `${name}.expected`);
}
/** A report as a file: each step's text begins with # and its number. */
export function reportText(report: Report): string {
  return report.map((text) => `#${text}`).join('');
}

/** Runs all of them natively, five times each, and writes what came out; throws Error where a run differed. */
export function record(program: string, kernel: string): string {
  for (const name of foundNames())
    writeFileSync(expectedPath(name), reportText(stableReport(program, name, readSteps(join(FOUND, `${name}.steps`)))));
  const walks = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const steps = makeWalk(new Rng(seed), STEPS, null);
    const report = stableReport(program, `seed ${seed}`, steps);
    walks.push({ seed, steps: steps.map((step, i) => [step, hashOf(report[i])] as const) });
  }
  // As the formatter would write it: a step a line.
  const rows = walks.map(({ seed, steps }) => {
    const lines = steps.map(([step, hash]) => `        [${JSON.stringify(step)}, ${JSON.stringify(hash)}]`).join(',\n');
    return `    {\n      "seed": ${seed},\n      "steps": [\n${lines}\n      ]\n    }`;
  });
  writeFileSync(WALKS, `{\n  "kernel": "${kernel}",\n  "walks": [\n${rows.join(',\n')}\n  ]\n}\n`);
  return `${foundNames().length} found walks and ${SEEDS} seeds recorded`;
}

function stableReport(program: string, name: string, steps: readonly Step[]): Report {
  const first = runNatively(program, steps);
  if (first.length !== steps.length) throw new Error(`${name}: ${first.at(-1)}`);
  for (let i = 0; i < 4; i++)
    if (reportText(runNatively(program, steps)) !== reportText(first))
      throw new Error(`${name}: differs in another run`);
  return first;
}
