import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compileForGuest } from '../cli/toolchain.ts';
import { childrenCpuMs } from './children-cpu.ts';
import { median } from './measure.ts';
import { plainEnvironment } from './plain-environment.ts';
import { GUEST_FLAGS } from './platforms.ts';

/** From the start of the process to its end, medians. */
export interface StartUp {
  /** `faultline run` of a static program that ends at once. */
  readonly faultlineMs: number;
  /** Node with nothing to do: what of it is not ours. */
  readonly nodeMs: number;
  /** The same in CPU time of all threads, for a machine that is busy. */
  readonly faultlineCpuMs: number;
  readonly nodeCpuMs: number;
}

/** What a process took. */
interface Taken {
  readonly wallMs: number;
  readonly cpuMs: number;
}

const CLI = join(import.meta.dirname, '../dist/cli.js');

/** null: dist/ is not built. `program` ends at once when it gets no arguments. */
export function measureStartUp(program: string, rounds: number): StartUp | null {
  if (!existsSync(CLI)) return null;
  const faultline: Taken[] = [];
  const node: Taken[] = [];
  const time = (args: readonly string[]): Taken => {
    const [start, startMs] = [childrenCpuMs(), performance.now()];
    spawnSync(process.execPath, args, { stdio: 'ignore', env: plainEnvironment() });
    return { wallMs: performance.now() - startMs, cpuMs: childrenCpuMs() - start };
  };
  // The first run leaves V8's code cache (cli/launch.ts).
  time([CLI, 'run', program]);
  for (let round = 0; round < rounds; round++) {
    faultline.push(time([CLI, 'run', program]));
    node.push(time(['-e', '0']));
  }
  const of = (all: readonly Taken[], what: keyof Taken): number =>
    median(all.map((each) => each[what]).sort((a, b) => a - b));
  return {
    faultlineMs: of(faultline, 'wallMs'),
    nodeMs: of(node, 'wallMs'),
    faultlineCpuMs: of(faultline, 'cpuMs'),
    nodeCpuMs: of(node, 'cpuMs'),
  };
}

export function formatStartUp({ faultlineMs, nodeMs, faultlineCpuMs, nodeCpuMs }: StartUp): string {
  const cpu = `${faultlineCpuMs.toFixed(0)} and ${nodeCpuMs.toFixed(0)} ms of CPU time`;
  return `start-up: faultline run of a static program that ends at once ${faultlineMs.toFixed(0)} ms, of which node ${nodeMs.toFixed(0)} ms (${cpu})`;
}

/** `npm run bench -- --start-up [--rounds N]`. */
export async function runStartUp(): Promise<void> {
  const roundsAt = process.argv.indexOf('--rounds');
  const source = join(import.meta.dirname, 'guest/integers.c');
  const built = await compileForGuest(source, { extraFlags: GUEST_FLAGS });
  if ('error' in built) throw new Error(built.error);
  const startUp = measureStartUp(built.elf, roundsAt < 0 ? 21 : Number(process.argv[roundsAt + 1]));
  console.log(startUp === null ? 'start-up: dist/ is not built: npm run build' : formatStartUp(startUp));
}
