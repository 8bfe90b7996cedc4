import { describe, expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';

describe('faultline stat', () => {
  const args = ['--memory', '8M', '--swap', '32M', 'test/cli/rounds.c'];
  const first = faultline(['stat', ...args]);

  test('prints the counters in the manner of perf stat, and leaves the program its output', () => {
    expect([first.status, first.stdout]).toEqual([0, '25000\n']);
    const names = [
      'instructions',
      'page-faults',
      'major-faults',
      'swapIn',
      'cowCopy',
      'swap-ins',
      'forks',
      'context-switches',
    ];
    for (const name of [...names, 'tlb-misses', 'system-calls', 'kB peak resident'])
      expect(first.stderr).toMatch(new RegExp(`^ +[\\d,]+ {6,}${name}`, 'm'));
    expect(first.stderr).toMatch(/^ +\d\.\d{9} seconds virtual time elapsed$/m);
    expect(first.stderr).not.toMatch(/host time/);
  });

  test('prints the same a second time', () => {
    expect(faultline(['stat', ...args]).stderr).toBe(first.stderr);
  });

  test('has all of them as JSON', () => {
    const { status, stdout, stderr } = faultline(['stat', '-j', '-o', '-', ...args]);
    expect([status, stderr]).toEqual([0, '']);
    const [output, ...json] = stdout.split(/(?<=\n)(?=\{)/);
    const counters = JSON.parse(json.join('')) as { pgmajfault: number; swap: { ins: number }; exit: { code: number } };
    expect([output, counters.exit.code]).toEqual(['25000\n', 0]);
    expect(counters.swap.ins).toBeGreaterThan(5000);
    expect(counters).not.toHaveProperty('wallMs');
    expect(first.stderr).toContain(counters.pgmajfault.toLocaleString('en'));
  });

  test('says where it cannot write', () => {
    const { status, stderr } = faultline(['stat', '-o', 'no/such/file', 'test/cli/rounds.c']);
    expect([status, stderr]).toEqual([2, 'faultline: -o no/such/file: cannot be written (ENOENT)\n']);
  });
});
