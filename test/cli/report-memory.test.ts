/** `faultline report RECORDING memory`. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-report-memory-'));
const recording = join(folder, 'run.flt');

beforeAll(() => {
  expect(faultline(['record', '-o', recording, 'test/observe/programs/forks.c']).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  peak: {
    bytes: number;
    point: number;
    sinceBytes: number;
    processes: { pid: number; rss: number }[];
    growth: { grownBytes: number; place: string }[];
  };
  spaces: { pid: number; pages: number }[];
  samples: { nowNs: number; processes: { pid: number; rss: number }[] }[];
}

describe('faultline report memory', () => {
  it('has the processes at the peak as procrank, what has grown, and a plot', () => {
    const { status, stdout, stderr } = faultline(['report', recording, 'memory', '--limit', '2']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^# at most [\d.]+M resident, at [\d.]+ ms \(@\d+\), all processes together$/m);
    expect(stdout).toMatch(/^PID +Vss +Rss +Pss +Uss +Swap +cmdline$/m);
    expect(stdout).toMatch(/^ +6( +\d+K){4} +0K +test\/observe\/programs\/forks$/m);
    expect(stdout).toMatch(/^ +\+[\d.]+M +[\d.]+M +forks\/7 .* main forks\.c:\d+$/m);
    expect(stdout).toMatch(/^ +a +RSS$/m);
  });

  it('as JSON, the same as the state at that point', () => {
    const { stdout } = faultline(['report', recording, 'memory', '--json', '--every', '100us']);
    const { peak, spaces, samples } = JSON.parse(stdout) as Answer;
    expect(peak.processes.reduce((sum, { rss }) => sum + rss, 0)).toBe(peak.bytes);
    expect(peak.growth.reduce((sum, { grownBytes }) => sum + grownBytes, 0)).toBe(peak.bytes - peak.sinceBytes);
    expect(spaces.map(({ pid }) => pid).sort()).toEqual([6, 7, 8, 9]);
    for (const { processes } of samples)
      for (const { pid, rss } of processes)
        expect(rss / 4096).toBeLessThanOrEqual(spaces.find((space) => space.pid === pid)?.pages ?? 0);
    const times = samples.map(({ nowNs }) => nowNs);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    const there = faultline(['replay', recording, '--to', `@${peak.point}`, '--pid', '7', 'smaps']).stdout;
    const rss = [...there.matchAll(/^Rss: +(\d+) kB$/gm)].reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0);
    expect(rss).toBe(peak.processes.find(({ pid }) => pid === 7)?.rss);
  });

  it('as SVG, of one process', () => {
    const output = join(folder, 'memory.svg');
    expect(faultline(['report', recording, 'memory', '--pid', '8', '-o', output]).status).toBe(0);
    expect(readFileSync(output, 'utf8')).toMatch(/^<svg .*[\s\S]*process 8[\s\S]*<polyline/);
  });

  it.each([
    [['size'], 'size: is no question; there are code, memory, '],
    [['memory', '--every', 'end'], '--every end: write a time such as 100us'],
    [['memory', '--to', 'page_fault#3'], '--to page_fault#3: write a time such as 100us'],
    [['memory', '--by', 'line'], '--by: is not of memory; code takes it'],
    [['--pid', '6'], '--pid: is not of code; memory'],
    [['memory', '--limit', 'x'], '--limit: write how many lines are to be printed'],
    [['memory', '--pid', '99'], '--pid 99: the run has no such process'],
  ])('says what is wrong with %j', (words, message) => {
    const { status, stderr } = faultline(['report', recording, ...words]);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain(message);
  });
});
