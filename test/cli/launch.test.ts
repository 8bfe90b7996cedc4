/** The command line runs the same with a code cache, without one, and with a spoilt one. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { elfFile } from '../setup/elf-file.ts';
import { faultline } from '../setup/faultline.ts';

let folder: string;
let program: string;
const codeOf = (home: string): string => join(home, 'faultline/code');
const run = (home: string) => faultline(['run', program], { env: { XDG_CACHE_HOME: home } });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-launch-'));
  program = join(folder, 'program');
  writeFileSync(program, elfFile({ segments: [{ flags: 5, address: 0x10000, fileBytes: 4096, memoryBytes: 4096 }] }));
  chmodSync(program, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a run leaves the compiled code behind, and the next one takes it', () => {
  expect(run(folder)).toEqual({ status: 0, stdout: '', stderr: '' });
  const [name] = readdirSync(codeOf(folder));
  const file = join(codeOf(folder), name);
  const { mtimeMs, size } = statSync(file);
  expect(size).toBeGreaterThan(100_000);
  expect(run(folder)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(readdirSync(codeOf(folder))).toEqual([name]);
  expect(statSync(file).mtimeMs).toBe(mtimeMs);
});

test('a cache that V8 does not take is made again', () => {
  const [name] = readdirSync(codeOf(folder));
  const file = join(codeOf(folder), name);
  writeFileSync(file, 'no code');
  expect(run(folder)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(readFileSync(file).length).toBeGreaterThan(100_000);
});

test('the new space of a run stays small, whatever survives', () => {
  const hook = join(folder, 'hook.cjs');
  writeFileSync(
    hook,
    `process.on('exit', () => {
      const kept = Array.from({ length: 400_000 }, (_, at) => ({ at }));
      const { space_size } = require('node:v8').getHeapSpaceStatistics().find((each) => each.space_name === 'new_space');
      console.log(kept.length, space_size / 2 ** 20);
    });`,
  );
  const { stdout } = faultline(['run', program], {
    env: { XDG_CACHE_HOME: folder, NODE_OPTIONS: `--require ${hook}` },
  });
  const [kept, newSpaceMiB] = stdout.split(' ').map(Number);
  expect(kept).toBe(400_000);
  // It begins with two halves of 1 MiB, and would have two of 8 by then.
  expect(newSpaceMiB).toBeLessThan(4);
});

test('nowhere to keep it is no error', () => {
  expect(run('/proc/nowhere')).toEqual({ status: 0, stdout: '', stderr: '' });
});
