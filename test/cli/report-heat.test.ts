/** `faultline report RECORDING heat`. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-report-heat-'));
const recording = join(folder, 'run.flt');

beforeAll(() => {
  expect(faultline(['record', '-o', recording, 'test/observe/programs/phases.c']).status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  columns: number;
  bands: {
    mapping: string;
    rows: { start: string; pages: number; references: number[] | null; faults: number[] | null }[];
  }[];
}

describe('faultline report heat', () => {
  it('draws digits, high addresses at the top, and the sums of each mapping; twice the same', () => {
    const { status, stdout, stderr } = faultline(['report', recording, 'heat']);
    expect([status, stderr]).toEqual([0, '']);
    const rows = stdout.split('\n').filter((line) => /^.{26} \|/.test(line));
    expect(rows.length).toBeLessThanOrEqual(35);
    expect(rows[0]).toMatch(/^\[stack\] +\|[ 1-9]+$/);
    expect(stdout).toMatch(/^\/\/anon rw-p +\|[ 1-9]+$/m);
    expect(stdout).toMatch(/^ +faults +\|[ 1-9]+$/m);
    expect(stdout).toMatch(/^ *[\d,]+ +\d+ +0 +0 +257 +[0-9a-f]+ +\/\/anon rw-p$/m);
    expect(stdout).not.toContain('\x1b');
    expect(faultline(['report', recording, 'heat']).stdout).toBe(stdout);
  });

  it('as CSV and JSON, with the same sums', () => {
    const csv = faultline(['report', recording, 'heat', '--format', 'csv']).stdout.trim().split('\n');
    expect(csv[0]).toBe('start_ns,end_ns,start,end,pages,mapping,references,faults,major_faults,evictions');
    const { bands, columns } = JSON.parse(faultline(['report', recording, 'heat', '--json']).stdout) as Answer;
    const rows = bands.flatMap((band) => band.rows);
    const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
    for (const [column, name] of [
      [6, 'references'],
      [7, 'faults'],
    ] as const)
      expect(sum(csv.slice(1).map((line) => Number(line.split(',')[column])))).toBe(
        sum(rows.flatMap((row) => row[name] ?? [])),
      );
    for (const { references } of rows) expect(references?.length ?? columns).toBe(columns);
    expect(rows.length).toBeLessThanOrEqual(96);
    expect(bands.map(({ mapping }) => mapping)).toContain('[heap]');
  });

  it('as SVG, of as many rows and columns as are asked for', () => {
    const output = join(folder, 'heat.svg');
    const { status } = faultline(['report', recording, 'heat', '--rows', '12', '--every', '100us', '-o', output]);
    expect(status).toBe(0);
    const svg = readFileSync(output, 'utf8');
    expect(svg).toMatch(
      /^<svg [\s\S]*<title>\/\/anon rw-p [0-9a-f]+-[0-9a-f]+, \d+ pages\n[\s\S]*references[\s\S]*<\/svg>\n$/,
    );
    expect(svg.match(/<title>/g)?.length).toBeLessThanOrEqual(12 * 7);
  });

  it('of a recording that was cut off gives what comes before', () => {
    const cut = join(folder, 'cut.flt');
    writeFileSync(cut, readFileSync(recording));
    truncateSync(cut, Math.floor(readFileSync(recording).length * 0.95));
    const { status, stderr } = faultline(['report', cut, 'heat', '--every', '10us']);
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
  });

  it.each([
    [['--format', 'png'], '--format png: write text, svg, csv, json'],
    [['--rows', '0'], '--rows: write how many rows there are to be, at most 1024'],
    [['--every', '10ns'], '--every 10ns: makes '],
    [['--pid', '99'], '--pid 99: the run has no such process'],
  ])('says what is wrong with %j', (words, message) => {
    const { status, stderr } = faultline(['report', recording, 'heat', ...words]);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    expect(stderr).toContain(message);
  });
});
