/** The vdso reads the clocks without a trap, and with the host's clock leaves them to the system call. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { faultline } from '../setup/faultline.ts';
import { GNU, ZIG } from './compilers.ts';

const SOURCE = join(import.meta.dirname, 'machines', 'clocks.c');
const EXPECTED = 'back 0\nvvar 4\nvdso 1 behind it\n';

function countCalls(elf: string, flags: readonly string[]): { output: string; calls: Record<string, number> } {
  const folder = mkdtempSync(join(tmpdir(), 'vdso-'));
  const stats = join(folder, 'stats.json');
  const done = faultline(['run', ...flags, '--stats-json', stats, elf]);
  const { syscalls } = JSON.parse(readFileSync(stats, 'utf8')) as { syscalls: Record<string, number> };
  rmSync(folder, { recursive: true });
  const calls: Record<string, number> = {};
  for (const name of ['clock_gettime', 'gettimeofday', 'clock_getres']) calls[name] = syscalls[name] ?? 0;
  return { output: done.stdout + done.stderr, calls };
}

// glibc looks into the vdso for all three. zig's musl does so on no riscv64 (its arch/riscv64 names no function of the vdso), and
// its gettimeofday is a clock_gettime.
const LIBRARIES = [
  { compiler: GNU, does: 'are read in the vdso', calls: { clock_gettime: 4, gettimeofday: 0, clock_getres: 0 } },
  { compiler: ZIG, does: 'are asked for by call', calls: { clock_gettime: 8004, gettimeofday: 0, clock_getres: 4000 } },
];

describe.each(LIBRARIES)('clocks of $compiler.name', ({ compiler, does, calls }) => {
  it.skipIf(compiler.missing !== '')(
    does,
    async () => {
      const compiled = await compileForGuest(SOURCE, { env: compiler.env });
      if ('error' in compiled) throw new Error(compiled.error);
      // The program's own four system calls are all that is left with a vdso.
      const virtual = countCalls(compiled.elf, []);
      expect(virtual.output).toBe(EXPECTED);
      expect(virtual.calls).toEqual(calls);
      const host = countCalls(compiled.elf, ['--clock', 'host']);
      expect(host.output).toBe(EXPECTED);
      expect(host.calls['clock_gettime']).toBeGreaterThanOrEqual(4004);
    },
    300_000,
  );
});
