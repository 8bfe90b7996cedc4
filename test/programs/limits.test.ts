/** Programs that want more than the machine has: they are refused or killed as by Linux; the machine and its counts stay whole. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { ROOT } from '../setup/faultline.ts';
import { bootTestMachine, type MachineRun, runToEnd } from './machine.ts';

const MIB = 2 ** 20;
let program: Uint8Array;

beforeAll(async () => {
  const compiled = await compileForGuest(join(ROOT, 'test/programs/limits-program.c'), { extraFlags: ['-O1', '-w'] });
  if ('error' in compiled) throw new Error(compiled.error);
  program = readFileSync(compiled.elf);
});

function run(memoryBytes: number, ...args: string[]): MachineRun {
  const machine = bootTestMachine('never', { memoryBytes });
  machine.system.writeFile('/limits', program, 0o755);
  return runToEnd(machine, '/limits', ['/limits', ...args]);
}

describe('processes', () => {
  test('RLIMIT_NPROC refuses with EAGAIN: the limit counts the user’s own tasks', () => {
    const { stdout, exit } = run(64 * MIB, 'nproc', '30');
    expect(stdout).toBe('forked 29, then EAGAIN\nreaped 29, by SIGTERM 29\n');
    expect(exit).toEqual({ code: 0, signal: null });
  });

  test('a fork bomb of the superuser ends at threads-max or by memory', () => {
    const { stdout, exit } = run(32 * MIB, 'bomb', '100000');
    expect(stdout).toMatch(/^forked (\d+), then (EAGAIN|ENOMEM)\nreaped \1, by SIGTERM \1\n$/);
    expect(exit).toEqual({ code: 0, signal: null });
  });

  test('a fork bomb in a small machine ends by memory', () => {
    const { stdout, exit, log } = run(8 * MIB, 'bomb', '100000');
    if (exit.signal === 9) expect(log.join('\n')).toMatch(/Out of memory: Killed process/);
    else expect(stdout).toMatch(/^forked \d+, then (EAGAIN|ENOMEM)\nreaped \d+, by SIGTERM \d+\n$/);
  });

  test('a storm of threads ends with EAGAIN', () => {
    const { stdout, exit } = run(64 * MIB, 'threads');
    expect(stdout).toBe('threads many, then EAGAIN\n');
    expect(exit).toEqual({ code: 3, signal: null });
  });

  test('zombies that nobody waits for go with their parent', () => {
    expect(run(64 * MIB, 'zombies', '100').exit).toEqual({ code: 5, signal: null });
  });

  test('orphans are adopted by init and end in their own time', () => {
    const { stdout, exit } = run(64 * MIB, 'orphans', '20');
    expect(stdout).toBe('orphan\n'.repeat(20));
    expect(exit).toEqual({ code: 6, signal: null });
  });

  test('kill -9 of whole groups', () => {
    const { stdout } = run(64 * MIB, 'groups');
    expect(stdout).toBe([0, 1, 2].map((group) => `group ${group}: 5 killed, then -1\n`).join(''));
  });
});

describe('memory', () => {
  test('a program that touches more than there is is killed, and the log says so', () => {
    const { stdout, exit, log } = run(32 * MIB, 'touch', '64');
    expect(stdout).toBe('');
    expect(exit).toEqual({ code: null, signal: 9 });
    expect(log.join('\n')).toMatch(/Out of memory: Killed process \d+ \(limits\) total-vm:\d+kB, anon-rss:\d+kB/);
  });

  test('the one that takes most is killed, the rest goes on', () => {
    const { stdout, exit, log } = run(32 * MIB, 'touch-child', '64');
    expect(stdout).toBe('child: signal 9\nthe rest goes on\n');
    expect(exit).toEqual({ code: 0, signal: null });
    expect(log.filter((line) => line.includes('Killed process'))).toHaveLength(1);
  });

  test('a system call that fills memory is killed too', () => {
    const { stdout, exit } = run(32 * MIB, 'read-zero', '64');
    expect(stdout).toBe('');
    expect(exit).toEqual({ code: null, signal: 9 });
  });

  test('all threads of the victim end', () => {
    expect(run(32 * MIB, 'touch-threads', '64').exit).toEqual({ code: null, signal: 9 });
  });

  test('endless recursion is SIGSEGV at the limit of the stack', () => {
    expect(run(64 * MIB, 'recurse').exit).toEqual({ code: null, signal: 11 });
  });
});
