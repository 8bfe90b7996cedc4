import { describe, expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import type { AccessKind, TraceDecoder } from './access.ts';
import { CSV_DEFAULTS, CsvDecoder } from './csv.ts';
import { LackeyDecoder } from './lackey.ts';
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
