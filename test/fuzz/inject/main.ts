import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../../cli/usage-error.ts';
import { Rng } from '../../../src/base/rng.ts';
import { wholeNumber } from '../mm/numbers.ts';
import { compileExecutor } from '../mm/programs.ts';
import { InjectMachine } from './machine.ts';
import { makeInjectWalk } from './walk.ts';

/** Every so many traps: primes, so that no loop of a program keeps step with it. */
const PERIODS = [1, 7, 31, 97, 997];

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      walks: { type: 'string' },
      steps: { type: 'string', default: '60' },
      traps: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      'keep-going': { type: 'boolean', default: false },
    },
  });
  const seconds = wholeNumber('--seconds', values.seconds);
  const first = wholeNumber('--seed', values.seed);
  const steps = wholeNumber('--steps', values.steps);
  const count = values.walks === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--walks', values.walks);
  const machine = new InjectMachine(await compileExecutor('riscv64', join(import.meta.dirname, 'inject.c')));
  const started = performance.now();
  let walks = 0;
  let injected = 0;
  let traps = 0;
  let found = 0;
  for (let seed = first; walks < count && performance.now() - started < seconds * 1000; seed++) {
    const rng = new Rng(seed);
    const everyTraps = values.traps === undefined ? PERIODS[rng.below(PERIODS.length)] : Number(values.traps);
    const walk = makeInjectWalk(rng, steps);
    walks++;
    try {
      const report = machine.run(walk, seed, { everyTraps, maxInstructions: 60_000_000 });
      injected += report.injected;
      traps += report.traps;
      if (values.verbose)
        process.stdout.write(`seed ${seed}: ${report.ending}, ${report.injected} faults, ${report.traps} traps\n`);
    } catch (error) {
      found++;
      const { inject, system, swapBytes } = walk;
      const about = JSON.stringify({ inject, system, swapBytes, everyTraps });
      process.stdout.write(`seed ${seed}: ${about}\n${(error as Error).stack}\n`);
      if (!values['keep-going']) break;
    }
  }
  const took = Math.round((performance.now() - started) / 1000);
  process.stdout.write(`${walks} walks, ${injected} faults injected, ${traps} traps in ${took} s: ${found} failures\n`);
  return found === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof TypeError)) throw error;
  process.stderr.write(`fuzz:inject: ${error.message}\n`);
  process.exitCode = 2;
}
