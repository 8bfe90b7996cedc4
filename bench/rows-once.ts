import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileForGuest } from '../cli/toolchain.ts';
import { runChild } from './faultline-child.ts';
import { DEBIAN_ROOT, GUEST_FLAGS } from './platforms.ts';
import { ROWS } from './rows.ts';

/** Runs each row of the whole bench once, with its first count; a line for each that fails. Nothing is timed. */
export async function runRowsOnce(env: NodeJS.ProcessEnv): Promise<{ ran: number; failures: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  const failures: string[] = [];
  let ran = 0;
  try {
    for (const { name, program, start, whole, memoryMiB, swapMiB } of ROWS) {
      if (whole !== undefined && !existsSync(join(DEBIAN_ROOT, 'usr/bin', program))) continue;
      const source = join(import.meta.dirname, 'guest', `${program}.c`);
      const built =
        whole === undefined
          ? await compileForGuest(source, { extraFlags: GUEST_FLAGS, env })
          : { elf: `/usr/bin/${program}` };
      if ('error' in built) throw new Error(built.error);
      const sample = runChild({
        program: built.elf,
        args: whole?.args(start) ?? [name, String(start)],
        folder,
        root: whole === undefined ? null : DEBIAN_ROOT,
        memoryMiB: memoryMiB ?? 256,
        swapMiB: swapMiB ?? 0,
        jit: 'on',
      });
      ran++;
      if (sample.failed !== null) failures.push(`${name}: ${sample.failed}`);
      else if (sample.skipped !== null) failures.push(`${name}: skipped: ${sample.skipped}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { ran, failures };
}
