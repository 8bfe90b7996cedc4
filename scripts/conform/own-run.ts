import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { NodeHostFiles } from '../../cli/node-host-files.ts';
import { compileForGuest } from '../../cli/toolchain.ts';
import { UsageError } from '../../cli/usage-error.ts';
import { MemoryEnvironment, System, type SystemOptions } from '../../src/index.ts';
import type { Program } from './own-cases.ts';

/** Both sides: each runs a program of ours with all its cases and gives what it printed. */

const FLAGS = ['-std=gnu11', '-Wall', '-Wextra', '-pthread'];
const SLICE_INSTRUCTIONS = 10_000_000;
/** No program of cases needs a tenth of it. */
const MAX_INSTRUCTIONS = 20_000_000_000;
/** The same everywhere, since some results depend on it; small, so that a check at every trap is quick. */
const MEMORY_BYTES = 64 * 2 ** 20;
/** Always the compiler that comes with npm install: what a case prints must not depend on the machine. */
const ZIG_ENV = { ...process.env, PATH: '', FAULTLINE_CC: '' };

/** For example "Linux 6.18.44 x86_64"; null where the host is not Linux. */
export function nativeKernel(): string | null {
  if (process.platform !== 'linux') return null;
  const machine = process.arch === 'x64' ? 'x86_64' : process.arch;
  return `Linux ${/^[\d.]+/.exec(release())?.[0] ?? release()} ${machine}`;
}

/** "Linux 6.18 x86_64" of both: releases of one series answer alike. */
export function isSameKernel(one: string, other: string): boolean {
  const series = (kernel: string) => kernel.replace(/(\d+\.\d+)\S*/, '$1');
  return series(one) === series(other);
}

export function findNativeCompiler(): string | null {
  return ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0) ?? null;
}

/** Throws UsageError if it cannot be compiled or does not end well. */
export function runNative(program: Program, compiler: string, filter: string | null): string {
  const work = mkdtempSync(join(tmpdir(), 'conform-'));
  try {
    const binary = join(work, program.name);
    try {
      execFileSync(compiler, ['-O1', ...FLAGS, program.source, '-o', binary], { stdio: 'pipe', encoding: 'utf8' });
    } catch (error) {
      throw new UsageError(`${program.name}: ${compiler} failed:\n${(error as { stderr: string }).stderr}`);
    }
    const args = filter === null ? [] : [filter];
    const run = spawnSync(binary, args, { encoding: 'latin1', timeout: 300_000, input: '', cwd: work });
    if (run.status !== 0)
      throw new UsageError(`${program.name}: ended with ${run.status ?? run.signal}\n${run.stdout}`);
    return run.stdout;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export interface OwnRun {
  readonly output: string;
  /** Frames that were free at boot and are not after the shutdown. */
  readonly leakedFrames: number;
}

export interface OurOptions extends Pick<SystemOptions, 'invariants'> {
  readonly filter?: string | null;
}

/** Throws UsageError if it cannot be compiled or started or does not end, KernelPanic for a broken invariant. */
export async function runOurs(program: Program, options: OurOptions): Promise<OwnRun> {
  const compiled = await compileForGuest(program.source, { extraFlags: FLAGS, env: ZIG_ENV });
  if ('error' in compiled) throw new UsageError(`${compiled.error}\n${compiled.diagnostics ?? ''}`);
  const parts: Uint8Array[] = [];
  const host = new NodeHostFiles();
  const environment = new MemoryEnvironment({
    host,
    stdio: ['null', 'pipe', 'pipe'],
    onOutput: (_, bytes) => parts.push(bytes.slice()),
  });
  const system = new System({ environment, memoryBytes: MEMORY_BYTES, invariants: options.invariants });
  const path = `/conform/${basename(compiled.elf)}`;
  system.mount({ host: compiled.elf, guest: path, mode: 'ro' });
  const args = [program.name, ...(options.filter ? [options.filter] : [])];
  const pid = system.spawn(path, args, { env: ['PATH=/bin:/usr/bin', 'LC_ALL=C'], cwd: '/tmp' });
  if (pid < 0) throw new UsageError(`${program.name}: cannot be started: error ${-pid}`);
  let status = 'budget';
  for (let spent = 0; status === 'budget' && spent < MAX_INSTRUCTIONS; spent += SLICE_INSTRUCTIONS)
    status = system.run({ instructions: SLICE_INSTRUCTIONS });
  const output = Buffer.concat(parts).toString('latin1');
  if (status !== 'exited') throw new UsageError(`${program.name}: did not end (${status})\n${output}`);
  const { leakedFrames } = system.shutdown();
  host.closeAll();
  return { output, leakedFrames };
}
