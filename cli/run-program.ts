import { closeSync, existsSync, openSync, readFileSync, readSync, realpathSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import {
  type ExitStatus,
  RECLAIM_POLICIES,
  type RecordedMachine,
  type RunStats,
  type SwapSource,
  System,
  type SystemOptions,
} from '../src/index.ts';
import { droppedFilesNote } from './dropped-files.ts';
import { HostSignals } from './host-signals.ts';
import { HostSlices } from './host-slices.ts';
import { withLateTierUp } from './late-tier-up.ts';
import { monotonicMs } from './monotonic-ms.ts';
import type { MountOption } from './mount-option.ts';
import { NodeEnvironment } from './node-environment.ts';
import { explainNotRunnable } from './not-runnable.ts';
import { loadReclaim } from './policy-file.ts';
import { withProgress } from './progress.ts';
import { RECORDING_FORMAT, type RecordingEnd } from './recording-format.ts';
import { RecordingWriter } from './recording-writer.ts';
import type { RunOptions } from './run.ts';
import { endMachine, mustHaveNoLeak, parseSelfCheck, SELF_CHECK_VARIABLE } from './self-check.ts';
import { formatStatsTable } from './stats-table.ts';
import { openTerminal } from './terminal.ts';
import { compileForGuest } from './toolchain.ts';
import { startTrace } from './trace-option.ts';
import { UsageError } from './usage-error.ts';

declare const FAULTLINE_VERSION: string;

const SOURCE_EXTENSIONS = new Set(['.c', '.cc', '.cpp', '.cxx']);
/** Instructions between two looks at the host's terminal and signals: some 10 to 50 ms of host time. */
const SLICE_INSTRUCTIONS = 4_000_000;
const SIGWINCH = 28;

export interface RunHooks {
  /** Called before the first instruction. */
  readonly watch?: (system: System, pid: number) => void;
  /** Called after each trap; it must not change the machine. Not with recordTo. */
  readonly between?: (system: System) => void;
  /** With its counters, when all has ended. */
  readonly ended?: (exit: ExitStatus, stats: RunStats) => void;
  /** 'at the end': what the program writes comes when it has ended. */
  readonly output?: 'shown' | 'at the end';
  /** File for a recording. */
  readonly recordTo?: string;
  /** Instructions from one checkpoint of the recording to the next. */
  readonly checkpointEvery?: number;
}

/** Runs one program to its end; returns the exit status for our own process: the program's, or 128 + N after signal N. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: RunOptions,
  { watch, between, ended: onEnded, output = 'shown', recordTo, checkpointEvery }: RunHooks = {},
): Promise<number> {
  const environment = new NodeEnvironment();
  if (output === 'at the end') environment.holdOutput();
  const startedMs = monotonicMs();
  const here = currentFolder();
  // All of the host as the guest's root, when that is where we stand: nothing may lie over /dev, /proc and /tmp.
  const root = options.root ?? (here === '/' ? '/' : undefined);
  const check = parseSelfCheck(process.env[SELF_CHECK_VARIABLE]);
  const reclaim = await loadReclaim(options.reclaim);
  const machine = machineOptions(options, root);
  const recorder =
    recordTo === undefined ? null : startRecording(recordTo, [file, ...args], { machine, environment, options });
  const system = makeSystem({
    ...machine,
    environment,
    reclaim,
    jit: options.jit,
    invariants: check.invariants,
    journal: recorder ?? undefined,
  });
  const trace = openSink('--trace-file', options.traceFile);
  const endTrace = options.trace === undefined ? () => {} : startTrace(system, options.trace, trace.write);
  recorder?.watch(system, checkpointEvery);
  const base = root === undefined ? { host: here, guest: here } : { host: resolve(root), guest: '/' };
  const mounts: MountOption[] = [{ ...base, mode: 'overlay' }, ...options.mount];
  for (const option of root === undefined ? mounts : options.mount) {
    if (!existsSync(option.host)) throw new UsageError(`--mount ${option.host}: there is no such file or folder`);
    mount(system, option);
  }
  for (const option of options.swap) addSwap(system, option);
  const program = await findProgram(file, system, options);
  const cwd = options.cwd ?? (options.root === undefined ? here : '/');
  if (system.access(cwd) < 0) throw new UsageError(`--cwd ${cwd}: the guest has no such folder`);

  const statsJson = options.statsJson === undefined ? null : openSink('--stats-json', options.statsJson);
  if (options.strace === true) system.traceSyscalls(openSink('--strace', undefined).write);

  const spawned = system.spawn(program.guest, [program.argv0, ...args], {
    env: guestEnvironment(options.env, environment),
    cwd,
  });
  if (spawned < 0) {
    recorder?.discard();
    mustHaveNoLeak(endMachine(system, check));
    throw explainNotRunnable(file, spawned, options);
  }
  watch?.(system, spawned);
  // A person sees sleeps last, and can interrupt them; otherwise time in which nothing runs takes no time.
  const idle = environment.stdio[0] === 'tty' || options.clock === 'host' ? 'wait' : 'skip';
  let exit: ExitStatus;
  let stats: RunStats;
  let ended: ReturnType<typeof endMachine>;
  let recorded: RecordingEnd | null = null;
  try {
    await runToEnd(system, spawned, environment, {
      idle,
      between,
      slices: recorder === null ? null : new HostSlices(),
    });
    // The end of the machine is no part of the run.
    endTrace();
    exit = system.exitStatus(spawned);
    stats = system.stats({ wallMs: monotonicMs() - startedMs });
    ended = endMachine(system, check);
    const { wallMs: _, ...counters } = stats;
    recorded = { exitStatus: exitStatusOf(exit), stats: counters };
  } finally {
    // Of a panic too: trace and recording hold what led to it.
    trace.close();
    await recorder?.close(recorded);
  }
  environment.host.closeAll();

  for (const line of ended.hostErrors) process.stderr.write(`faultline: ${line}\n`);
  const dropped = droppedFilesNote(ended.droppedFiles, mounts, here);
  if (dropped !== null) process.stderr.write(`faultline: ${dropped}\n`);
  noteAbsentCalls(stats.absentSyscalls);
  statsJson?.write(JSON.stringify({ exit, ...stats }, null, 2));
  statsJson?.close();
  onEnded?.(exit, stats);
  environment.releaseOutput();
  if (options.stats === true) process.stderr.write(formatStatsTable(stats, [file, ...args].join(' ')));
  mustHaveNoLeak(ended);
  return exitStatusOf(exit);
}

function exitStatusOf({ code, signal }: ExitStatus): number {
  return signal !== null ? 128 + signal : (code ?? 0);
}

interface RunManner {
  readonly idle: 'skip' | 'wait';
  readonly between: ((system: System) => void) | undefined;
  /** null: all are as long. */
  readonly slices: HostSlices | null;
}

/** Until every program has ended. Signals that our own process gets are the program's. */
async function runToEnd(
  system: System,
  pid: number,
  environment: NodeEnvironment,
  { idle, between, slices }: RunManner,
): Promise<void> {
  const terminal = openTerminal(environment);
  const stopWhen =
    between === undefined
      ? undefined
      : () => {
          between(system);
          return false;
        };
  let isEnded = false;
  const signals = new HostSignals((signo) => {
    // With the program gone, only what it left in the background is still running.
    if (system.sendSignal(pid, signo) < 0 && signo !== SIGWINCH) isEnded = true;
    terminal.wake();
  });
  environment.whileBlocked = (run) => signals.suspended(run);
  try {
    while (!isEnded) {
      const startedMs = monotonicMs();
      const status = system.run({ instructions: slices?.next ?? SLICE_INSTRUCTIONS, idle, stopWhen });
      slices?.took(monotonicMs() - startedMs);
      if (status === 'exited') break;
      if (status === 'idle-input') await terminal.nextInput(Number.POSITIVE_INFINITY);
      else if (status === 'idle-timer') {
        const sinceMs = monotonicMs();
        await terminal.nextInput(system.idleNs() / 1e6);
        system.skipIdle((monotonicMs() - sinceMs) * 1e6);
      } else await terminal.breathe();
    }
  } finally {
    signals.close();
    terminal.close();
  }
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    throw new UsageError('the current folder is gone');
  }
}

function mount(system: System, option: MountOption): void {
  try {
    system.mount(option);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

function addSwap(system: System, option: SwapSource): void {
  if ('host' in option && !existsSync(option.host))
    throw new UsageError(`--swap ${option.host}: there is no such file`);
  try {
    system.addSwap(option);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--swap: ${error.message}`);
    throw error;
  }
}

/** What the machine is made of, as a recording keeps it; throws UsageError if the root is none. */
function machineOptions(options: RunOptions, root: string | undefined): RecordedMachine['options'] {
  if (root !== undefined && !statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new UsageError(`--root ${root}: there is no such folder`);
  }
  const { memory, seed, clock, paging, vmaIndex, hugepages, inject, disk } = options;
  return {
    memoryBytes: memory,
    seed,
    clock,
    paging,
    vmaIndex,
    hugepages,
    inject,
    disk,
    root: root === undefined ? null : { host: resolve(root) },
  };
}

function makeSystem(options: SystemOptions): System {
  try {
    return withLateTierUp(() => new System(options));
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--memory: ${error.message}`);
    throw error;
  }
}

function startRecording(
  file: string,
  command: readonly string[],
  run: { machine: RecordedMachine['options']; environment: NodeEnvironment; options: RunOptions },
): RecordingWriter {
  const { reclaim } = run.options;
  const name = RECLAIM_POLICIES.find((each) => each === reclaim);
  const options = name === undefined ? run.machine : { ...run.machine, reclaim: name };
  return new RecordingWriter(file, {
    format: RECORDING_FORMAT,
    faultline: FAULTLINE_VERSION,
    command,
    machine: { options, stdio: run.environment.stdio, hasHost: true },
    policy: name === undefined ? { name: basename(reclaim), text: readFileSync(reclaim, 'utf8') } : null,
  });
}

interface Program {
  /** Where the guest finds it. */
  readonly guest: string;
  readonly argv0: string;
}

/**
 * The program in the guest's tree; a file outside of what the guest sees is mounted by itself, read-only. With --root an absolute path means
 * the guest's file first: /bin/sh is not the host's.
 */
async function findProgram(file: string, system: System, options: RunOptions): Promise<Program> {
  const isGuests = options.root !== undefined && file.startsWith('/') && system.access(file) >= 0;
  if (isGuests || (options.root !== undefined && !existsSync(file))) return { guest: file, argv0: file };
  const host = resolve(file);
  const stat = statSync(host, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`${file}: there is no such file`, 127);
  if (stat.isDirectory()) throw new UsageError(`${file}: is a folder, not a program`, 126);
  if (!SOURCE_EXTENSIONS.has(extname(host))) {
    showFile(system, host);
    return { guest: host, argv0: file };
  }
  const compiled = await withProgress(`compiling ${file} for riscv64`, () => compileForGuest(host, {}));
  if ('error' in compiled) {
    if (compiled.diagnostics !== undefined) process.stderr.write(compiled.diagnostics);
    throw new UsageError(compiled.error);
  }
  // As `cc -o hello hello.c` beside the source; a folder of that name stays.
  const name = basename(host, extname(host));
  const isTaken = statSync(join(dirname(host), name), { throwIfNoEntry: false })?.isDirectory() === true;
  const stem = isTaken ? `${name}.riscv64` : name;
  const guest = join(dirname(host), stem);
  mount(system, { host: compiled.elf, guest, mode: 'ro' });
  return { guest, argv0: file.slice(0, -basename(file).length) + stem };
}

/** Makes one file of the host visible at its own path. A link is in the guest's tree already when its folder is: then its target is shown. */
function showFile(system: System, host: string): void {
  if (system.access(host) >= 0) return;
  const real = realpathSync(host);
  if (system.access(real) < 0) mount(system, { host: real, guest: real, mode: 'ro' });
  if (system.access(host) < 0) mount(system, { host: real, guest: host, mode: 'ro' });
}

/**
 * What a program sees in its environment: the same on every machine, so that runs repeat, and nothing of the host's but the
 * terminal's type.
 */
function guestEnvironment(given: readonly string[], environment: NodeEnvironment): string[] {
  const variables = new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
    ['USER', 'root'],
    ['SHELL', '/bin/sh'],
    ['LANG', 'C.UTF-8'],
  ]);
  if (environment.stdio.includes('tty')) variables.set('TERM', process.env.TERM ?? 'xterm');
  for (const text of given) {
    const at = text.indexOf('=');
    if (at === 0 || text === '') throw new UsageError(`--env ${text}: write it as NAME=VALUE`);
    if (at > 0) variables.set(text.slice(0, at), text.slice(at + 1));
    else if (process.env[text] !== undefined) variables.set(text, process.env[text]);
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

interface Sink {
  write: (line: string) => void;
  close: () => void;
}

/** Lines to a file, or to standard error; gathered, so that a million lines are not a million writes. */
function openSink(option: string, file: string | undefined): Sink {
  let descriptor = 2;
  if (file !== undefined) {
    try {
      descriptor = openSync(file, 'w');
    } catch (error) {
      throw new UsageError(`${option} ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
  }
  let pending = '';
  const flush = () => {
    writeAll(descriptor, pending);
    pending = '';
  };
  // Standard error shares the terminal with the program's own output, so there each line goes out in its turn.
  const limit = file === undefined ? 0 : 65_536;
  return {
    write: (line) => {
      pending += `${line}\n`;
      if (pending.length > limit) flush();
    },
    close: () => {
      flush();
      if (file !== undefined) closeSync(descriptor);
    },
  };
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') continue;
      if (code === 'EPIPE' || descriptor === 2) return;
      throw new UsageError(`the trace cannot be written (${code})`);
    }
  }
}

function noteAbsentCalls(calls: Readonly<Record<string, number>>): void {
  const names = Object.keys(calls);
  if (names.length === 0) return;
  const shown = names.map((name) => `${name} (${calls[name]})`).join(', ');
  process.stderr.write(`faultline: answered ENOSYS to system calls that are not there: ${shown}\n`);
}

/** The first bytes of a file, for messages. */
export function headOf(file: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const descriptor = openSync(file, 'r');
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, 0));
  } finally {
    closeSync(descriptor);
  }
}
