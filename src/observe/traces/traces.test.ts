import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import type { AccessKind, TraceDecoder } from './access.ts';
import { CSV_DEFAULTS, CsvDecoder } from './csv.ts';
import { LackeyDecoder } from './lackey.ts';
import { LCS_RECORD_BYTES, LcsDecoder, lcsHeader, putLcsRecord } from './lcs.ts';
import { OracleGeneralDecoder, putOracleRecord } from './oracle-general.ts';
import { PageAccesses } from './page-accesses.ts';
import { PageListDecoder } from './page-list.ts';
import { PageNumbers } from './page-numbers.ts';
import { sniffTrace } from './sniff.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a decoder makes of the bytes, given in pieces; ends with what is missing. */
function decoded(decoder: TraceDecoder, bytes: Uint8Array, pieceBytes = 7): unknown[] {
  const got: unknown[] = [];
  const sink = {
    access: (kind: AccessKind, high: number, low: number, size: number) =>
      void got.push(`${kind} ${((BigInt(high) << 32n) | BigInt(low)).toString(16)} ${size}`),
  };
  for (let at = 0; at < bytes.length; at += pieceBytes) decoder.push(bytes.subarray(at, at + pieceBytes), sink);
  const missing = decoder.end(sink);
  return missing === null ? got : [...got, missing];
}

const LACKEY = `==17393== Lackey, an example Valgrind tool
==17393==
I  0401ab70,3
 S 1fff000778,8
 L ffffffffff600008,4
 M 0421d3e0,16
--17393-- a warning of valgrind
I  04,1
==17393== Exit code:       0
`;

describe('LackeyDecoder', () => {
  it('reads what valgrind writes, in pieces of any length', () => {
    const wanted = [
      'fetch 401ab70 3',
      'store 1fff000778 8',
      'load ffffffffff600008 4',
      'modify 421d3e0 16',
      'fetch 4 1',
    ];
    for (let piece = 1; piece < 40; piece++)
      expect(decoded(new LackeyDecoder(), bytesOf(LACKEY), piece)).toEqual(wanted);
    expect(decoded(new LackeyDecoder(), bytesOf(LACKEY.replaceAll('\n', '\r\n')))).toEqual(wanted);
  });

  it('reads the words readi, readd and write', () => {
    expect(decoded(new LackeyDecoder(), bytesOf('readi 0x4001 4\nreadd 4fff\nwrite\t5000,8\n'))).toEqual([
      'fetch 4001 4',
      'load 4fff 1',
      'store 5000 8',
    ]);
  });

  it.each([
    ['I  0401ab70,3\nhello\n', "line 2: 'hello' is no line of a lackey trace"],
    ['I  0401ab70,3\n\n L 12\n', "line 3: ' L 12' is no line"],
    [' L 12,x\n', "line 1: ' L 12,x' is no line"],
    [' X 12,1\n', "line 1: ' X 12,1' is no line"],
    [' L 10000000000000000,1\n', "line 1: ' L 10000000000000000,1' is no line"],
    ['x'.repeat(70_000), 'line 1 is longer than 65536 bytes'],
  ])('says which line is wrong: %j', (text, message) => {
    expect(() => decoded(new LackeyDecoder(), bytesOf(text))).toThrow(message);
  });

  it('says that the last line has no end', () => {
    expect(decoded(new LackeyDecoder(), bytesOf(' L 12,1\n L 34,1')).at(-1)).toBe(
      'line 2, the last one, has no end; the trace may be cut off',
    );
    expect(decoded(new LackeyDecoder(), bytesOf(' L 12,1\n L 3'))).toEqual([
      'load 12 1',
      'line 2, the last one, is cut off',
    ]);
  });
});

describe('PageListDecoder', () => {
  it('reads decimal and hexadecimal numbers of 64 bits', () => {
    const text = '# pages\n 17\n0x1F\n\n18446744073709551615\n9007199254740993\n';
    expect(decoded(new PageListDecoder(), bytesOf(text))).toEqual([
      'load 11 1',
      'load 1f 1',
      'load ffffffffffffffff 1',
      'load 20000000000001 1',
    ]);
  });

  it.each(['12 13', '3fd7', '-1', '18446744073709551616'])('refuses %j', (line) => {
    expect(() => decoded(new PageListDecoder(), bytesOf(`1\n${line}\n`))).toThrow(`line 2: '${line}' is no number`);
  });
});

describe('CsvDecoder', () => {
  it('finds the column of the id by its name', () => {
    const text = 'time,"obj_id",obj_size\n1,17,4096\n2, 18 ,1\n';
    expect(decoded(new CsvDecoder(CSV_DEFAULTS), bytesOf(text))).toEqual(['load 11 1', 'load 12 1']);
  });

  it('takes columns, delimiter and text ids as they are told', () => {
    const options = { ...CSV_DEFAULTS, idColumn: 3, sizeColumn: 1, delimiter: '|', ids: 'text' } as const;
    expect(decoded(new CsvDecoder(options), bytesOf('8|x|a\n1|x|b\n2|x|a\n'))).toEqual([
      'load 0 8',
      'load 1 1',
      'load 0 2',
    ]);
  });

  it.each([
    ['a,b\n1,2\n', 'line 1: no column has a name such as obj_id or page'],
    ['id\n1\nx\n', "line 3: 'x' is no number (column 1)"],
    ['a,id\n1,2\n3\n', "line 3: '3' is no line with 2 columns"],
  ])('says which line is wrong: %j', (text, message) => {
    expect(() => decoded(new CsvDecoder(CSV_DEFAULTS), bytesOf(text))).toThrow(message);
  });
});

describe('LcsDecoder', () => {
  const counts = [2, 1];
  const tenants = new Map([[7, 3]]);
  const header = lcsHeader({ sizeBytes: 4096, startTime: 1, endTime: 3, reads: 2, writes: 1, counts, tenants });
  const records = new Uint8Array(3 * LCS_RECORD_BYTES);
  const view = new DataView(records.buffer);
  for (const [at, [low, kind, next]] of (
    [
      [7, 'read', 2],
      [8, 'write', -1],
      [7, 'read', -1],
    ] as const
  ).entries())
    putLcsRecord(view, at * LCS_RECORD_BYTES, { time: at + 1, high: 5, low, sizeBytes: 4096, kind, tenant: 7, next });
  const bytes = new Uint8Array([...header, ...records]);
  const wanted = ['load 500000007 4096', 'store 500000008 4096', 'load 500000007 4096'];

  it('reads what is written, in pieces of any length, and is known by its beginning', () => {
    for (const piece of [1, 27, 28, 8191, 8192, 8193, 1e6])
      expect(decoded(new LcsDecoder(), bytes, piece)).toEqual(wanted);
    expect(sniffTrace(bytes.subarray(0, 4096))).toBe('lcs');
  });

  it.each([1, 3, 4, 5, 6, 7, 8])('reads version %i', (version) => {
    const length = [0, 24, 28, 36, 40, 44, 52, 68, 100][version];
    const other = new Uint8Array(8192 + 3 * length);
    other.set(header);
    other[8] = version;
    for (let at = 0; at < 3; at++) {
      const record = records.subarray(at * 28, at * 28 + 28);
      other.set(record.subarray(0, 16), 8192 + at * length);
      if (version > 1) other[8192 + at * length + 20] = record[16];
    }
    const all = version === 1 ? wanted.map((line) => line.replace('store', 'load')) : wanted;
    expect(decoded(new LcsDecoder(), other, 1000)).toEqual(all);
  });

  it('says what is wrong, or missing', () => {
    const wrong = bytes.slice();
    wrong[8] = 9;
    expect(() => decoded(new LcsDecoder(), wrong)).toThrow('lcs version 9 is not known; there are 1 to 8');
    expect(() => decoded(new LcsDecoder(), new Uint8Array(9000))).toThrow('has no header of an lcs trace');
    expect(decoded(new LcsDecoder(), bytes.subarray(0, -1)).at(-1)).toBe(
      'record 3 is cut off: 27 of its 28 bytes are there',
    );
    expect(decoded(new LcsDecoder(), bytes.subarray(0, -28)).at(-1)).toBe('2 of its 3 records are there');
    expect(decoded(new LcsDecoder(), bytes.subarray(0, 100))).toEqual([
      'its header is cut off: 100 of its 8192 bytes are there',
    ]);
  });
});

describe('OracleGeneralDecoder', () => {
  it('reads the records that are written, in pieces of any length', () => {
    const bytes = new Uint8Array(3 * 24);
    const view = new DataView(bytes.buffer);
    putOracleRecord(view, 0, { time: 1, high: 0, low: 7, sizeBytes: 4096, next: 2 });
    putOracleRecord(view, 24, { time: 2, high: 0x89abcdef, low: 0xfedcba98, sizeBytes: 1, next: -1 });
    putOracleRecord(view, 48, { time: 2, high: 0, low: 7, sizeBytes: 4096, next: -1 });
    expect(view.getBigInt64(16, true)).toBe(2n);
    expect(view.getBigInt64(40, true)).toBe(-1n);
    const wanted = ['load 7 4096', 'load 89abcdeffedcba98 1', 'load 7 4096'];
    for (let piece = 1; piece < 73; piece++) expect(decoded(new OracleGeneralDecoder(), bytes, piece)).toEqual(wanted);
    expect(decoded(new OracleGeneralDecoder(), bytes.subarray(0, 50))).toEqual([
      ...wanted.slice(0, 2),
      'record 3 is cut off: 2 of its 24 bytes are there',
    ]);
    expect(sniffTrace(bytes)).toBe('oracleGeneral');
  });
});

describe('sniffTrace', () => {
  it.each([
    [LACKEY, 'lackey'],
    ['readd 4001\n', 'lackey'],
    ['12\n13\n', 'list'],
    ['# a list\n0x1f\n', 'list'],
    ['time,id\n1,2\n', 'csv'],
    ['1;2;3\n', 'csv'],
    ['hello world\n', null],
    ['', null],
    ['\0\0\0', null],
  ])('of %j is %s', (text, format) => {
    expect(sniffTrace(bytesOf(text))).toBe(format);
  });
});

describe('PageAccesses', () => {
  const pagesOf = (unit: 'addresses' | 'pages', shift: number, high: number, low: number, size: number): string[] => {
    const got: string[] = [];
    new PageAccesses(unit, shift, (_, pageHigh, pageLow) => got.push(`${pageHigh}:${pageLow}`)).access(
      'load',
      high,
      low,
      size,
    );
    return got;
  };

  it('shifts addresses of 64 bits, and goes over ends of pages', () => {
    expect(pagesOf('addresses', 12, 0, 0x1fff, 1)).toEqual(['0:1']);
    expect(pagesOf('addresses', 12, 0, 0x1fff, 2)).toEqual(['0:1', '0:2']);
    expect(pagesOf('addresses', 12, 0xffff_ffff, 0xff60_0000, 8)).toEqual(['1048575:4294964736']);
    expect(pagesOf('addresses', 12, 0xfff, 0xffff_ffff, 2)).toEqual(['0:4294967295', '1:0']);
    expect(pagesOf('addresses', 21, 1, 0, 2 ** 22)).toEqual(['0:2048', '0:2049']);
  });

  it('takes ids of pages for pages of 4 KiB', () => {
    expect(pagesOf('pages', 12, 3, 4, 9999)).toEqual(['3:4']);
    expect(pagesOf('pages', 21, 0, 1025, 9999)).toEqual(['0:2']);
  });
});

describe('PageNumbers', () => {
  it('numbers ids as they come', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(2000)), { maxLength: 300 }), (ids) => {
        const numbers = new PageNumbers();
        const known = new Map<string, number>();
        for (const [high, low] of ids) {
          const key = `${high}:${low}`;
          if (!known.has(key)) known.set(key, known.size);
          expect(numbers.numberOf(high, low)).toBe(known.get(key));
        }
        expect(numbers.count).toBe(known.size);
      }),
    );
    const many = new PageNumbers();
    for (let id = 0; id < 20_000; id++) expect(many.numberOf(id % 3, Math.imul(id, 0x9e3779b1) >>> 0)).toBe(id);
    for (let id = 19_999; id >= 0; id--) {
      const low = Math.imul(id, 0x9e3779b1) >>> 0;
      expect([many.numberOf(id % 3, low), many.highOf(id), many.lowOf(id)]).toEqual([id, id % 3, low]);
    }
  });
});
