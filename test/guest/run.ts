/**
 * Runs one guest program in Faultline, in this process: a System of its own with every count of the memory manager recomputed
 * at each trap. FAULTLINE_GUEST_RUNNER (for work on the programs themselves) names another runner, for example qemu-riscv64;
 * FAULTLINE_JIT=on or always runs all of them translated.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { NodeEnvironment } from '../../cli/node-environment.ts';
import type { JitMode } from '../../src/arch/riscv64/jit/pace.ts';
import { System, type SystemOptions } from '../../src/index.ts';
import type { StdioKind } from '../../src/machine/environment.ts';

export interface GuestRun {
  readonly stdout: string;
  readonly stderr: string;
  /** As wait4 tells it: one of the two is null. */
  readonly code: number | null;
  readonly signal: number | null;
  /** Frames that were free at boot and are not after the shutdown; 0 for another runner. */
  readonly leakedFrames: number;
}

export interface GuestRunOptions extends Partial<Pick<SystemOptions, 'memoryBytes' | 'invariants' | 'seed' | 'jit'>> {
  readonly stdin?: string;
  readonly args?: readonly string[];
  /** Where the program starts: tmpfs, or an empty folder with a store behind it, as on a disk: swap can lie there. */
  readonly cwd?: 'tmpfs' | 'disk';
  /** A swap area of memory outside of the RAM. */
  readonly swapBytes?: number;
}

/** Small, so that the check at every trap (which looks at each frame) is quick. */
const MEMORY_BYTES = 64 * 2 ** 20;
const SLICE_INSTRUCTIONS = 1_000_000;
/** No guest program needs a tenth of it. */
const MAX_INSTRUCTIONS = 2_000_000_000;
const GUEST_ENV = ['PATH=/bin:/usr/bin', 'HOME=/root', 'LC_ALL=C'];

/** The host of one test: its files and clock are Node's, its standard streams are strings. */
class TestEnvironment extends NodeEnvironment {
  override readonly stdio: readonly [StdioKind, StdioKind, StdioKind] = ['pipe', 'pipe', 'pipe'];
  readonly written = ['', '', ''];
  private input: Uint8Array;

  constructor(stdin: string) {
    super();
    this.input = Buffer.from(stdin, 'latin1');
  }
  override readInput(max: number): Uint8Array | 'eof' {
    if (this.input.length === 0) return 'eof';
    const part = this.input.subarray(0, max);
    this.input = this.input.subarray(part.length);
    return part;
  }
  override writeOutput(descriptor: 1 | 2, bytes: Uint8Array): number {
    this.written[descriptor] += Buffer.from(bytes).toString('latin1');
    return 0;
  }
}

/** Throws KernelPanic for a broken invariant, and Error for a program that waits for ever or does not end. */
export function runGuest(elf: string, options: GuestRunOptions = {}): GuestRun {
  const other = process.env['FAULTLINE_GUEST_RUNNER'];
  if (other) return runElsewhere(other, elf, options);
  const environment = new TestEnvironment(options.stdin ?? '');
  const system = new System({
    environment,
    memoryBytes: options.memoryBytes ?? MEMORY_BYTES,
    seed: options.seed,
    jit: options.jit ?? (process.env['FAULTLINE_JIT'] as JitMode | undefined),
    invariants: options.invariants ?? 'every-trap',
  });
  if (options.swapBytes !== undefined) system.addSwap({ sizeBytes: options.swapBytes });
  const program = `/guest/${basename(elf)}`;
  system.mount({ host: elf, guest: program, mode: 'ro' });
  const cwd = options.cwd === 'disk' ? mountDisk(system) : '/tmp';
  const pid = system.spawn(program, [program, ...(options.args ?? [])], { env: GUEST_ENV, cwd });
  if (pid < 0) throw new Error(`the program cannot be started: error ${-pid}`);
  let status = 'budget';
  for (let spent = 0; status === 'budget' && spent < MAX_INSTRUCTIONS; spent += SLICE_INSTRUCTIONS)
    status = system.run({ instructions: SLICE_INSTRUCTIONS });
  const [, stdout, stderr] = environment.written;
  if (status !== 'exited') throw new Error(`did not end (${status}); printed so far:\n${stdout}${stderr}`);
  const { leakedFrames, hostErrors } = system.shutdown();
  environment.host.closeAll();
  if (hostErrors.length > 0) throw new Error(hostErrors.join('\n'));
  return { stdout: stdout!, stderr: stderr!, ...system.exitStatus(pid), leakedFrames };
}

/** What is written there is dropped at the end. */
function mountDisk(system: System): string {
  const host = mkdtempSync(join(tmpdir(), 'faultline-disk-'));
  system.mount({ host, guest: '/disk', mode: 'overlay' });
  rmSync(host, { recursive: true });
  return '/disk';
}

function runElsewhere(command: string, elf: string, options: GuestRunOptions): GuestRun {
  const work = mkdtempSync(join(tmpdir(), 'faultline-guest-'));
  try {
    const run = spawnSync(command, [elf, ...(options.args ?? [])], {
      cwd: work,
      input: options.stdin ?? '',
      encoding: 'latin1',
      timeout: 60_000,
    });
    const code = run.status === null || run.status > 128 ? null : run.status;
    const signal = code === null ? (run.status ?? 128 + 9) - 128 : null;
    return { stdout: run.stdout, stderr: run.stderr, code, signal, leakedFrames: 0 };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
