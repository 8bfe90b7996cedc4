import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BLOCK_WORDS, PieceBlocks } from './piece-blocks.ts';

const PIECES = 300;

test('a checkpoint finds its pieces in the blocks so far, and at least half of what these hold is its own', () => {
  const changes = fc.array(fc.array(fc.nat(PIECES - 1), { maxLength: 200 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(changes, (rounds) => {
      const made = new PieceBlocks();
      const words: Int32Array[] = [];
      const pieces = Array.from({ length: PIECES }, (_, at) => new Int32Array(at % 7 === 0 ? 3 : 1024).fill(at));
      let stamp = PIECES;
      for (const round of rounds) {
        for (const at of round) pieces[at] = new Int32Array(pieces[at].length).fill(stamp++);
        for (const block of made.place(pieces)) {
          expect(block.number).toBe(words.length);
          words.push(block.words);
        }
        let live = 0;
        const used = new Set<number>();
        for (const piece of pieces) {
          const place = made.placeOf(piece);
          const block = Math.floor(place / BLOCK_WORDS);
          const from = place % BLOCK_WORDS;
          expect(words[block].subarray(from, from + piece.length)).toEqual(piece);
          used.add(block);
          live += piece.length;
        }
        const held = [...used].reduce((sum, block) => sum + words[block].length, 0);
        expect(held).toBeLessThanOrEqual(live * 2);
      }
    }),
    { numRuns: 20, seed: 1 },
  );
});

test('what stays the same is not written again', () => {
  const made = new PieceBlocks();
  const pieces = Array.from({ length: 100 }, (_, at) => new Int32Array(1024).fill(at));
  expect(made.place(pieces).map(({ words }) => words.length)).toEqual([BLOCK_WORDS, 36 * 1024]);
  expect(made.place(pieces)).toEqual([]);
  pieces[5] = new Int32Array(1024);
  expect(made.place(pieces).map(({ number, words }) => [number, words.length])).toEqual([[2, 1024]]);
});
