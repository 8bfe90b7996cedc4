import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileForGuest, defaultCacheDir, findToolchain } from '../cli/toolchain.ts';
import type { JitMode } from '../src/arch/riscv64/jit/pace.ts';
import type { ChildRequest } from './faultline-child.ts';
import type { Row } from './rows.ts';
import { MarkerReader, NO_TIME, type Sample } from './sample.ts';

export type PlatformName = 'faultline' | 'native' | 'qemu';

/** One place where programs run. */
export interface Platform {
  readonly name: PlatformName;
  /** What it is, with its version, for the report. */
  readonly title: string;
  /** Runs `row` with n operations; null where this platform has not got the program. */
  run(row: Row, n: number): Sample | null;
}

export interface Platforms {
  /** riscv64 programs by name. */
  readonly guest: ReadonlyMap<string, string>;
  readonly present: readonly Platform[];
  /** One line each: what is absent, and what would bring it. */
  readonly absent: readonly string[];
  /** Removes the folder in which the programs ran. */
  close(): void;
}

/** Programs of riscv64 Debian, where the test suite has put them (README.md of this folder). */
export const DEBIAN_ROOT = join(import.meta.dirname, '../.cache/debian-riscv64-dynamic');
export const GUEST_FLAGS = ['-O2', '-ffp-contract=off', '-static', '-pthread'];
const FAILED: Sample = { ns: 0, cpuNs: 0, wholeNs: 0, wholeCpuNs: 0, skipped: null, check: null, failed: '' };

/** Finds what is here and compiles `programs` for it. */
export async function findPlatforms(programs: readonly string[], jit: JitMode): Promise<Platforms> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  const guest = new Map<string, string>();
  for (const name of programs) {
    const built = await compileForGuest(sourceOf(name), { extraFlags: GUEST_FLAGS });
    if ('error' in built) throw new Error(built.error);
    guest.set(name, built.elf);
  }
  const toolchain = findToolchain();
  const guestCompiler = 'error' in toolchain ? '' : toolchain.name;
  const present: Platform[] = [faultline(guest, folder, guestCompiler, jit)];
  const absent: string[] = [];
  const compiler = ['cc', 'gcc', 'clang'].find((name) => versionOf(name) !== null);
  if (process.platform !== 'linux') absent.push('native: this host is not Linux');
  else if (compiler === undefined) absent.push('native: there is no C compiler (Debian: apt install gcc)');
  else present.push(native(compiler, programs, folder));
  const qemu = ['qemu-riscv64', 'qemu-riscv64-static'].find((name) => versionOf(name) !== null);
  if (qemu === undefined) absent.push('qemu: there is no qemu-riscv64 (Debian: apt install qemu-user)');
  else present.push(qemuUser(qemu, guest, folder));
  return { guest, present, absent, close: () => rmSync(folder, { recursive: true, force: true }) };
}

function sourceOf(program: string): string {
  return join(import.meta.dirname, 'guest', `${program}.c`);
}

/** The first line that `command --version` prints, or null where it does not run. */
function versionOf(command: string): string | null {
  const run = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return run.status === 0 ? run.stdout.split('\n')[0] : null;
}

function faultline(guest: ReadonlyMap<string, string>, folder: string, compiler: string, jit: JitMode): Platform {
  return {
    name: 'faultline',
    title: `Faultline (--jit ${jit}) in Node ${process.version} (programs by ${versionOf(compiler) ?? compiler})`,
    run(row, n) {
      const program = guest.get(row.program);
      if (program === undefined && !existsSync(join(DEBIAN_ROOT, 'usr/bin', row.program))) return null;
      const request = (args: readonly string[]): ChildRequest => ({
        program: program ?? `/usr/bin/${row.program}`,
        args,
        folder,
        root: program === undefined ? DEBIAN_ROOT : null,
        memoryMiB: row.memoryMiB ?? 256,
        swapMiB: row.swapMiB ?? 0,
        jit,
      });
      return runRow(row, n, (args) => {
        // This very bundle, as the child of itself.
        const self = process.env['FAULTLINE_BENCH_BUNDLE'] ?? fileURLToPath(import.meta.url);
        const child = spawnSync(process.execPath, [self, '--child', JSON.stringify(request(args))], {
          encoding: 'utf8',
          maxBuffer: 1 << 26,
        });
        if (child.status !== 0) return { ...FAILED, failed: child.stderr.trim().split('\n').slice(-8).join(' | ') };
        return JSON.parse(child.stdout) as Sample;
      });
    },
  };
}

function native(compiler: string, programs: readonly string[], folder: string): Platform {
  const cache = join(defaultCacheDir(), 'native');
  mkdirSync(cache, { recursive: true });
  for (const name of programs) {
    const source = sourceOf(name);
    const binary = join(cache, name);
    const isFresh = [source, join(import.meta.dirname, 'guest/bench.h')].every(
      (input) => (statSync(binary, { throwIfNoEntry: false })?.mtimeMs ?? 0) > statSync(input).mtimeMs,
    );
    if (!isFresh)
      execFileSync(compiler, [...GUEST_FLAGS, source, '-o', binary, '-lm'], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
  }
  return {
    name: 'native',
    title: `Linux on this machine (programs by ${versionOf(compiler)})`,
    run(row, n) {
      const binary = programs.includes(row.program) ? join(cache, row.program) : row.program;
      if (binary === row.program && versionOf(binary) === null) return null;
      return runRow(row, n, (args) => runHere(binary, args, folder));
    },
  };
}

function qemuUser(qemu: string, guest: ReadonlyMap<string, string>, folder: string): Platform {
  return {
    name: 'qemu',
    title: `${versionOf(qemu)} (user mode) on this machine`,
    run(row, n) {
      const elf = guest.get(row.program);
      const debian = join(DEBIAN_ROOT, 'usr/bin', row.program);
      if (elf === undefined && !existsSync(debian)) return null;
      const before = elf === undefined ? ['-L', DEBIAN_ROOT, debian] : [elf];
      return runRow(row, n, (args) => runHere(qemu, [...before, ...args], folder));
    },
  };
}

function runHere(program: string, args: readonly string[], folder: string): Sample {
  const markers = new MarkerReader('program');
  const startMs = performance.now();
  const run = spawnSync(program, args, { cwd: folder, maxBuffer: 1 << 26 });
  const wholeMs = performance.now() - startMs;
  if (run.status !== 0) return { ...FAILED, failed: `exit ${run.status}, ${run.signal}: ${run.stderr}` };
  markers.take(run.stdout, NO_TIME);
  return markers.sample({ wallNs: wholeMs * 1e6, cpuNs: wholeMs * 1e6 });
}

/** With markers, or as the difference of two whole runs. */
function runRow(row: Row, n: number, run: (args: readonly string[]) => Sample): Sample {
  if (row.whole === undefined) return run([row.name, String(n)]);
  const idle = run(row.whole.idle);
  const busy = run(row.whole.args(n));
  const difference = (name: 'wholeNs' | 'wholeCpuNs'): number => Math.max(1, busy[name] - idle[name]);
  return {
    ...busy,
    failed: idle.failed ?? busy.failed,
    ns: difference('wholeNs'),
    cpuNs: difference('wholeCpuNs'),
  };
}
