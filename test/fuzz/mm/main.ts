import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../../cli/usage-error.ts';
import { closingLine, type Divergence, Fuzzer, otherKernel, type Search } from './fuzzer.ts';
import { wholeNumber } from './numbers.ts';
import { compileExecutor } from './programs.ts';
import { readSteps, readWalks, record } from './recorded.ts';
import { reproducer } from './reproducer.ts';
import type { Step } from './walk.ts';

interface Settings extends Search {
  readonly replay: string | null;
  readonly out: string | null;
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
    afterDivergence: values['keep-going'] ? 'go on' : 'end',
    records: values.record,
  };
}

async function main(args: string[]): Promise<number> {
  const settings = readSettings(args);
  const other = otherKernel();
  if (other !== null) {
    print(`fuzz:mm: this is ${other}; only Linux ${readWalks().kernel} decides: nothing was compared\n`);
    return 0;
  }
  if (settings.records) {
    print(`${record(await compileExecutor('native'), readWalks().kernel)}\n`);
    return 0;
  }
  const fuzzer = await Fuzzer.create();
  if (settings.replay !== null) return replay(fuzzer, readSteps(settings.replay));
  const searched = fuzzer.search(settings, (divergence) => tell(fuzzer, divergence, settings.out), print);
  print(closingLine(searched));
  return searched.divergences === 0 ? 0 : 1;
}

function print(text: string): void {
  process.stdout.write(text);
}

function tell(fuzzer: Fuzzer, { seed, at, short }: Divergence, out: string | null): void {
  print(`seed ${seed}: differs at step ${at}; ${short.length} steps are enough:\n${fuzzer.describe(short)}`);
  if (out === null) print(`--- as a C program\n${reproducer(short)}`);
  else save(out, seed, short);
}

function replay(fuzzer: Fuzzer, steps: readonly Step[]): number {
  const { at } = fuzzer.compare(steps);
  print(at === -1 ? `${steps.length} steps: no divergence\n` : fuzzer.describe(steps));
  return at === -1 ? 0 : 1;
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
