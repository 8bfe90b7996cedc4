/** The programs under guest/, how they are compiled, and what each printed on real Linux. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CompileOptions, type CompileResult, compileForGuest } from '../../cli/toolchain.ts';

const GUEST = fileURLToPath(new URL('../../guest/', import.meta.url));

export interface GuestProgram {
  readonly name: string;
  readonly source: string;
  /** Null when it was never recorded: run scripts/record-native.mjs. */
  readonly expected: string | null;
}

/** No contraction to fused multiply-add: x86-64 has none by default, so the last digit would differ. */
const WARNING_FLAGS = ['-Wall', '-Wextra', '-ffp-contract=off'];

export function listGuestPrograms(): GuestProgram[] {
  return ['', 'cxx'].flatMap((dir) =>
    readdirSync(join(GUEST, dir))
      .filter((file) => /\.(c|cc)$/.test(file))
      .sort()
      .map((file) => {
        const name = basename(file, extname(file));
        const expectedFile = join(GUEST, 'expected', `${name}.txt`);
        const expected = existsSync(expectedFile) ? readFileSync(expectedFile, 'latin1') : null;
        return { name, source: join(GUEST, dir, file), expected };
      }),
  );
}

/** For example "6.18 x64": the Linux that the expected output is from. */
export function recordedKernel(): string {
  return readFileSync(join(GUEST, 'expected', 'KERNEL'), 'utf8').trim();
}

/** Compiles all in one batch: the first alone (zig builds its C library then, once), the others two at a time. */
export async function compileAll(
  programs: readonly GuestProgram[],
  env: CompileOptions['env'] = process.env,
): Promise<Map<string, CompileResult>> {
  const results = new Map<string, CompileResult>();
  const waiting = [...programs];
  const compileNext = async (): Promise<boolean> => {
    const program = waiting.shift();
    if (program === undefined) return false;
    const standard = program.source.endsWith('.cc') ? '-std=c++17' : '-std=gnu11';
    const extraFlags = [standard, ...WARNING_FLAGS];
    results.set(program.name, await compileForGuest(program.source, { extraFlags, env }));
    return true;
  };
  const worker = async (): Promise<void> => {
    while (await compileNext());
  };
  await compileNext();
  await Promise.all([worker(), worker()]);
  return results;
}
