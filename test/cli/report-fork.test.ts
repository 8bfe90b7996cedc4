/** `faultline report RECORDING fork`. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ForkReport } from '../../src/index.ts';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-report-fork-'));
const recording = join(folder, 'run.flt');

beforeAll(() => {
  expect(faultline(['record', '-o', recording, 'test/observe/programs/forks.c']).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

function answer(...words: string[]): ForkReport {
  const { status, stdout } = faultline(['report', recording, 'fork', '--json', ...words]);
  expect(status).toBe(0);
  return JSON.parse(stdout) as ForkReport;
}

describe('faultline report fork', () => {
  it('has a line for each fork, who copied, and a plot', () => {
    const { status, stdout, stderr } = faultline(['report', recording, 'fork']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^# 3 forks shared 6M, and 1\.4M of it was copied: \d+ pages, \d+ by parents, \d+ by children$/m,
    );
    expect(stdout).toMatch(
      /^ +2 +[\d.]+ ms +[\d.]+ µs +2M .* 60% +[\d.]+ µs exit +forks\/6 -> forks\/8 +main forks\.c:24$/m,
    );
    expect(stdout).toMatch(/^ +300 +1\.2M +child_work +forks\.c:\d+ +1, 2$/m);
    expect(stdout).toMatch(/^ +50 +200K +parent_work +forks\.c:\d+ +3$/m);
    expect(stdout).toMatch(/^ +c +fork 3 -> forks\/9$/m);
  });

  it('as JSON, with the copies of the counters, up to a point too', () => {
    const whole = answer();
    const faults = faultline(['report', recording, '--json']).stdout;
    const { total } = JSON.parse(faults) as { total: { cowCopies: number } };
    const { copiedByParent, copiedByChild, otherCopies } = whole.total;
    expect(copiedByParent + copiedByChild + otherCopies).toBe(total.cowCopies);
    expect(whole.copiers.reduce((sum, { copies }) => sum + copies, 0)).toBe(copiedByParent + copiedByChild);
    const [first] = answer('--to', 'sched_process_fork#2').forks;
    expect(first).toEqual(whole.forks[0]);
    const [alive] = answer('--to', 'cow_copy#60').forks;
    expect([alive.endedBy, alive.erosion[0]]).toEqual([null, [0, alive.sharedPages]]);
    expect(alive.erosion.at(-1)?.[1]).toBe(alive.stillShared);
  });

  it('as SVG', () => {
    const output = join(folder, 'fork.svg');
    expect(faultline(['report', recording, 'fork', '-o', output]).status).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(/^<svg [\s\S]*still shared[\s\S]*<polyline/);
  });

  it('gives what comes before the damage of a recording', () => {
    const cut = join(folder, 'cut.flt');
    copyFileSync(recording, cut);
    truncateSync(cut, Math.floor(statSync(recording).size * 0.6));
    const { status, stdout, stderr } = faultline(['report', cut, 'fork']);
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stdout).toMatch(/^# /);
  });

  it.each([
    [['fork', '--every', '1ms'], '--every: is not of fork'],
    [['fork', '--to', 'nonsense'], 'nonsense: is no point of a run'],
    [['fork', '--to', '1us', '-o', join(folder, 'none.svg')], 'no fork has shared memory up to there'],
  ])('says what is wrong with %j', (words, message) => {
    const { status, stderr } = faultline(['report', recording, ...words]);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain(message);
  });
});
