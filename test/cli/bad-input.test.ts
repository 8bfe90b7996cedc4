import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ElfSegment, elfFile } from '../setup/elf-file.ts';
import { faultline } from '../setup/faultline.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-bad-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array | string): string {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  chmodSync(file, 0o755);
  return file;
}

/** One line on standard error, nothing on standard output, a status that is neither 0 nor a crash's, and no stack trace. */
function expectOneLine(args: string[], status: number, message: RegExp): void {
  const result = faultline(args, { cwd: folder });
  expect(result.stdout).toBe('');
  expect(result.stderr).toMatch(/^[^\n]+\n$/);
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect(result.status).toBe(status);
}

describe('programs that are none', () => {
  test('a path that is not there', () => {
    expectOneLine(['run', './absent'], 127, /absent: there is no such file/);
  });
  test('a folder', () => {
    expectOneLine(['run', folder], 126, /is a folder/);
  });
  test('a text file', () => {
    expectOneLine(['run', put('text', 'hello\n')], 126, /neither an ELF file nor a script/);
  });
  test('an empty file', () => {
    expectOneLine(['run', put('empty', '')], 126, /neither an ELF file nor a script/);
  });
  test('a program for another machine', () => {
    expectOneLine(['run', process.execPath], 126, /is a program for (x86-64|aarch64), not for riscv64/);
  });
  test('no execute permission', () => {
    const file = put('plain', elfFile({ segments: [CODE] }));
    chmodSync(file, 0o644);
    expectOneLine(['run', file], 126, /chmod \+x/);
  });
  test('a missing interpreter', () => {
    expectOneLine(
      ['run', put('dynamic', elfFile({ segments: [CODE], interpreter: '/lib/ld-absent.so.1' }))],
      127,
      /interpreter/,
    );
  });
  test('a C file that does not compile', () => {
    const result = faultline(['run', put('broken.c', 'int main( { return 0; }\n')], { cwd: folder });
    expect(result.status).toBe(2);
    expect(result.stderr).toMatch(/faultline: [^\n]*broken\.c[^\n]*\n$/);
    expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+\)/);
  });
});

const CODE: ElfSegment = { flags: 5, address: 0x10000, fileBytes: 0x2000, memoryBytes: 0x2000 };

describe('hostile ELF headers', () => {
  test.each<[string, Uint8Array]>([
    ['truncated in the header', elfFile({ segments: [CODE] }).subarray(0, 40)],
    ['truncated in the program headers', elfFile({ segments: [CODE] }).subarray(0, 80)],
    ['32-bit', elfFile({ segments: [CODE], elfClass: 1 })],
    ['no segments', elfFile({ segments: [] })],
    ['too many program headers', elfFile({ segments: [CODE], headerCount: 65535 })],
    ['program headers beyond the file', elfFile({ segments: [CODE], headersAt: 2 ** 40 })],
    ['a segment larger in the file than in memory', elfFile({ segments: [{ ...CODE, memoryBytes: 0x1000 }] })],
    ['a segment of 2^62 bytes', elfFile({ segments: [{ ...CODE, memoryBytes: 2 ** 62 }] })],
    [
      'an address that wraps around',
      elfFile({ segments: [{ ...CODE, address: 2 ** 64 - 4096, memoryBytes: 0x10000 }] }),
    ],
    ['an address of the kernel', elfFile({ segments: [{ ...CODE, address: 2 ** 63 }] })],
    ['an address and offset that disagree', elfFile({ segments: [{ ...CODE, address: 0x10010 }] })],
  ])('%s', (name, bytes) => {
    const result = faultline(['run', put(name.replaceAll(/[^a-z0-9]/g, '-'), bytes)], { cwd: folder });
    expect(result.stdout).toBe('');
    expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+/);
    expect(result.stderr.split('\n').length).toBeLessThanOrEqual(2);
    expect(result.status).toBeGreaterThan(0);
    expect(result.status).toBeLessThanOrEqual(128 + 64);
  });
});

describe('options', () => {
  test.each<[string[], RegExp]>([
    [['--memory', 'lots'], /--memory/],
    [['--memory', '1K'], /--memory: .*4M/],
    [['--memory', '64G'], /--memory: .*4 GiB/],
    [['--mount', 'a:b:c:d'], /--mount a:b:c:d/],
    [['--mount', './absent'], /absent: there is no such/],
    [['--root', './absent'], /--root .*absent/],
    [['--seed', '-1'], /--seed/],
    [['--clock', 'wall'], /--clock/],
    [['--trace', 'everything'], /--trace/],
    [['--trace', 'cow_cpy'], /cow_cpy is no event; near to it: cow_copy, /],
    [['--cwd', '/absent'], /absent/],
    [['--unknown'], /--unknown/],
  ])('%j is refused in a line or two', (args, message) => {
    const program = put('good', elfFile({ segments: [CODE] }));
    const result = faultline(['run', ...args, program], { cwd: folder });
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(result.stderr).not.toMatch(/\bat .*:\d+:\d+/);
    expect(result.status).toBeGreaterThan(0);
  });

  test.each([['--help'], ['run', '--help'], ['demo', '--help']])('%s %s', (...args) => {
    const result = faultline(args.filter((arg) => arg !== undefined));
    expect(result.status).toBe(0);
    expect(result.stdout).toMatch(/Usage: faultline/);
  });
});
