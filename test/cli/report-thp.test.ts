/** `faultline report RECORDING thp`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HugeReport } from '../../src/index.ts';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-report-thp-'));
const [small, huge, listening] = ['small.flt', 'huge.flt', 'lru.flt'].map((name) => join(folder, name));

beforeAll(() => {
  const program = 'test/observe/programs/huge.c';
  expect(faultline(['record', '-o', small, program]).status).toBe(0);
  expect(faultline(['record', '-o', huge, program, 'huge']).status).toBe(0);
  expect(faultline(['record', '--reclaim', 'lru', '-o', listening, program]).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('faultline report thp', () => {
  it('says what huge pages would give a run without them', () => {
    const { status, stdout, stderr } = faultline(['report', small, 'thp']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')[0]).toMatch(
      /^# Huge pages would help: with `always` at most 4 huge pages \(8M\) would save 786 of [\d,]+ faults \(\d+%\) and [\d,]+ of [\d,]+ TLB misses \(\d+%\); 5\.5M of that would be never touched$/,
    );
    expect(stdout).toMatch(/^ *[\d,]+ +0\.\d+ +all 4K$/m);
    expect(stdout).toMatch(/^ *2\.5M +4 +786 +5\.5M +huge\/6 .*anon$/m);
    expect(stdout).toMatch(/^# \d more ranges grew into 2 MiB after their first touch/m);
  });

  it('says what they gave a run with them, and what happened to them', () => {
    const { status, stdout } = faultline(['report', huge, 'thp']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^# Huge pages helped: 4 huge pages \(8M\) saved 786 of .* 5\.5M of that was never touched$/m,
    );
    expect(stdout).toMatch(/^ *4 +thp_fault_alloc +fault +huge\/6 +store huge\.c:\d+$/m);
    expect(stdout).toMatch(/^ *1 +thp_split_pmd +sys_munmap +huge\/6 +main huge\.c:\d+$/m);
    expect(stdout).toMatch(/^ +b +AnonHugePages$/m);
  });

  it('as JSON and SVG', () => {
    const report = JSON.parse(faultline(['report', huge, 'thp', '--json']).stdout) as HugeReport;
    expect([report.total.faulted, report.total.zeroedBytes]).toEqual([4, 4 * 2 ** 21]);
    expect(report.rows.reduce((sum, { saved }) => sum + saved, 0)).toBe(report.total.saved);
    const output = join(folder, 'thp.svg');
    expect(faultline(['report', huge, 'thp', '-o', output]).status).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(/^<svg [\s\S]*AnonHugePages/);
  });

  it('says what it cannot know where the policy listens to the references itself', () => {
    const { status, stdout } = faultline(['report', listening, 'thp']);
    expect(status).toBe(0);
    expect(stdout).toContain('what was touched, and TLB misses, are not known');
  });

  it('says what is wrong with an option of others', () => {
    const { status, stderr } = faultline(['report', small, 'thp', '--pages']);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain('--pages: is not of thp');
  });
});
