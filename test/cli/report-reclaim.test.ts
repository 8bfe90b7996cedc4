/** `faultline report RECORDING reclaim`. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReclaimReport } from '../../src/index.ts';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-report-reclaim-'));
const recording = join(folder, 'run.flt');
const roomy = join(folder, 'roomy.flt');

beforeAll(() => {
  const program = 'test/cli/rounds.c';
  expect(faultline(['record', '--memory', '8M', '--swap', '32M', '-o', recording, program]).status).toBe(0);
  expect(faultline(['record', '-o', roomy, program]).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('faultline report reclaim', () => {
  it('has victims by reason and owner, who caused it, and a plot', () => {
    const { status, stdout, stderr } = faultline(['report', recording, 'reclaim', '--limit', '3']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^# [\d,]+ pages \([\d.]+M\) were reclaimed by mglru$/m);
    expect(stdout).toMatch(/^# [\d,]+ \(\d+%\) were wanted back, half of them within [\d.]+ ms: bad victims\./m);
    expect(stdout).toMatch(/^ *scanned +reclaimed +activated +ref_keep +dirty +writeback +other +by$/m);
    expect(stdout).toMatch(
      /^ *[\d,]+ +[\d,]+ +\d+% .* oldest generation, not accessed +anon, swapped +rounds\/6 .* main rounds\.c:10$/m,
    );
    expect(stdout).toMatch(/^ *[\d,]+ +[\d,]+ +kswapd$/m);
    expect(stdout).toMatch(/refault distance$/m);
  });

  it('page by page, and all of it as JSON', () => {
    const { stdout } = faultline(['report', recording, 'reclaim', '--pages', '--limit', '500']);
    expect(stdout).toMatch(
      /^ *[\d.]+ ms +\d+ +[\d.]+ ms +[\d.]+ ms +[\d,]+ +generation \d+ +anon, swapped +kswapd +rounds\/6 +0x[\da-f]+ .* main rounds\.c:10$/m,
    );
    const report = JSON.parse(faultline(['report', recording, 'reclaim', '--json']).stdout) as ReclaimReport;
    expect(report.pages.length).toBe(report.total.reclaimed);
    expect(report.scans.reduce((sum, { reclaimed }) => sum + reclaimed, 0)).toBe(report.total.reclaimed);
  });

  it('says so where memory was enough', () => {
    const { status, stdout } = faultline(['report', roomy, 'reclaim']);
    expect([status, stdout]).toEqual([0, '# no page was reclaimed up to there: memory was never short\n']);
  });

  it('as SVG', () => {
    const output = join(folder, 'reclaim.svg');
    expect(faultline(['report', recording, 'reclaim', '-o', output]).status).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(/^<svg [\s\S]*refault distance[\s\S]*pages reclaimed and wanted back/);
  });

  it('gives what comes before the damage of a recording', () => {
    const cut = join(folder, 'cut.flt');
    copyFileSync(recording, cut);
    truncateSync(cut, Math.floor(statSync(recording).size * 0.7));
    const { status, stdout } = faultline(['report', cut, 'reclaim']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^# /);
  });

  it.each([
    [recording, ['reclaim', '--by', 'line'], '--by: is not of reclaim'],
    [recording, ['fork', '--pages'], '--pages: is not of fork; reclaim takes it'],
    [roomy, ['reclaim', '-o', join(folder, 'none.svg')], 'no page was reclaimed up to there'],
  ])('says what is wrong: %s %j', (file, words, message) => {
    const { status, stderr } = faultline(['report', file, ...words]);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain(message);
  });
});
