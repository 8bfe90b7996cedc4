/** `faultline report`: which code of a recorded run did what to its memory. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultline, ROOT } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-report-'));
const recording = join(folder, 'run.flt');

beforeAll(() => {
  expect(faultline(['record', '-o', recording, 'test/observe/programs/forks.c']).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('faultline report', () => {
  it('by line, with the columns of perf report', () => {
    const { status, stdout } = faultline(['report', recording, '--by', 'line', '--limit', '3']);
    expect(status).toBe(0);
    const [headline, , head, first] = stdout.split('\n');
    expect(headline).toMatch(/^# [\d,]+ faults, [\d,]+ of them major; .* resident, at [\d.]+ ms$/);
    expect(head.trim().split(/ {2,}/)).toEqual(
      'Overhead Faults Maj Min Cow Peak Symbol Source:line Mapping'.split(' '),
    );
    expect(first).toMatch(/^ *5\d\.\d\d% .* fill +forks\.c:\d+ /);
    expect(stdout).toContain('more (--limit');
  });

  it('as JSON, with the sums of the counters', () => {
    const tables = ['function', 'vma', 'process'].map((by) => {
      const { status, stdout } = faultline(['report', recording, '--by', by, '--json']);
      expect(status).toBe(0);
      return JSON.parse(stdout) as { total: { faults: number }; entries: { faults: number }[] };
    });
    for (const { total, entries } of tables) {
      expect(total.faults).toBe(tables[0].total.faults);
      expect(entries.reduce((sum, { faults }) => sum + faults, 0)).toBe(total.faults);
    }
  });

  it('beside the source', () => {
    const { status, stdout } = faultline(['report', recording, '--annotate', 'forks.c']);
    expect(status).toBe(0);
    expect(stdout.split('\n')[0]).toContain(join(ROOT, 'test/observe/programs/forks.c'));
    expect(stdout).toMatch(/^ +(499|500) +[\d.]+M +\d+ {2}/m);
  });

  it('by copies, and where more is said of fork', () => {
    const { stdout } = faultline(['report', recording, '--sort', 'cow']);
    expect(stdout).toMatch(/ 300 +child_work +forks\.c:\d+ /);
    expect(stdout).toContain('faultline report RECORDING fork');
  });

  it.each([
    ['pprof', '\x1f\x8b'],
    ['perfetto', '\n'],
    ['flamegraph', '<?xml'],
    ['collapsed', 'forks;'],
  ])('writes call stacks as %s', (format, beginning) => {
    const output = join(folder, format);
    expect(faultline(['report', recording, '--format', format, '--sort', 'peak', '-o', output]).status).toBe(0);
    expect(readFileSync(output, 'latin1').startsWith(beginning)).toBe(true);
  });

  it('up to a point, with what is resident there', () => {
    const { status, stdout } = faultline(['report', recording, '--to', 'page_fault#400', '--sort', 'resident']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Resident/);
  });

  it.each([
    [['--by', 'thread'], '--by thread: write function, line, vma, process'],
    [['--format', 'svg'], '--format svg: write pprof, collapsed, flamegraph, perfetto'],
    [['--sort', 'size'], '--sort size: is no column; there are faults, maj'],
    [['--annotate', 'other.c'], '--annotate other.c: no line of such a file took a fault'],
  ])('says what is wrong with %j', (flags, message) => {
    const { status, stderr } = faultline(['report', recording, ...flags]);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain(message);
  });
});
