import { describe, expect, it } from 'vitest';
import { ByteReader } from './byte-reader.ts';

describe('ByteReader', () => {
  it('reads LEB128 as DWARF 5, figures 22 and 23, has it', () => {
    const unsigned = [[2], [0x7f], [0x80, 1], [0x81, 1], [0x82, 1], [0xb9, 0x64]];
    expect(unsigned.map((bytes) => new ByteReader(Uint8Array.from(bytes)).uleb())).toEqual([
      2, 127, 128, 129, 130, 12857,
    ]);
    const signed = [[2], [0x7e], [0xff, 0], [0x81, 0x7f], [0x80, 1], [0x80, 0x7f], [0x81, 1], [0xff, 0x7e]];
    const values = signed.map((bytes) => new ByteReader(Uint8Array.from(bytes)).sleb());
    expect(values).toEqual([2, -2, 127, -127, 128, -128, 129, -129]);
  });

  it('reads numbers beyond 32 bits', () => {
    const reader = new ByteReader(
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1, 0, 0, 0),
    );
    expect(reader.i64()).toBe(-1);
    expect(reader.u64()).toBe(2 ** 32);
  });

  it('reads zeroes behind the end, and comes to an end', () => {
    const reader = new ByteReader(Uint8Array.of(0x80));
    expect(reader.uleb()).toBe(0);
    expect(reader.u32()).toBe(0);
    expect(reader.string()).toBe('');
    expect(reader.isAtEnd).toBe(true);
  });
});
