import { describe, expect, it } from 'vitest';
import { differencesOf, firstParting, formatComparison } from './comparison.ts';

describe('differencesOf', () => {
  it('takes all numbers, also those that one run alone has, and no host time', () => {
    const a = { pgfault: 5, wallMs: 7, time: { diskNs: 1 }, syscalls: { read: 2 }, processes: [{ pid: 6 }] };
    const b = { pgfault: 6, wallMs: 9, time: { diskNs: 1 }, syscalls: { write: 3 }, processes: [] };
    expect(differencesOf(a, b)).toEqual([
      { metric: 'pgfault', a: 5, b: 6 },
      { metric: 'time.diskNs', a: 1, b: 1 },
      { metric: 'syscalls.read', a: 2, b: 0 },
      { metric: 'syscalls.write', a: 0, b: 3 },
    ]);
  });
});

describe('firstParting', () => {
  const one = '     0.100 a/6 anonZero [main+0x1] => [heap]@0x0 (d.)';
  const later = '     0.250 a/6 anonZero [main+0x1] => [heap]@0x0 (d.)';
  const other = '     0.300 a/6 swapIn [main+0x1] => [heap]@0x0 (d.)';

  it('does not mind times', () => {
    expect(firstParting([one], [later])).toBeNull();
  });

  it('finds the first fault that is another one, or one too many', () => {
    expect(firstParting([one, one], [later, other])).toEqual({ number: 2, a: one.trim(), b: other.trim() });
    expect(firstParting([one], [one, other])).toEqual({ number: 2, a: null, b: other.trim() });
  });
});

describe('formatComparison', () => {
  it('prints both values, the difference and its share', () => {
    const differences = [
      { metric: 'pgfault', a: 2000, b: 1500 },
      { metric: 'swap.ins', a: 0, b: 12 },
    ];
    const text = formatComparison({ a: '--memory 1G', b: '--memory 8M', differences, parting: null });
    expect(text.split('\n')).toEqual([
      'A: --memory 1G',
      'B: --memory 8M',
      '',
      'metric                 A               B      difference',
      'pgfault            2,000           1,500            -500     -25.0 %',
      'swap.ins               0              12             +12',
      '',
      'their page faults are the same',
      '',
    ]);
  });
});
