import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileForGuest } from '../cli/toolchain.ts';
import { type JitMode, type JitPace, PACES } from '../src/arch/riscv64/jit/pace.ts';
import { MemoryEnvironment } from '../src/machine/memory-environment.ts';
import { System } from '../src/system.ts';
import { runRowsOnce } from './rows-once.ts';

/**
 * `npm run bench -- --quick`: a minute or two, nothing needed but what npm installs. Each figure is a speed divided by that of a
 * fixed loop of the host, measured in the same run, so that it says little of the machine and can be compared with baseline.json.
 * `--save` writes that file. At the end each row of the whole bench runs once, to see that it does; exit status 1 if one fails. Best of ROUNDS (`--rounds N`), of the loop too: what else the machine does only makes things slower.
 */
const roundsAt = process.argv.indexOf('--rounds');
const ROUNDS = roundsAt < 0 ? 10 : Number(process.argv[roundsAt + 1]);
/** Two runs on a busy machine differ by so much. */
const NOISE = 0.2;
const BASELINE = join(import.meta.dirname, 'baseline.json');

/** Name, index in cpu-kernels.c, rounds of it. */
const KERNELS = [
  ['mix', 0, 3000],
  ['sort', 1, 30],
  ['calls', 2, 250],
  ['bytecode', 3, 200],
  ['memory', 4, 200],
  ['float', 5, 120],
] as const;
/**
 * The kernels are measured interpreted, and translated. Translated ones run some times as many rounds: what is interpreted before,
 * and V8's first tier, would be most of a short run. Translation begins at once.
 */
const MODES = [
  ['cpu', 'off', 1],
  ['jit', { ...PACES.on, startAfter: 0 }, 8],
] as const;
const PATHS = [
  ['faults', 60_000],
  ['forks', 2000],
  ['calls', 200_000],
] as const;

/** Only the zig of the npm package, so that everybody measures the same instructions. */
const ENV = { ...process.env, PATH: '', FAULTLINE_CC: '' };

async function compile(source: string, extraFlags: readonly string[]): Promise<string> {
  const built = await compileForGuest(join(import.meta.dirname, source), { extraFlags, env: ENV });
  if ('error' in built) throw new Error(built.error);
  return built.elf;
}

/** CPU time of this process: a machine that is busy with other things changes it less than time on the wall. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Millions a second of a step of xorshift and a load and store of memory: what our own code does most. */
function hostSpeed(): number {
  const words = new Uint32Array(4096);
  const steps = 20_000_000;
  let x = 12345;
  const start = cpuMs();
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[x & 4095] += i;
  }
  const ms = cpuMs() - start;
  if (words[0] === x) console.log('');
  return steps / ms / 1000;
}

interface Ended {
  readonly ms: number;
  readonly instructions: number;
}

/** Runs the program under the whole system to its end. */
function run(elf: Uint8Array, args: readonly string[], jit: JitMode | JitPace): Ended {
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 64 * 2 ** 20, jit });
  system.writeFile('/program', elf, 0o755);
  const pid = system.spawn('/program', ['/program', ...args]);
  const start = cpuMs();
  const status = system.run({ instructions: 2e9 });
  const ms = cpuMs() - start;
  if (status !== 'exited' || system.exitStatus(pid).code === null) throw new Error(`${args.join(' ')}: ${status}`);
  const { instructions } = system.stats({ wallMs: ms });
  system.shutdown();
  return { ms, instructions };
}

interface Case {
  readonly name: string;
  readonly unit: string;
  readonly speed: () => number;
}

/** `--only cpu` (and translated) or `--only kernel`: those cases alone. */
const onlyAt = process.argv.indexOf('--only');
const wants = (kind: 'cpu' | 'kernel'): boolean => onlyAt < 0 || process.argv[onlyAt + 1] === kind;

async function makeCases(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const [name, index, rounds] of wants('cpu') ? KERNELS : []) {
    for (const [group, jit, times] of MODES) {
      const flags = ['-DHOSTED', '-fno-builtin', `-DKERNEL=${index}`, `-DROUNDS=${rounds * times}`];
      const elf = readFileSync(await compile('cpu-kernels.c', flags));
      const speed = () => {
        const { ms, instructions } = run(elf, [], jit);
        return instructions / ms / 1000;
      };
      cases.push({ name: `${group}/${name}`, unit: 'MIPS', speed });
    }
  }
  if (!wants('kernel')) return cases;
  const paths = readFileSync(await compile('quick-paths.c', []));
  for (const [path, count] of PATHS)
    cases.push({
      name: `kernel/${path}`,
      unit: 'k/s',
      speed: () => count / run(paths, [path, String(count)], 'off').ms,
    });
  return cases;
}

export async function runQuick(): Promise<void> {
  const cases = await makeCases();
  const best = new Map<Case, number>();
  let host = 0;
  // Round after round, not case after case: a busy half minute of the machine is not one case's.
  for (let round = 0; round < ROUNDS; round++)
    for (const each of cases) {
      host = Math.max(host, hostSpeed());
      best.set(each, Math.max(best.get(each) ?? 0, each.speed()));
    }

  const baseline: Record<string, number> = JSON.parse(readFileSync(BASELINE, 'utf8'));
  const measured: Record<string, number> = {};
  let slower = 0;
  console.log(`${'host loop'.padEnd(14)} ${host.toFixed(0).padStart(6)} M/s        ratio baseline  change`);
  for (const { name, unit, speed } of [...best].map(([each, value]) => ({ ...each, speed: value }))) {
    const ratio = speed / host;
    measured[name] = Number(ratio.toPrecision(3));
    const before = baseline[name];
    const change = before === undefined ? Number.NaN : ratio / before - 1;
    if (change < -NOISE) slower++;
    const percent = `${change >= 0 ? '+' : ''}${(change * 100).toFixed(0)}%${change < -NOISE ? '  slower' : ''}`;
    const compared = Number.isNaN(change) ? 'not in the baseline' : `${before.toPrecision(3).padStart(8)}  ${percent}`;
    console.log(
      `${name.padEnd(14)} ${speed.toFixed(0).padStart(6)} ${unit.padEnd(6)} ${ratio.toPrecision(3).padStart(8)} ${compared}`,
    );
  }
  if (onlyAt < 0) {
    const { ran, failures } = await runRowsOnce(ENV);
    console.log(`${ran} rows of the whole bench ran once, ${failures.length} failed`);
    for (const failure of failures) console.log(`  ${failure}`);
    if (failures.length > 0) process.exitCode = 1;
  }
  if (process.argv.includes('--save')) writeFileSync(BASELINE, `${JSON.stringify(measured, null, 2)}\n`);
  else if (slower > 0)
    console.log(`${slower} slower than the baseline by more than ${NOISE * 100}%: run again on a quiet machine`);
}
