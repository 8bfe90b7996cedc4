/** The benchmarks run and say what they should; no time is asserted. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareWithBaseline } from '../../bench/baseline.ts';
import { median } from '../../bench/measure.ts';
import { type CpuProfile, modulesOfBundle, reportProfile } from '../../bench/profile-report.ts';
import { geometricMean } from '../../bench/report.ts';
import { ROWS } from '../../bench/rows.ts';
import { MarkerReader, NO_TIME } from '../../bench/sample.ts';
import { ROOT } from '../setup/faultline.ts';

function bench(...args: string[]): { status: number | null; stdout: string } {
  const command = [join(ROOT, 'scripts/run-ts.mjs'), join(ROOT, 'bench/main.ts'), ...args];
  return spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8', timeout: 280_000 });
}

describe('the programs', () => {
  test('a row runs on every platform that is here', () => {
    const { status, stdout } = bench('--json', '--only', 'recursion', '--rounds', '1', '--ms', '1');
    expect(status).toBe(0);
    const [row] = JSON.parse(stdout).rows;
    expect(row).toMatchObject({ name: 'recursion', group: 'integer' });
    expect(row.faultline.ns).toBeGreaterThan(0);
  });

  test('--quick prints a ratio for each of its rows, and runs all rows of the whole bench', () => {
    const { status, stdout } = bench('--quick', '--rounds', '1');
    expect(stdout).toContain(' 0 failed');
    expect(status).toBe(0);
    const kernels = ['mix', 'sort', 'calls', 'bytecode', 'memory', 'float'];
    const names = ['cpu', 'jit'].flatMap((mode) => kernels.map((kernel) => `${mode}/${kernel}`));
    for (const name of [...names, 'kernel/faults', 'kernel/forks', 'kernel/calls']) expect(stdout).toContain(name);
  });

  test('--replay records a program, goes to ten points of it, and says how long that took', () => {
    const { status, stdout } = bench('--replay', '--seconds', '0');
    expect(stdout).toMatch(/^recorded .* times the run .* MB, \d+ checkpoints$/m);
    expect(stdout.match(/^@\d+ /gm)?.length).toBe(10);
    expect(stdout).toMatch(/^median \d+ ms, longest \d+ ms;/m);
    // A busy machine may take longer than the aim.
    expect([0, 1]).toContain(status);
  });

  test('names of rows are unique', () => {
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
  });
});

describe('figures', () => {
  const text = (line: string): Uint8Array => new TextEncoder().encode(line);

  test('markers: sums of pairs, in pieces as they come', () => {
    const program = new MarkerReader('program');
    program.take(text('@begin\n@end 100 90\n@beg'), NO_TIME);
    program.take(text('in\n@end 20 10\n@check 77\n'), NO_TIME);
    expect(program.sample(NO_TIME)).toMatchObject({ ns: 120, cpuNs: 100, check: '77', skipped: null });
    const harness = new MarkerReader('harness');
    harness.take(text('@begin\n'), { wallNs: 1000, cpuNs: 10 });
    harness.take(text('@end 1 1\n@skip no reason\n'), { wallNs: 1500, cpuNs: 25 });
    expect(harness.sample(NO_TIME)).toMatchObject({ ns: 500, cpuNs: 15, skipped: 'no reason' });
  });

  test('medians and means', () => {
    expect(median([1, 2, 9])).toBe(2);
    expect(median([1, 2, 4, 9])).toBe(3);
    expect(geometricMean([2, 8])).toBeCloseTo(4);
    expect(geometricMean([])).toBeNull();
  });

  test('a loss of more than 15 % is said', () => {
    const before = { native: 1, qemu: 2 };
    expect(compareWithBaseline({ native: 0.86, qemu: 2.5 }, before)).toEqual([]);
    expect(compareWithBaseline({ native: 0.8, qemu: null }, before)).toEqual([
      "SLOWER: 20% below the baseline's 1 to native",
    ]);
    expect(compareWithBaseline({ native: 0.1, qemu: 0.1 }, undefined)).toEqual([]);
  });
});

test('a profile is sorted by what the machine was doing', () => {
  const bundle = [
    '// src/kernel/trap.ts',
    'function handlePageFault() {}',
    '// src/mm/zap.ts',
    'function zapRange2() {}',
  ];
  bundle.push('// src/kernel/syscalls/dispatch.ts', 'function runCall() {}');
  const node = (id: number, functionName: string, url: string, lineNumber: number, children: number[] = []) => ({
    id,
    callFrame: { functionName, url, lineNumber },
    children,
  });
  const profile: CpuProfile = {
    nodes: [
      node(1, '(root)', '', -1, [2, 4, 7]),
      node(2, 'handlePageFault', 'cli', 1, [3]),
      node(3, 'zapRange2', 'cli', 3),
      node(4, 'runCall', 'cli', 5, [5]),
      node(5, 'munmap3', 'cli', 3, [6]),
      node(6, 'zapRange2', 'cli', 3),
      node(7, 'wasm-function[3]', 'wasm://wasm/1', 0),
    ],
    samples: [3, 6, 7],
    timeDeltas: [10, 20, 30],
  };
  const { totalUs, categories, functions } = reportProfile(profile, 'cli', modulesOfBundle(bundle.join('\n')));
  expect(totalUs).toBe(60);
  expect(categories).toEqual([
    { what: 'guest code: interpreter', us: 30 },
    { what: 'system call munmap', us: 20 },
    { what: 'page fault', us: 10 },
  ]);
  expect(functions).toContainEqual({ what: 'zapRange  src/mm/zap.ts', us: 30 });
});
