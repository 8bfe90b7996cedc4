/** A machine in this process, for tests that look into it. */
import { System, type SystemOptions } from '../../src/index.ts';
import { MemoryEnvironment } from '../../src/machine/memory-environment.ts';

export interface TestMachine {
  readonly system: System;
  readonly environment: MemoryEnvironment;
}

export interface MachineRun {
  readonly exit: { readonly code: number | null; readonly signal: number | null };
  readonly stdout: string;
  readonly stderr: string;
  /** The kernel's log. */
  readonly log: readonly string[];
}

export function bootTestMachine(
  invariants: 'never' | 'every-trap',
  options: Omit<SystemOptions, 'environment' | 'invariants'> = {},
): TestMachine {
  const environment = new MemoryEnvironment();
  environment.endInput();
  return { system: new System({ environment, invariants, ...options }), environment };
}

/** Runs one program until all processes have ended, checks every count, shuts down and asserts that no frame is missing. */
export function runToEnd(
  machine: TestMachine,
  program: string,
  argv: readonly string[],
  limits: { readonly instructions: number } = { instructions: 4e9 },
): MachineRun {
  const { system, environment } = machine;
  const text = (descriptor: 0 | 1): string => Buffer.concat(environment.output[descriptor]).toString('utf8');
  const pid = system.spawn(program, argv, { env: ['PATH=/bin', 'HOME=/root'] });
  if (pid < 0) throw new Error(`spawn ${program}: ${pid}`);
  const status = system.run(limits);
  if (status !== 'exited') throw new Error(`ended as ${status}; printed so far:\n${text(0)}${text(1)}`);
  system.checkInvariants();
  const exit = system.exitStatus(pid);
  const log = system.kernel.dmesg.map((line) => line.text);
  const { leakedFrames } = system.shutdown();
  if (leakedFrames !== 0) throw new Error(`${leakedFrames} frames were not given back`);
  return { exit, stdout: text(0), stderr: text(1), log };
}
