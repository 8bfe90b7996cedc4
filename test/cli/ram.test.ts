import { describe, expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';

interface Row {
  memoryBytes: number;
  policy: string;
  outcome: string;
  slowdown: number;
  majorFaults: number;
  swappedBytes: number;
  pressureSome: number;
  lruMisses: number;
  optimalMisses: number;
}

const MIB = 2 ** 20;
const PAGES = 2500;
const ROUNDS = 4;

describe('faultline ram', () => {
  const args = ['ram', '--sizes', '16M,12M,8M', '--policies', 'mglru,lru', '--json', 'test/cli/rounds.c'];
  const first = faultline(args);
  const { rows, knees, sentence } = JSON.parse(first.stdout) as {
    rows: Row[];
    knees: { policy: string; memoryBytes: number }[];
    sentence: string;
  };

  test('says from where on the program is slowed down, and by what', () => {
    expect([first.status, first.stderr]).toEqual([0, '']);
    expect(knees).toEqual([
      { policy: 'mglru', memoryBytes: 12 * MIB },
      { policy: 'lru', memoryBytes: 12 * MIB },
    ]);
    expect(sentence).toMatch(
      /^test\/cli\/rounds\.c needs 12M: with 8M it takes \d+\.\d times as long \([\d,]+ major faults, [\d.]+M to and from swap\)\.$/,
    );
  });

  test('runs each size under each policy, from most memory to least', () => {
    const runs = rows.map(({ memoryBytes, policy }) => `${policy} ${memoryBytes / MIB}`);
    expect(runs).toEqual(['mglru 16', 'mglru 12', 'mglru 8', 'lru 16', 'lru 12', 'lru 8']);
    for (const { memoryBytes, outcome, swappedBytes, majorFaults, pressureSome } of rows) {
      expect(outcome).toBe('ends');
      expect(pressureSome > 0.1).toBe(memoryBytes === 8 * MIB);
      if (memoryBytes > 8 * MIB) expect(swappedBytes).toBe(0);
      else expect(majorFaults).toBeGreaterThan(500);
    }
  });

  test('has the curve of LRU and the optimum beside it: round after round, LRU misses all', () => {
    const tight = rows[2];
    // Code, stack and C library are some pages more.
    expect(tight.lruMisses).toBeGreaterThanOrEqual(ROUNDS * PAGES);
    expect(tight.lruMisses).toBeLessThan(ROUNDS * PAGES + 400);
    expect(tight.optimalMisses).toBeGreaterThan(PAGES);
    expect(tight.optimalMisses).toBeLessThan(tight.lruMisses / 1.5);
    expect(rows[0].lruMisses).toBe(rows[0].optimalMisses);
  });

  test('draws time and misses as SVG', () => {
    const { stdout, status } = faultline(['ram', '--sizes', '16M,8M', '--svg', '-', 'test/cli/rounds.c']);
    expect(status).toBe(0);
    expect(stdout.match(/<title>/g)).toHaveLength(3);
    // mglru; LRU and the optimum.
    expect(stdout.match(/<polyline /g)).toHaveLength(3);
    expect(stdout).toContain('miss ratio');
  });

  test('answers the same a second time', () => {
    expect(faultline(args).stdout).toBe(first.stdout);
  });

  test('prints the sentence and a table', () => {
    const { status, stdout } = faultline(['ram', '--sizes', '16M,8M', '--no-references', 'test/cli/rounds.c']);
    const lines = stdout.split('\n');
    expect(status).toBe(0);
    expect(lines[0]).toMatch(/^test\/cli\/rounds\.c needs 16M: with 8M/);
    expect(lines[2]).toMatch(/^ +memory +policy +time +major faults +swap +PSI +LRU misses +optimum +slower$/);
    expect(lines[3]).toMatch(/^ +16M +mglru .* #+ 1\.00$/);
    expect(lines[4]).toMatch(/^ +8M +mglru .* #{30} \d+\.\d\d$/);
  });

  test.each([
    [['--policies', 'best', 'x.c'], 'faultline: --policies best: there is no such policy; there are mglru, '],
    [
      ['--sizes', '1M', 'x.c'],
      "error: option '--sizes <list>' argument '1M' is invalid. write sizes such as 8M,12M,16M; a machine needs 4M.",
    ],
    [['no/such.c'], 'faultline: no/such.c: there is no such file\n'],
  ])('%j gets one line', (given, message) => {
    const { status, stderr, stdout } = faultline(['ram', ...given]);
    expect(stdout).toBe('');
    expect(status).not.toBe(0);
    expect(stderr.startsWith(message), stderr).toBe(true);
  });
});
