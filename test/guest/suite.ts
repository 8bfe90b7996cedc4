import { beforeAll, describe, expect, it } from 'vitest';
import type { CompileResult } from '../../cli/toolchain.ts';
import type { GuestCompiler } from './compilers.ts';
import { compileAll, listGuestPrograms } from './programs.ts';
import { runGuest } from './run.ts';

/**
 * Each program under guest/ prints in Faultline what it printed on real Linux, and exits 0; at every trap
 * all invariants hold; at the end every frame is free again. One file per compiler, so that they run side by side.
 */
export function testGuestPrograms(compiler: GuestCompiler): void {
  const programs = listGuestPrograms();
  let compiled: Map<string, CompileResult>;

  describe.skipIf(compiler.missing !== '')(`guest programs, ${compiler.name} ${compiler.missing}`, () => {
    beforeAll(async () => {
      compiled = await compileAll(programs, compiler.env);
    }, 900_000);

    it.each(programs)('$name', ({ name, expected }) => {
      const program = compiled.get(name)!;
      if ('error' in program) throw new Error(`${program.error}\n${program.diagnostics ?? ''}`);
      expect(expected, 'recorded by scripts/record-native.mjs').not.toBeNull();
      // Swap needs a disk to lie on, and O_DIRECT one to go to.
      const run = runGuest(program.elf, { cwd: /^(swap|disk)-/.test(name) ? 'disk' : 'tmpfs' });
      const ended = run.code === 0 ? '' : `[code ${run.code} signal ${run.signal}]\n${run.stderr}`;
      expect(run.stdout + ended).toBe(expected);
      expect(run.leakedFrames).toBe(0);
    });
  });

  it.skipIf(compiler.missing === '')(`guest programs are not run: ${compiler.missing}`, () => {});
}
