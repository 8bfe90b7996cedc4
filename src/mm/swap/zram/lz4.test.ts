import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { fc } from '../../../../test/property.ts';
import { Rng } from '../../../base/rng.ts';
import { Lz4Compressor, lz4Decompress } from './lz4.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const compressor = new Lz4Compressor();

function compress(page: Uint8Array): Uint8Array {
  const into = new Uint8Array(page.length + 64);
  return into.slice(0, compressor.compress(page, into));
}

const hasCommand = spawnSync('lz4', ['--version']).status === 0;

/** A file of LZ4's oldest kind: a number that tells it, and each block behind its length. */
function legacyFrame(block: Uint8Array): Uint8Array {
  const frame = new Uint8Array(8 + block.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0x184c2102, true);
  view.setUint32(4, block.length, true);
  frame.set(block, 8);
  return frame;
}

describe('lz4', () => {
  it('gives back what it was given', () => {
    const row = fc.record({ byte: fc.nat(3), length: fc.integer({ min: 1, max: 600 }), step: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 20 }), fc.uint8Array({ maxLength: 400 }), (rows, noise) => {
        const page = Uint8Array.from([
          ...rows.flatMap(({ byte, length, step }) => Array.from({ length }, (_, at) => byte + at * step)),
          ...noise,
        ]);
        const out = new Uint8Array(page.length);
        expect(lz4Decompress(compress(page), out)).toBe(page.length);
        expect(out).toEqual(page);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('reads blocks as the format has them', () => {
    const out = new Uint8Array(64);
    // Token 0x15: one literal, a copy of 5 + 4 at distance 1; then five literals.
    const length = lz4Decompress(Uint8Array.of(0x15, 0x61, 1, 0, 0x50, 0x62, 0x63, 0x64, 0x65, 0x66), out);
    expect(new TextDecoder().decode(out.subarray(0, length))).toBe('aaaaaaaaaabcdef');
    // 15 + 255 + 2 literals do not fit.
    expect(lz4Decompress(Uint8Array.of(0xf0, 255, 2, ...new Uint8Array(272)), out)).toBe(-1);
    expect(lz4Decompress(Uint8Array.of(0xf0, 255, 2, ...new Uint8Array(272)), new Uint8Array(272))).toBe(272);
  });

  it('refuses what is no block', () => {
    const out = new Uint8Array(64);
    for (const block of [[], [0x10], [0x10, 0x61, 2, 0], [0x10, 0x61, 0, 0], [0x10, 0x61, 1], [0x1f, 0x61, 1, 0, 255]])
      expect(lz4Decompress(Uint8Array.from(block), out)).toBe(-1);
  });

  it('writes the block that the format asks for: five literals at the end, no copy in the last twelve bytes', () => {
    expect([...compress(bytesOf('abcdabcdabcdabcdabcd'))]).toEqual([
      0x47,
      ...bytesOf('abcd'),
      4,
      0,
      0x50,
      ...bytesOf('dabcd'),
    ]);
    expect([...compress(bytesOf('aaaaaaaaaaaa'))]).toEqual([0xc0, ...bytesOf('aaaaaaaaaaaa')]);
  });

  it.skipIf(!hasCommand)('is understood by the lz4 command, and understands it', () => {
    const rng = new Rng(3);
    const noise = new Uint8Array(512);
    rng.fill(noise);
    const text = bytesOf('the same words again, and again the same words, '.repeat(60));
    const page = Uint8Array.from([...text, ...noise, ...new Uint8Array(400), ...text.subarray(0, 300)]);
    const run = (flag: string, input: Uint8Array): Uint8Array => spawnSync('lz4', [flag, '-c'], { input }).stdout;
    expect([...run('-d', legacyFrame(compress(page)))]).toEqual([...page]);
    const frame = run('-l', page);
    const lengthBytes = new DataView(frame.buffer, frame.byteOffset).getUint32(4, true);
    const out = new Uint8Array(page.length);
    expect(lz4Decompress(frame.subarray(8, 8 + lengthBytes), out)).toBe(page.length);
    expect(out).toEqual(page);
  });

  it('says that it did not fit', () => {
    const noise = new Uint8Array(4096);
    new Rng(1).fill(noise);
    expect(compressor.compress(noise, new Uint8Array(3600))).toBe(0);
  });
});
