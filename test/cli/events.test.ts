import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultline, ROOT } from '../setup/faultline.ts';

/** `faultline replay FILE events`: the same table in every format, as other programs read it. */
type Row = Record<string, number | string | null>;
let folder: string;
let objects: Row[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-events-'));
  copyFileSync(join(ROOT, 'test/cli/replayed.c'), join(folder, 'replayed.c'));
  writeFileSync(join(folder, 'input.txt'), 'hello\n');
  faultline(['record', '--memory', '32M', '-o', 'r.flt', 'replayed.c'], { cwd: folder, input: 'typed\n' });
  objects = JSON.parse(events('--format', 'json').stdout) as Row[];
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function events(...args: string[]): ReturnType<typeof faultline> {
  return faultline(['replay', 'r.flt', 'events', ...args], { cwd: folder, input: '' });
}

/** Without the columns that a row has no value in. */
function compact(rows: readonly Row[]): Row[] {
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && value !== '')),
  );
}

test('JSON has every event with its own fields', () => {
  expect(objects.length).toBeGreaterThan(1000);
  expect(objects.find(({ event }) => event === 'faultline:cow_copy')).toMatchObject({
    mm_id: expect.any(Number),
    ksm: 0,
  });
  expect(events('--json').stdout).toBe(events('--format', 'json').stdout);
});

test('run --trace prints the lines that a replay prints, all or some kinds', () => {
  const traced = (what: string): string => {
    const options = ['--memory', '32M', '--trace', what, '--trace-file', `${what}.txt`];
    const { stderr } = faultline(['run', ...options, 'replayed.c'], { cwd: folder, input: 'typed\n' });
    expect(stderr).toBe('');
    return readFileSync(join(folder, `${what}.txt`), 'utf8');
  };
  expect(traced('events')).toBe(events().stdout);
  const some = traced('cow_copy,kmem:mm_page_free');
  expect(some).toBe(events('--kind', 'mm_page_free,cow_copy').stdout);
  expect(some).toMatch(
    /^ +\d+\.\d{6} replayed\/6 faultline:cow_copy: mm_id=1 address=0x[0-9a-f]+ old_pfn=\d+ pfn=\d+ ksm=0$/m,
  );
});

test('JSON lines are the same', () => {
  const lines = events('--format', 'jsonl').stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as Row)).toEqual(objects);
});

test('CSV is the same, as csv-parse reads it', () => {
  const rows = parse(events('--format', 'csv').stdout, { columns: true }) as Record<string, string>[];
  const numbers = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, text]) => [name, name === 'event' || text === '' ? text : Number(text)]),
    ),
  );
  expect(compact(numbers)).toEqual(objects);
});

test('Parquet is the same, as hyparquet reads it', async () => {
  const { status, stderr } = events('--format', 'parquet', '-o', 'e.parquet');
  expect([status, stderr]).toEqual([0, `faultline: e.parquet: ${objects.length.toLocaleString('en-US')} events\n`]);
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, 'e.parquet')) });
  expect(compact(rows as Row[])).toEqual(objects);
});

test('text has the time, the task and the fields of each', () => {
  const { stdout } = events('--kind', 'cow_copy,exceptions:page_fault_user', '-o', 'e.txt');
  expect(stdout).toBe('');
  const lines = readFileSync(join(folder, 'e.txt'), 'utf8').trimEnd().split('\n');
  const wanted = objects.filter(({ event }) => /cow_copy|page_fault_user/.test(String(event)));
  expect(lines.length).toBe(wanted.length);
  for (const line of lines)
    expect(line).toMatch(
      /^ +\d+\.\d{6} replayed\/[67] (faultline:cow_copy: mm_id=\d address=0x|exceptions:page_fault_user: address=0x[0-9a-f]+ ip=0x[0-9a-f]+ error_code=1[235]$)/,
    );
});

test('what is asked for alone: kinds, a task, times', () => {
  const some = JSON.parse(events('--kind', 'mm_page_alloc', '--pid', '7', '--from', '0.1ms', '--json').stdout) as Row[];
  const wanted = objects.filter(
    ({ event, common_pid, time_ns }) =>
      event === 'kmem:mm_page_alloc' && common_pid === 7 && Number(time_ns) >= 100_000,
  );
  expect(some).toEqual(wanted);
  expect(wanted.length).toBeGreaterThan(1);
  const early = JSON.parse(events('--to', '0.1ms', '--json').stdout) as Row[];
  expect(early).toEqual(objects.slice(0, early.length));
  expect(early.length).toBeGreaterThan(100);
  expect(events('--kind', 'mark_victim', '--json').stdout).toBe('[\n]\n');
  expect(events('--kind', 'mark_victim', '--format', 'csv').stdout).toMatch(
    /^time_ns,common_pid,event,pid,total_vm,.*\n$/,
  );
  expect(events('--kind', 'mark_victim').stdout).toBe('');
});

test.each([
  [
    ['--kind', 'page_falut'],
    '--kind page_falut: page_falut is no event; near to it: page_fault, page_fault_user, page_map (all are in docs/events.md)',
  ],
  [['--format', 'xml'], '--format xml: is none of text, csv, jsonl, json, parquet'],
  [['--from', 'noon'], 'noon: is no point of a run'],
  [['--from', 'end'], '--from end: is no time; write 1.5ms'],
  [['--to', 'write:0x1000'], '--to write:0x1000: events go up to a time, an event, @N or the end'],
  [['-o', 'no/e.csv'], '--output no/e.csv: cannot be written (ENOENT)'],
])('%j gets one line', (args, message) => {
  const { status, stderr } = events(...args);
  expect(status).toBe(2);
  expect(stderr.startsWith(`faultline: ${message}`), stderr).toBe(true);
  expect(stderr.split('\n').length).toBe(2);
});

test('goes up to the n-th event, however long that takes', () => {
  // Some 600,000 instructions a page: several stretches of the replay.
  const source = `#include <stdlib.h>
int main(void) {
  volatile char *pages = malloc(64 * 4096);
  for (int page = 0; page < 20; page++)
    for (int turn = 0; turn < 100000; turn++) pages[page * 4096]++;
  return 0;
}`;
  writeFileSync(join(folder, 'slow.c'), source);
  faultline(['record', '--memory', '32M', '-o', 'slow.flt', 'slow.c'], { cwd: folder });
  const faults = (...args: string[]) => {
    const { stdout } = faultline(['replay', 'slow.flt', 'events', '--kind', 'page_fault', '--json', ...args], {
      cwd: folder,
    });
    return JSON.parse(stdout) as Row[];
  };
  const all = faults();
  expect(faults('--to', `page_fault#${all.length - 3}`)).toEqual(all.slice(0, -3));
});
