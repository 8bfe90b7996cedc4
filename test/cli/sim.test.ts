import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decompress } from 'fzstd';
import { afterAll, describe, expect, test } from 'vitest';
import { clockProMisses } from '../../src/mm/reclaim/testing/clock-pro-model.ts';
import { arcMisses, clockMisses, fifoMisses, lruMisses, optMisses } from '../../src/mm/reclaim/testing/models.ts';
import { faultline } from '../setup/faultline.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-sim-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** '1\n2\n3\n' a hundred times, by zstd 1.5.4 -19. */
const ZSTD = 'KLUv/WRYAW0AADAxCjIKMwoBAE9SlSJzNUpA';

interface Row {
  policy: string;
  sizePages: number;
  refs: number;
  misses: number;
}

interface Answer {
  format: string;
  pages: number;
  rows: Row[];
  tlbRows: { level: string; pageBytes: number; entries: number; refs: number; misses: number }[];
}

function simulated(args: readonly string[], input: string | Uint8Array = ''): Answer {
  const { status, stdout, stderr } = faultline(['sim', '--json', ...args], { input });
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Answer;
}

/** Zipf-like, with a loop in it. */
const PAGES = Array.from({ length: 1500 }, (_, at) => {
  const draw = (Math.imul(at + 1, 0x9e3779b1) >>> 0) / 2 ** 32;
  return at % 5 === 0 ? 100 + ((at / 5) % 20) : Math.floor(60 ** draw);
});
const LIST = PAGES.map((page) => `${page}\n`).join('');
const SIZES = [1, 4, 15, 40];

describe('faultline sim', () => {
  const models = {
    fifo: fifoMisses,
    clock: clockMisses,
    lru: lruMisses,
    arc: arcMisses,
    'clock-pro': clockProMisses,
    opt: optMisses,
  } as const;
  const policies = Object.keys(models) as (keyof typeof models)[];

  test('misses as often as the textbook models do, and opt least', () => {
    const { rows, format, pages } = simulated(['--policies', policies.join(), '--sizes', SIZES.join(), '-'], LIST);
    expect([format, pages]).toEqual(['list', new Set(PAGES).size]);
    const wanted = policies.flatMap((policy) =>
      SIZES.map((size) => ({ policy, sizePages: size, refs: PAGES.length, misses: models[policy](PAGES, size) })),
    );
    expect(rows).toMatchObject(wanted);
    const others = simulated(['--policies', 'random,nru,aging-2.4,mglru,two-list', '--sizes', SIZES.join(), '-'], LIST);
    for (const { sizePages, misses } of others.rows) expect(misses).toBeGreaterThanOrEqual(optMisses(PAGES, sizePages));
  });

  test('prints a table and a plot, the same each time', () => {
    const args = ['sim', '--policies', 'lru,random', '--sizes', '8K,50%,60', '--plot', '-'];
    const { stdout } = faultline(args, { input: LIST });
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^policy +size +refs +misses +miss_ratio$/);
    expect(lines[1]).toMatch(/^lru +2 +1,500 +[\d,]+ +\d\.\d{4}$/);
    expect(stdout).toMatch(/^ +a {2}lru\n +b {2}random\n$/m);
    expect(faultline(args, { input: LIST }).stdout).toBe(stdout);
  });

  test('writes the plot as SVG', () => {
    const { stdout } = faultline(['sim', '--policies', 'lru,opt', '--svg', '-', '-'], { input: LIST });
    expect(stdout).toMatch(/^<svg xmlns="[^"]+" viewBox="0 0 760 460"[\s\S]*<\/svg>\n$/);
    expect(stdout.match(/<polyline/g)?.length).toBe(2);
  });

  test('has the standard error of a sampled curve', () => {
    const { stdout } = faultline(['sim', '--policies', 'lru', '--sizes', '10,20', '--sample', '0.5', '-'], {
      input: LIST,
    });
    expect(stdout).toMatch(
      /^policy +size +refs +misses +miss_ratio +error\nlru +10 +1,500 +[\d,]+ +0\.\d{4} +\+-0\.\d{4}\n/,
    );
  });

  test('takes addresses of lackey, in runs or each of them', () => {
    const lackey =
      '==1== Lackey, an example\nI  0401000,3\n L 0401ffe,4\n S 1fff000778,8\nI  0401003,3\nI  0401006,2\n';
    const base = ['--policies', 'fifo', '--sizes', '9'];
    expect(simulated([...base, '-'], lackey).rows[0]).toMatchObject({ refs: 4, misses: 3 });
    expect(simulated([...base, '--each', '-'], lackey).rows[0]).toMatchObject({ refs: 6, misses: 3 });
    expect(simulated([...base, '--page', '2M', '-'], lackey).rows[0]).toMatchObject({ refs: 3, misses: 2 });
  });

  test('takes gz and zst, whatever the name says', () => {
    const file = join(folder, 'list.txt.zst');
    writeFileSync(join(folder, 'list'), gzipSync(LIST));
    const wanted = simulated(['--policies', 'lru', '--sizes', '7', '-'], LIST).rows;
    expect(simulated(['--policies', 'lru', '--sizes', '7', join(folder, 'list')]).rows).toEqual(wanted);
    writeFileSync(file, Buffer.from(ZSTD, 'base64'));
    expect(simulated(['--policies', 'fifo', '--sizes', '2', file]).rows[0]).toMatchObject({ refs: 300, misses: 300 });
  });

  test.each([
    ['lackey', ' L 1000,4\n L 2', 'line 2, the last one, is cut off'],
    ['gz', gzipSync(LIST).subarray(0, 300), 'the gz file is cut off'],
  ])('says that a %s trace is cut off, and takes what is there', (_, input, message) => {
    const { status, stderr } = faultline(['sim', '--policies', 'lru', '-'], { input });
    expect([status, stderr]).toEqual([1, `faultline: -: ${message}; this is of what comes before\n`]);
  });

  test.each([
    [['-'], ' L 1000,4\nhello\n', "faultline: -: line 2: 'hello' is no line of a lackey trace"],
    [['-'], '1\n2\nx3\n', "faultline: -: line 3: 'x3' is no number of a page"],
    [['-'], 'time,what\n1,2\n', 'faultline: -: line 1: no column has a name such as obj_id or page; say which'],
    [['-'], '', 'faultline: -: is empty\n'],
    [['-'], '\x89FLT\r\n\x1a\n', 'faultline: -: is a recording; `faultline replay FILE references -o TRACE`'],
    [
      ['-'],
      'some words\n',
      'faultline: -: looks like no trace; say what it is: --format lackey|oracleGeneral|lcs|csv|list\n',
    ],
    [['no/such'], '', 'faultline: no/such: there is no such file\n'],
    [['--policies', 'best', '-'], '', "error: option '--policies <list>' argument 'best' is invalid. there are mglru"],
    [
      ['--tlb', 'entries=64,ways=5', '-'],
      '',
      "error: option '--tlb <shape>' argument 'entries=64,ways=5' is invalid. 64 entries cannot have 5 ways.",
    ],
  ])('%j of %j gets one line', (args, input, message) => {
    const { status, stderr, stdout } = faultline(['sim', ...args], { input: Buffer.from(input, 'latin1') });
    expect([stdout, stderr.slice(0, message.length)]).toEqual(['', message]);
    expect(status).not.toBe(0);
  });

  test('simulates TLBs of several levels and page sizes', () => {
    const lackey = Array.from({ length: 600 }, (_, at) => ` L ${(0x400000 + (at % 20) * 4096).toString(16)},8\n`).join(
      '',
    );
    const args = ['--tlb', 'L1D:entries=16,ways=16', '--tlb', 'L2:entries=64,ways=4,page=4K,2M', '-'];
    const { tlbRows, rows } = simulated(args, lackey);
    expect(rows).toEqual([]);
    // Twenty pages in a loop: none is left in sixteen entries when it is wanted again.
    expect(tlbRows.map(({ pageBytes, level, refs, misses }) => [pageBytes, level, refs, misses])).toEqual([
      [4096, 'L1D', 600, 600],
      [4096, 'L2', 600, 20],
      [4096, 'walk', 600, 20],
      [2 ** 21, 'L1D', 600, 1],
      [2 ** 21, 'L2', 1, 1],
      [2 ** 21, 'walk', 600, 1],
    ]);
    const curve = simulated(['--tlb', 'entries=16,20,32', '-'], lackey).tlbRows;
    expect(curve.map(({ entries, misses }) => [entries, misses])).toEqual([
      [16, 600],
      [20, 20],
      [32, 20],
    ]);
  });
});

describe('faultline replay references', () => {
  const recording = join(folder, 'rounds.flt');
  expect(faultline(['record', '-o', recording, 'test/cli/rounds.c']).status).toBe(0);
  const written = (name: string, args: readonly string[] = []): string => {
    const file = join(folder, name);
    const { status, stderr } = faultline(['replay', recording, 'references', '-o', file, ...args]);
    expect([status, stderr.replace(/^faultline: .* cannot compress zstd.*\n/, '')]).toEqual([0, '']);
    return file;
  };
  const oracle = written('run.oracleGeneral');
  const sizes = ['--policies', 'lru,arc,opt', '--sizes', '500,2000'];

  test('writes records as libCacheSim has them', () => {
    const bytes = readFileSync(oracle);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const count = bytes.length / 24;
    expect(Number.isInteger(count)).toBe(true);
    const last = new Map<bigint, number>();
    for (let at = count - 1; at >= 0; at--) {
      const id = view.getBigUint64(at * 24 + 4, true);
      expect(view.getUint32(at * 24 + 12, true)).toBe(4096);
      expect(Number(view.getBigInt64(at * 24 + 16, true))).toBe(last.get(id) ?? -1);
      if (at > 0) expect(view.getUint32(at * 24, true)).toBeGreaterThanOrEqual(view.getUint32(at * 24 - 24, true));
      last.set(id, at);
    }
  });

  test('as lcs has the same records behind a header that tells what they are', () => {
    const bytes = readFileSync(written('header.lcs'));
    const plain = readFileSync(oracle);
    const field = (at: number): number => Number(bytes.readBigInt64LE(at));
    const count = plain.length / 24;
    expect(bytes.length).toBe(8192 + 28 * count);
    for (const at of [0, 8184]) expect(bytes.readBigUint64LE(at)).toBe(0x123456789abcdef0n);
    const { pages } = simulated([...sizes, oracle]);
    // Version, version of the statistics, requests, objects, their bytes, start and end.
    expect([8, 16, 24, 32, 40, 48].map(field)).toEqual([2, 1, count, pages, count * 4096, pages * 4096]);
    expect([field(56), field(64)]).toEqual([plain.readUint32LE(0), plain.readUint32LE(plain.length - 24)]);
    expect(field(72) + field(80)).toBe(count);
    for (let at = 0; at < count; at++) {
      const record = bytes.subarray(8192 + 28 * at, 8192 + 28 * at + 28);
      const same = Buffer.concat([record.subarray(0, 16), record.subarray(20)]);
      if (!same.equals(plain.subarray(24 * at, 24 * at + 24))) throw new Error(`record ${at}`);
      if (![12, 13].includes(record[16])) throw new Error(`operation ${record[16]}`);
    }
  });

  test('in each format, and packed, is the same trace', () => {
    const { rows, pages, format } = simulated([...sizes, oracle]);
    expect([format, pages]).toEqual(['oracleGeneral', expect.any(Number)]);
    for (const name of ['run.csv', 'run.txt', 'run.csv.gz', 'run.oracleGeneral.zst', 'run.lcs', 'run.lcs.gz'])
      expect(simulated([...sizes, written(name)]).rows).toEqual(rows);
    const zst = new Uint8Array(readFileSync(join(folder, 'run.oracleGeneral.zst')));
    if (!('zstdCompressSync' in process.getBuiltinModule('zlib')))
      expect(Buffer.from(decompress(zst)).equals(readFileSync(oracle))).toBe(true);
  });

  test('has ids of frames, or of pages of address spaces, as lackey has', () => {
    // Two pages of the program's start come to other frames.
    const virtual = simulated([...sizes, written('virtual.csv', ['--ids', 'virtual'])]);
    const frames = simulated([...sizes, oracle]);
    expect(virtual.rows[0].refs).toBe(frames.rows[0].refs);
    expect(frames.pages - virtual.pages).toBe(2);
    const tlb = simulated(['--tlb', 'entries=64,ways=4,page=4K,2M', written('run.lackey')]).tlbRows;
    expect(tlb[0].refs).toBe(virtual.rows[0].refs);
    expect(tlb[1].misses).toBeLessThan(20);
  });

  test.each([
    [['references'], 'faultline: references: say where it goes: references -o FILE\n'],
    [['references', '-o', 'x.dat'], "faultline: -o x.dat: the name's ending says the format"],
  ])('%j gets one line', (args, message) => {
    const { status, stderr } = faultline(['replay', recording, ...args]);
    expect([status, stderr.slice(0, message.length)]).toEqual([2, message]);
  });
});
