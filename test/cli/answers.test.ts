/**
 * Every question and every export, of three programs: the demo, a pipeline of busybox's shell, and sqlite3 (a quarter of a million lines of C, linked
 * dynamically, without debug information). What they say adds up to the kernel's counters, and each agrees with the others.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { Profile } from 'pprof-format';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AttributionTable, RunStats } from '../../src/index.ts';
import { DEBIAN_DYNAMIC_ROOT, debianFile, HOW_TO_GET, HOW_TO_GET_DYNAMIC, hasDynamicRoot } from '../programs/debian.ts';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-answers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const busybox = debianFile('usr/bin/busybox');
const SQL = `create table t(a integer primary key, b text);
with recursive c(x) as (select 1 union all select x+1 from c where x<300) insert into t select x, 'row '||x from c;
create index i on t(b); select count(*), sum(a) from t;`;

const PROGRAMS = [
  { name: 'demo', isThere: true, how: '', command: ['guest/demo.c'], output: /^1\. A file of four pages/ },
  {
    name: 'busybox',
    isThere: busybox !== null,
    how: HOW_TO_GET,
    command: ['--mount', `${busybox}:/bin/busybox:ro`, busybox ?? '', 'sh', '-c', 'seq 1 60 | sort -r | head -5 | wc'],
    output: /^ +5 +5 +\d+\n$/,
  },
  {
    name: 'sqlite3',
    isThere: hasDynamicRoot,
    how: HOW_TO_GET_DYNAMIC,
    command: ['--root', DEBIAN_DYNAMIC_ROOT, '/usr/bin/sqlite3', ':memory:', SQL],
    output: /^300\|45150\n$/,
  },
];

/** Status 0, nothing on standard error but the line that counts events. */
function answer(...args: string[]): string {
  const { status, stdout, stderr } = faultline(args);
  expect([status, stderr.replace(/^faultline: .*: [\d,]+ events\n$/, '')], args.join(' ')).toEqual([0, '']);
  return stdout;
}

function parsed<T>(...args: string[]): T {
  return JSON.parse(answer(...args)) as T;
}

interface SimAnswer {
  readonly pages: number;
  readonly rows: readonly { policy: string; sizePages: number; refs: number; misses: number }[];
  readonly tlbRows: readonly { level: string; refs: number; misses: number }[];
}

for (const { name, isThere, how, command, output } of PROGRAMS)
  describe.skipIf(!isThere)(`${name} ${how}`, () => {
    const file = (ending: string): string => join(folder, `${name}.${ending}`);
    const recording = file('flt');
    let stdout = '';
    let stats: RunStats;
    let table: AttributionTable;

    beforeAll(() => {
      // The first time, a compiler may say on standard error that it is slow.
      faultline(['run', ...command]);
      stdout = answer('record', '-o', recording, '--stats-json', file('stats.json'), ...command);
      stats = JSON.parse(readFileSync(file('stats.json'), 'utf8')) as RunStats;
      table = parsed('report', recording, '--json');
    });

    test('runs alike when it is recorded, replayed, counted and watched', () => {
      expect(stdout).toMatch(output);
      expect(answer('run', ...command)).toBe(stdout);
      expect(answer('replay', recording)).toBe(stdout);
      const counted = faultline(['stat', '--json', ...command]);
      expect([counted.status, counted.stdout]).toEqual([0, stdout]);
      const { pgfault, pgmajfault, faults, instructions, tlbMisses, swap } = stats;
      expect(JSON.parse(counted.stderr)).toMatchObject({ pgfault, pgmajfault, faults, instructions, tlbMisses, swap });
      const watched = faultline(['top', '--every', '1ms', ...command]);
      expect([watched.status, watched.stdout]).toEqual([0, stdout]);
      expect(answer('diff', recording, recording)).toBe('the runs are the same\n');
    });

    test.each(['function', 'line', 'vma', 'process'])("report by %s adds up to the kernel's counters", (by) => {
      const { total, entries } =
        by === 'function' ? table : parsed<AttributionTable>('report', recording, '--by', by, '--json');
      const sum = (value: (entry: AttributionTable['entries'][number]) => number): number =>
        entries.reduce((sofar, entry) => sofar + value(entry), 0);
      expect(total.faultsByKind).toEqual(stats.faults);
      // A fault that waits for what another process reads is major, too; pgmajfault counts the reads.
      expect(total.minorFaults + total.majorFaults).toBe(stats.pgfault);
      if (name !== 'busybox') expect(total.majorFaults).toBe(stats.pgmajfault);
      expect([total.tlbMisses, total.swapIns]).toEqual([stats.tlbMisses, stats.swap.ins + stats.swap.zeroIns]);
      for (const column of ['faults', 'minorFaults', 'majorFaults', 'cowCopies', 'tlbMisses', 'peakBytes'] as const)
        expect(
          sum((entry) => entry[column]),
          column,
        ).toBe(total[column]);
    });

    test('events are the same in each format, and as many as the counters say', async () => {
      const events = answer('replay', recording, 'events', '--format', 'jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: string; major?: number });
      const count = (name: string): number => events.filter(({ event }) => event === name).length;
      expect(count('faultline:page_fault')).toBe(table.total.faults);
      expect(count('faultline:major_fault')).toBe(stats.pgmajfault);
      expect(events.filter(({ major }) => major === 1).length).toBe(table.total.majorFaults);
      expect(count('faultline:cow_copy')).toBe(table.total.cowCopies);
      expect(count('faultline:mm_fork')).toBe(table.forks.length);
      expect(count('sched:sched_process_fork')).toBe(stats.forks);
      expect(parse(answer('replay', recording, 'events', '--format', 'csv'), { columns: true }).length).toBe(
        events.length,
      );
      expect(parsed<unknown[]>('replay', recording, 'events', '--json').length).toBe(events.length);
      expect(answer('replay', recording, 'events').trimEnd().split('\n').length).toBe(events.length);
      answer('replay', recording, 'events', '--format', 'parquet', '-o', file('parquet'));
      const { num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(file('parquet')));
      expect(Number(num_rows)).toBe(events.length);
    });

    test('call stacks add up in each format', () => {
      const stacks = (format: string, ...args: string[]): Buffer => {
        answer('report', recording, '--format', format, '-o', file(format), ...args);
        return readFileSync(file(format));
      };
      const profile = Profile.decode(gunzipSync(stacks('pprof')));
      const sums = profile.sampleType.map((_, at) =>
        profile.sample.reduce((sofar, { value }) => sofar + Number(value[at]), 0),
      );
      const { total } = table;
      const { minorFaults, majorFaults, cowCopies, peakBytes, refaults, tlbMisses } = total;
      expect(sums).toEqual([minorFaults, majorFaults, cowCopies, peakBytes, refaults, tlbMisses]);
      const lines = stacks('collapsed', '--sort', 'faults').toString().trimEnd().split('\n');
      expect(lines.reduce((sofar, line) => sofar + Number(/ (\d+)$/.exec(line)?.[1]), 0)).toBe(total.faults);
      expect(stacks('flamegraph', '--sort', 'cow').toString()).toContain(`<title>all (${cowCopies} times, 100.00%)`);
      expect(stacks('perfetto').length).toBeGreaterThan(1000);
    });

    test('memory at a point is the same in each of its files', () => {
      const at = ['replay', recording, '--to', 'page_fault#100'];
      const rss = (question: string): number => {
        const { text } = parsed<{ text: string }>(...at, '--json', question);
        return [...text.matchAll(/^Rss: +(\d+) kB$/gm)].reduce((sum, [, kib]) => sum + Number(kib), 0);
      };
      expect(rss('smaps')).toBe(rss('smaps_rollup'));
      expect(rss('smaps')).toBeGreaterThan(300);
      const frames = parsed<{ frames: number }[]>(...at, '--json', 'frames');
      expect(frames.reduce((sum, use) => sum + use.frames, 0)).toBe((256 * 2 ** 20) / 4096);
      const [first] = parsed<{ processes: { rssKb: number }[] }>(...at, '--json', 'where').processes;
      expect(first.rssKb).toBe(rss('smaps_rollup'));
      answer(...at, 'smem', '-o', file('tar'));
      expect(statSync(file('tar')).size % 512).toBe(0);
    });

    test('the peak is one, and forks shared what was copied', () => {
      const { peak } = parsed<{ peak: { bytes: number; nowNs: number } }>('report', recording, 'memory', '--json');
      expect([peak.bytes, peak.nowNs]).toEqual([table.total.peakBytes, table.peakNs]);
      const { total } = parsed<{
        total: { forks: number; copiedByParent: number; copiedByChild: number; otherCopies: number };
      }>('report', recording, 'fork', '--json');
      expect(total.forks).toBe(table.forks.length);
      expect(total.copiedByParent + total.copiedByChild + total.otherCopies).toBe(table.total.cowCopies);
    });

    test('its working set grows to the pages that its heat map has', () => {
      type Windows = { avg: number; max: number; ref: number }[];
      const { processes, machine } = parsed<{ processes: { pid: number; windows: Windows }[]; machine: Windows }>(
        ...['report', recording, 'wss', '--json'],
      );
      for (const windows of [machine, ...processes.map((each) => each.windows)])
        windows.slice(1).forEach((each, at) => {
          for (const value of ['avg', 'max', 'ref'] as const)
            expect(each[value]).toBeGreaterThanOrEqual(windows[at][value]);
        });
      const { pid, bands } = parsed<{
        pid: number;
        bands: { rows: { pages: number; references: number[] | null }[] }[];
      }>(...['report', recording, 'heat', '--json', '--rows', '1024']);
      expect(pid).toBe(processes[0].pid);
      const touched = bands.flatMap(({ rows }) => rows).filter(({ references }) => references !== null);
      const pages = touched.reduce((sum, row) => sum + row.pages, 0);
      expect(processes[0].windows.at(-1)?.ref).toBe(pages * 4096);
      for (const format of ['text', 'csv', 'svg'])
        expect(answer('report', recording, 'heat', '--format', format).length).toBeGreaterThan(1000);
    });

    test('its references: no policy beats opt, and memory for all misses each page once', () => {
      answer('replay', recording, 'references', '-o', file('oracleGeneral'));
      const { pages, rows } = parsed<SimAnswer>(
        ...['sim', '--json', '--policies', 'mglru,lru,opt', '--sizes', '25%,100%', file('oracleGeneral')],
      );
      const misses = (policy: string): number[] => rows.filter((row) => row.policy === policy).map((row) => row.misses);
      for (const { refs } of rows) expect(refs).toBe(statSync(file('oracleGeneral')).size / 24);
      for (const policy of ['mglru', 'lru', 'opt']) {
        expect(misses(policy)[1]).toBe(pages);
        expect(misses(policy)[0]).toBeGreaterThanOrEqual(misses('opt')[0]);
      }
      answer('replay', recording, 'references', '-o', file('lackey'));
      const { tlbRows } = parsed<SimAnswer>('sim', '--json', '--tlb', 'entries=64,ways=4,page=4K', file('lackey'));
      expect(tlbRows.map(({ refs }) => refs)).toEqual(tlbRows.map(() => rows[0].refs));
    });

    test('how often pages are accessed, as damo has it', () => {
      const records = parsed<{ snapshots: unknown[] }[]>('replay', recording, 'damo', '-o', '-');
      expect(records.length).toBeGreaterThan(0);
      for (const { snapshots } of records) expect(snapshots.length).toBeGreaterThan(0);
    });

    test('how much RAM it needs, and what other options change', () => {
      const { sentence, rows } = parsed<{ sentence: string; rows: { outcome: string; memoryBytes: number }[] }>(
        ...['ram', '--json', ...command],
      );
      expect(sentence).toMatch(/ needs .*\d[KM]/);
      expect(rows.length).toBeGreaterThan(0);
      const same = parsed<{ differences: unknown[]; parting: unknown }>(
        ...['compare', '--json', '--reclaim mglru', '--reclaim mglru', '--', ...command],
      );
      expect([same.differences, same.parting]).toEqual([[], null]);
      expect(answer('compare', '--paging sv39', '--paging sv57', '--', ...command)).toMatch(
        /^pageTableKbPeak +\d+ +\d+ +\+\d+/m,
      );
    });
  });
