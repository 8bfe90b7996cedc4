import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBusybox, HOW_TO_GET_SHELL } from '../../scripts/conform/guest-root.ts';
import { judge } from '../../scripts/conform/verdict.ts';
import { elfFile } from '../setup/elf-file.ts';
import { ROOT } from '../setup/faultline.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'faultline-conform-'));
  for (const suite of ['ltp', 'exit', 'arch-test']) mkdirSync(join(dir, suite));
  put('ltp/exits_0', [LI_A7_93, li(0), ECALL]);
  put('ltp/exits_32', [LI_A7_93, li(32), ECALL]);
  put('open_loop', [0x0000006f]);
  put('exit/exits_1', [LI_A7_93, li(1), ECALL]);
  put('exit/illegal', [0]);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const LI_A7_93 = 0x05d00893;
const ECALL = 0x00000073;
/** li a0, value */
const li = (value: number) => (value << 20) | 0x513;

function put(name: string, code: readonly number[]): void {
  const bytes = elfFile({ segments: [{ flags: 5, address: 0x10000, fileBytes: 4096, memoryBytes: 4096 }] });
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < code.length; i++) view.setUint32(4096 + 4 * i, code[i], true);
  writeFileSync(join(dir, name), bytes);
  chmodSync(join(dir, name), 0o755);
}

function conform(...args: string[]) {
  return spawnSync(process.execPath, ['scripts/run-ts.mjs', 'scripts/conform.ts', ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 110_000,
  });
}

describe('npm run conform -- --suite', { timeout: 120_000 }, () => {
  test('runs each case on its own machine and stores a row for each', () => {
    const cases = join(dir, 'cases.tsv');
    const rows = [
      'ltp\tgood\tf\t\tearly\texits_0',
      'ltp\tconf\tf\t\tearly\texits_32 -x 1',
      'exit\tbad\tf\t\tearly\texits_1',
      'exit\ttrap\tf\t\tearly\tillegal',
      'exit\tloop\tf\t\tearly\topen_loop',
      'exit\tgone\tf\t\tearly\tabsent',
      'exit\tlater\tf\t\tlater:x\texits_1',
    ];
    writeFileSync(cases, ['# remark', 'suite\tcase\tfeature\tneeds\treach\tcommand', ...rows, ''].join('\n'));
    const args = ['--suite', dir, '--cases', cases, '--reach', 'early', '--jobs', '2', '--timeout', '4'];
    const result = conform(...args, '--memory', '32M');
    const note = findBusybox(ROOT) === null ? `conform: ${HOW_TO_GET_SHELL}\n` : '';
    expect(result.stderr).toBe(note);
    expect(result.status).toBe(1);
    const stored = readFileSync(join(dir, 'conform-results.tsv'), 'utf8').split('\n').slice(1, -1);
    const verdicts = Object.fromEntries(stored.map((row) => row.split('\t')).map((row) => [row[1], row[2]]));
    const expected = { good: 'pass', conf: 'skip', bad: 'fail', trap: 'signal', loop: 'timeout', gone: 'missing' };
    expect(verdicts).toEqual(expected);
    expect(result.stdout.trimEnd().split('\n').at(-1)).toMatch(/^6 cases: /);
  });

  test('runs a folder of programs, all of which pass', () => {
    const result = conform(
      '--suite',
      join(dir, 'ltp'),
      '--only',
      'exits_0',
      '--memory',
      '32M',
      '--out',
      join(dir, 'o'),
    );
    expect(result.stdout).toMatch(/^ltp\texits_0\tpass\t[\d.]+\t\n1 cases: 1 pass\n$/);
    expect(result.status).toBe(0);
  });

  test.each([
    [['--jobs', '2'], /--jobs needs --suite DIR/],
    [['no-such-program'], /no guest.conform.no-such-program.c/],
    [['--what'], /--what/],
    [['--suite', '/nowhere'], /no such folder/],
    [['--suite', '.', '--cases', '/nowhere'], /cannot be read/],
    [['--suite', '.', '--cases', 'package.json'], /line 1 is not/],
    [['--suite', 'test', '--jobs', 'x'], /no program|whole number/],
  ])('answers bad input with one line: %j', (args, message) => {
    const result = conform(...args);
    expect(result.stderr).toMatch(/^conform: [^\n]+\n$/);
    expect(result.stderr).toMatch(message);
    expect(result.stdout).toBe('');
    expect(result.status).toBe(2);
  });
});

describe('judge', () => {
  const outcome = { signal: null, tohost: null, output: '' };
  test.each([
    ['ltp', { ...outcome, code: 0, output: 'a.c:1: TPASS: fine\na.c:2: TFAIL: not fine' }, 'fail'],
    ['ltp', { ...outcome, code: 2, output: 'a.c:2: TBROK: open failed' }, 'broken'],
    ['ltp', { ...outcome, code: 4 }, 'fail'],
    ['open_posix', { ...outcome, code: 2 }, 'unresolved'],
    ['open_posix', { ...outcome, code: 4 }, 'unsupported'],
    ['open_posix', { ...outcome, code: 5 }, 'untested'],
    ['kselftest', { ...outcome, code: 0, output: 'ok 1 a\nnot ok 2 b # SKIP no memory' }, 'pass'],
    ['kselftest', { ...outcome, code: 0, output: 'ok 1 a\nnot ok 2 b' }, 'fail'],
    ['kselftest', { ...outcome, code: 4 }, 'skip'],
    ['riscv-tests', { ...outcome, code: null, tohost: 1 }, 'pass'],
    ['riscv-tests', { ...outcome, code: null, tohost: 7 }, 'fail'],
    ['libc-test', { ...outcome, code: null, signal: 11 }, 'signal'],
  ] as const)('%s %j is %s', (convention, given, verdict) => {
    expect(judge(convention, given).verdict).toBe(verdict);
  });
});
