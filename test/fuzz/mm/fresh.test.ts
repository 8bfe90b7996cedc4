import { describe, it } from 'vitest';
import { closingLine, type Divergence, Fuzzer, otherKernel } from './fuzzer.ts';
import { reproducer } from './reproducer.ts';

/**
 * Walks that nobody has run before: `FAULTLINE_FRESH=SECONDS:SEED`, as .ci/run sets it from the commit's hash; skipped without, and
 * where this machine's kernel does not decide. `npm run fuzz:mm -- --seed SEED --seconds SECONDS` runs the same ones.
 */
const [seconds, seed] = (process.env['FAULTLINE_FRESH'] ?? '0:1').split(':').map(Number);
const runs = seconds > 0 && otherKernel() === null;

describe.skipIf(!runs)('fresh random walks as on this Linux', () => {
  it(`from seed ${seed} on, for ${seconds} s`, { timeout: (seconds + 600) * 1000 }, async () => {
    const fuzzer = await Fuzzer.create();
    const search = { seconds, seed, steps: 80, only: null, afterDivergence: 'end' } as const;
    let found: Divergence | null = null as Divergence | null;
    const searched = fuzzer.search(
      search,
      (divergence) => {
        found = divergence;
      },
      (text) => process.stdout.write(text),
    );
    process.stdout.write(closingLine(searched));
    if (found === null) return;
    const program = `--- as a C program\n${reproducer(found.short)}`;
    throw new Error(`seed ${found.seed} differs at step ${found.at}\n${fuzzer.describe(found.short)}${program}`);
  });
});
