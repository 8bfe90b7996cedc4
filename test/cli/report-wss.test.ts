/** `faultline report RECORDING wss`. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-report-wss-'));
const recording = join(folder, 'run.flt');

beforeAll(() => {
  expect(faultline(['record', '-o', recording, 'test/observe/programs/forks.c']).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Window {
  windowNs: number;
  ref: number;
  avg: number;
  max: number;
}
interface Answer {
  tickNs: number;
  windowNs: number;
  processes: { pid: number; peak: number; windows: Window[]; course: { wss: number[]; rss: number[] } }[];
  machine: Window[];
}

function expectRising(windows: readonly Window[]): void {
  windows.slice(1).forEach((each, at) => {
    for (const name of ['ref', 'avg', 'max'] as const) expect(each[name]).toBeGreaterThanOrEqual(windows[at][name]);
    expect(each.max).toBeGreaterThanOrEqual(each.avg);
  });
}

describe('faultline report wss', () => {
  it('has the columns of wss.pl, every program, and plots by window and over time', () => {
    const { status, stdout, stderr } = faultline(['report', recording, 'wss', '--limit', '3']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Est\(ms\) +RSS\(MB\) +PSS\(MB\) +Ref\(MB\) +Avg\(MB\) +Max\(MB\)$/m);
    expect(stdout).toMatch(/^ +0\.001( +\d+\.\d{3}){5}$/m);
    expect(stdout).toMatch(/^ +6 +[\d.]+M( +\d+\.\d{3}){2} +test\/observe\/programs\/forks$/m);
    expect(stdout).toContain('... and 1 more (--limit 4)');
    expect(stdout).toMatch(/^ +b +of 0\.\d+ ms$/m);
    expect(faultline(['report', recording, 'wss', '--limit', '3']).stdout).toBe(stdout);
  });

  it('as JSON: rises with the window, and follows the one that is asked for', () => {
    const { stdout } = faultline([
      'report',
      recording,
      'wss',
      '--json',
      '--every',
      '5us',
      '--window',
      '15us',
      '--to',
      '600us',
    ]);
    const { tickNs, windowNs, processes, machine } = JSON.parse(stdout) as Answer;
    expect([tickNs, windowNs]).toEqual([5000, 15_000]);
    expect(processes.map(({ pid }) => pid)).toContain(7);
    expectRising(machine);
    for (const { windows, course, peak } of processes) {
      expectRising(windows);
      const followed = windows.find((each) => each.windowNs === windowNs) as Window;
      expect(Math.max(...course.wss)).toBe(followed.max);
      expect(course.wss.at(-1)).toBe(followed.ref);
      expect(course.wss.reduce((sum, each) => sum + each, 0) / course.wss.length).toBeCloseTo(followed.avg, 6);
      expect(Math.max(...course.rss)).toBeLessThanOrEqual(peak);
    }
  });

  it('as SVG, of one process', () => {
    const output = join(folder, 'wss.svg');
    expect(faultline(['report', recording, 'wss', '--pid', '8', '-o', output]).status).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(
      /^<svg .*[\s\S]*process 8[\s\S]*working set over time[\s\S]*<polyline/,
    );
  });

  it('of a recording that was cut off gives what comes before', () => {
    const cut = join(folder, 'cut.flt');
    writeFileSync(cut, readFileSync(recording));
    truncateSync(cut, Math.floor(readFileSync(recording).length * 0.9));
    const { status, stdout, stderr } = faultline(['report', cut, 'wss', '--every', '5us']);
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stdout).toMatch(/^# process \d+ .*: pages referenced in the time before/);
  });

  it.each([
    [
      ['wss', '--window', '3us', '--every', '2us'],
      '--window 3us: is no multiple of a tick, 0.002 ms; choose it with --every',
    ],
    [['wss', '--every', 'x'], 'x: is no point of a run'],
    [['wss', '--pid', '99'], '--pid 99: the run has no such process'],
    [['memory', '--window', '1us'], '--window: is not of memory; wss takes it'],
  ])('says what is wrong with %j', (words, message) => {
    const { status, stderr } = faultline(['report', recording, ...words]);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain(message);
  });
});
