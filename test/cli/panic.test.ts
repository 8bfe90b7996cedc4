/** A broken invariant, found in a real run: one report on one line, to the right status. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileForGuest } from '../../cli/toolchain.ts';
import { ROOT } from '../setup/faultline.ts';

let folder: string;
let elf: string;
let corrupting: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-panic-'));
  corrupting = join(folder, 'cli.mjs');
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['test/cli/corrupting-cli.ts'],
    bundle: true,
    format: 'esm',
    platform: 'node',
    define: { FAULTLINE_VERSION: '"9.8.7"' },
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
    },
    outfile: corrupting,
  });
  const built = await compileForGuest(join(ROOT, 'guest', 'demo.c'), {});
  if ('error' in built) throw new Error(built.error);
  elf = built.elf;
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(check: string) {
  const { status, stderr } = spawnSync(
    process.execPath,
    [corrupting, 'run', '--trace', 'faults', '--trace-file', 'trace.txt', elf],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: 110_000,
      env: { ...process.env, FAULTLINE_CHECK: check, TMPDIR: folder },
    },
  );
  return { status, stderr };
}

describe('a frame with a reference too many is one line that names file, condition, report and command', () => {
  test.each([
    ['traps', /^mm\/invariants\.ts: F2 references of anonymous frame \d+ are its entries$/],
    ['end', /^mm\/invariants\.ts: F2 references of anonymous frame \d+ are its entries$/],
    ['', /^system\.ts: all frames are free after the shutdown \(1 are missing\)$/],
  ])('FAULTLINE_CHECK=%s', (check, condition) => {
    const { status, stderr } = run(check);
    expect(status).toBe(70);
    const line =
      /^faultline: kernel panic: (.*)\. This is a bug in faultline, not in the program: please report it with (\S+\.json)\. To repeat it: (.*)\n$/;
    expect(stderr).toMatch(line);
    const [, message, file, command] = line.exec(stderr) as RegExpExecArray;
    expect(message).toMatch(condition);
    const prefix = check === '' ? '' : `FAULTLINE_CHECK=${check} `;
    expect(command).toBe(`${prefix}faultline run --trace faults --trace-file trace.txt ${elf}`);
    const report = JSON.parse(readFileSync(file, 'utf8'));
    expect(report).toMatchObject({ version: '9.8.7', kind: 'kernel panic', message, command, cwd: folder });
    expect(report.stack.join('\n')).toMatch(/\n {4}at /);
    // What led there is not lost.
    expect(readFileSync(join(folder, 'trace.txt'), 'utf8')).toContain('demo');
  });
});
