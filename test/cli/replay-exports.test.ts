import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-exports-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const recording = join(folder, 'rounds.flt');
expect(faultline(['record', '-o', recording, 'test/cli/rounds.c']).status).toBe(0);

function exported(name: string, words: readonly string[]): Buffer {
  const file = join(folder, name);
  const { status, stderr } = faultline(['replay', recording, ...words, '-o', file]);
  expect([status, stderr]).toEqual([0, '']);
  return readFileSync(file);
}

/** Name -> contents of the files of a ustar archive, by the rules of POSIX; checks the sums. */
function untar(bytes: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  for (let at = 0; bytes[at] !== 0; ) {
    const header = bytes.subarray(at, at + 512);
    const text = (from: number, length: number): string =>
      header.toString('latin1', from, from + length).replace(/\0[\s\S]*/, '');
    const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    expect(Number.parseInt(text(148, 8), 8)).toBe(sum);
    expect(text(257, 6)).toBe('ustar');
    const size = Number.parseInt(text(124, 12), 8);
    if (text(156, 1) === '0') files.set(text(0, 100), bytes.toString('utf8', at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

describe('smem', () => {
  const archive = exported('run.tar', ['--to', '2.9ms', 'smem']);
  const files = untar(archive);

  test('has what smem looks for', () => {
    // smem 1.5: a process is a name that ends in /smaps; its command; MemTotal.
    const pids = [...files.keys()].filter((name) => name.endsWith('/smaps')).map((name) => name.split('/'));
    expect(pids.every(([pid, name]) => /^\d+$/.test(pid) && name === 'smaps')).toBe(true);
    const [pid] = pids.find(([each]) => files.get(`${each}/cmdline`) !== '') ?? [];
    expect(files.get(`${pid}/cmdline`)).toBe('test/cli/rounds\0');
    expect(files.get(`${pid}/stat`)).toMatch(/^\d+ \(rounds\) /);
    expect(files.get('meminfo')).toMatch(/^MemTotal: +\d+ kB$/m);
    expect(files.get('version')).toMatch(/^Linux version /);
    const sum = (text: string, name: string): number =>
      [...text.matchAll(new RegExp(`^${name}: +(\\d+) kB$`, 'gm'))].reduce(
        (total, match) => total + Number(match[1]),
        0,
      );
    const smaps = files.get(`${pid}/smaps`) as string;
    expect(sum(smaps, 'Rss')).toBe(sum(files.get(`${pid}/smaps_rollup`) as string, 'Rss'));
    expect(sum(smaps, 'Rss')).toBeGreaterThan(9000);
  });

  test('is the same bytes each time', () => {
    expect(exported('again.tar', ['--to', '2.9ms', 'smem']).equals(archive)).toBe(true);
  });
});

interface DamoRecord {
  target_id: number;
  intervals: { sample_us: string; aggr_us: string };
  snapshots: {
    start_time: string;
    end_time: string;
    regions: { start: string; end: string; nr_accesses: { samples: number; percent: number } }[];
    total_bytes: string;
  }[];
}

describe('damo', () => {
  const [record, ...others] = JSON.parse(
    exported('run.json', ['damo', '--interval', '100us']).toString(),
  ) as DamoRecord[];

  test('has a record of the process, with snapshots one after the other', () => {
    expect(others).toEqual([]);
    expect(record.intervals).toMatchObject({ sample_us: '5000 ns', aggr_us: '100000 ns' });
    expect(record.snapshots.length).toBeGreaterThan(25);
    const starts = record.snapshots.map(({ start_time }) => start_time);
    expect(starts.slice(1)).toEqual(record.snapshots.slice(0, -1).map(({ end_time }) => end_time));
    for (const { regions, total_bytes } of record.snapshots) {
      let sum = 0;
      let before = 0;
      for (const { start, end, nr_accesses } of regions) {
        expect(Number(start)).toBeGreaterThanOrEqual(before);
        expect(Number(end)).toBeGreaterThan(Number(start));
        expect(nr_accesses.percent).toBe(nr_accesses.samples * 5);
        expect(nr_accesses.samples).toBeLessThanOrEqual(20);
        before = Number(end);
        sum += Number(end) - Number(start);
      }
      expect(Number(total_bytes)).toBe(sum);
    }
  });

  test('counts every page: the ten megabytes are all accessed in some snapshot', () => {
    const touched = new Set<number>();
    for (const { regions } of record.snapshots)
      for (const { start, end, nr_accesses } of regions)
        if (nr_accesses.samples > 0)
          for (let page = Number(start) / 4096; page < Number(end) / 4096; page++) touched.add(page);
    expect(touched.size).toBeGreaterThan(2500);
    expect(touched.size).toBeLessThan(2600);
  });

  test('is compressed as damo does, but for .json', () => {
    const text = inflateSync(exported('run.damon', ['damo', '--interval', '100us'])).toString();
    expect(JSON.parse(text)).toEqual([record]);
  });

  test.each([
    [['smem'], 'faultline: smem: say where it goes: smem -o FILE.tar\n'],
    [['damo', '-o', 'x', '--interval', 'end'], 'faultline: --interval end: write a time such as 100us\n'],
    [['damo', '-o', 'x', '--to', 'page_fault#3'], 'faultline: damo: say up to when: --to 2ms\n'],
    [['damo', '-o', 'no/such/file'], 'faultline: -o no/such/file: cannot be written (ENOENT)\n'],
  ])('%j gets one line', (words, message) => {
    const { status, stderr, stdout } = faultline(['replay', recording, ...words]);
    expect([status, stderr, stdout]).toEqual([2, message, '']);
  });
});
