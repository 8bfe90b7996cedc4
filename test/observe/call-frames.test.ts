/** The rules for unwinding are those that readelf prints (--debug-dump=frames-interp), row for row. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CallFrameInfo } from '../../src/observe/code/call-frame-info.ts';
import { rowAt } from '../../src/observe/code/cfi-row.ts';
import { HAS_CROSS_TOOLS, readElf, withCompiled } from './cross-tools.ts';

const LIBC = '/usr/riscv64-linux-gnu/lib/libc.so.6';
const NUMBERS = new Map(
  ['zero', 'ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1']
    .concat(Array.from({ length: 8 }, (_, i) => `a${i}`))
    .concat(Array.from({ length: 10 }, (_, i) => `s${i + 2}`))
    .concat(Array.from({ length: 4 }, (_, i) => `t${i + 3}`))
    .map((name, number) => [name, number]),
);

describe.skipIf(!HAS_CROSS_TOOLS)('rules of call frames', () => {
  it.skipIf(!existsSync(LIBC))(
    'of libc.so.6 (.eh_frame)',
    () => {
      expect(compare(LIBC)).toBeGreaterThan(5000);
    },
    120_000,
  );

  it.each(['inlined.c', 'templates.cc'])(
    'of %s (.eh_frame and .debug_frame)',
    (source) => {
      withCompiled(source, ['-g', '-O2'], (file) => {
        expect(compare(file)).toBeGreaterThan(5);
      });
    },
    60_000,
  );
});

/** How many rows were compared. */
function compare(file: string): number {
  const output = execFileSync('riscv64-linux-gnu-readelf', ['--debug-dump=frames-interp', file], {
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const frames = new CallFrameInfo(readElf(file));
  let columns: string[] = [];
  let isFunction = false;
  let rows = 0;
  for (const line of output.toString().split('\n')) {
    if (/ (CIE|FDE) /.test(line)) isFunction = line.includes(' FDE ');
    if (line.trimStart().startsWith('LOC')) columns = line.trim().split(/\s+/).slice(2);
    const [location, cfa, ...rules] = line.trim().split(/\s+/);
    if (!isFunction || !/^[0-9a-f]{16}$/.test(location) || cfa === undefined) continue;
    const address = Number.parseInt(location, 16);
    const found = frames.find(address);
    expect(found, location).not.toBeNull();
    if (found === null) continue;
    const row = rowAt(found, address);
    rows++;
    expect(row.cfa?.by === 'register' ? row.cfa : 'exp', location).toEqual(parseCfa(cfa));
    columns.forEach((name, at) => {
      const number = NUMBERS.get(name);
      if (number === undefined) return;
      const rule = row.registers.get(number);
      const text = rule?.rule === 'offset' ? `c${rule.offset >= 0 ? '+' : ''}${rule.offset}` : (rule?.rule ?? 'same');
      if (rules[at].startsWith('c')) expect(text, `${location} ${name}`).toBe(rules[at]);
      else expect(text, `${location} ${name}`).not.toMatch(/^c/);
    });
  }
  return rows;
}

function parseCfa(text: string): unknown {
  const [, name, offset] = /^(\w+)([+-]\d+)$/.exec(text) ?? [];
  return name === undefined ? 'exp' : { by: 'register', register: NUMBERS.get(name), offset: Number(offset) };
}
