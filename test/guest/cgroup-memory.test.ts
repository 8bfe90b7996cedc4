/**
 * Memory and pids controllers, with every count checked every few traps. What the program prints is what Linux's documentation
 * (Documentation/admin-guide/cgroup-v2.rst, 6.18) and its own tests (tools/testing/selftests/cgroup) state: the controllers of the
 * machine that the guest programs are recorded on belong to version 1.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { ZIG } from './compilers.ts';
import { runGuest } from './run.ts';

it.skipIf(ZIG.missing !== '')(
  'memory cgroups count, limit, protect and kill as documented',
  async () => {
    const folder = join(import.meta.dirname, 'machines');
    const program = await compileForGuest(join(folder, 'cgroup-memory.c'), {});
    if ('error' in program) throw new Error(`${program.error}\n${program.diagnostics ?? ''}`);
    const run = runGuest(program.elf, {
      memoryBytes: 32 * 2 ** 20,
      swapBytes: 32 * 2 ** 20,
      invariants: { everyTraps: 32 },
    });
    expect(run.stdout).toBe(readFileSync(join(folder, 'cgroup-memory.txt'), 'utf8'));
    expect([run.code, run.stderr, run.leakedFrames]).toEqual([0, '', 0]);
  },
  300_000,
);

it.skipIf(ZIG.missing !== '')(
  'options of the mount draw the borders of namespaces, and an open memory.peak has a peak of its own',
  async () => {
    const folder = join(import.meta.dirname, 'machines');
    const program = await compileForGuest(join(folder, 'cgroup-options.c'), {});
    if ('error' in program) throw new Error(`${program.error}\n${program.diagnostics ?? ''}`);
    const run = runGuest(program.elf, { memoryBytes: 32 * 2 ** 20, invariants: { everyTraps: 32 } });
    expect(run.stdout).toBe(readFileSync(join(folder, 'cgroup-options.txt'), 'utf8'));
    expect([run.code, run.stderr, run.leakedFrames]).toEqual([0, '', 0]);
  },
  300_000,
);
