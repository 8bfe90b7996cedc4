import { assert } from '../../base/assert.ts';

/** Of a block: 256 KiB, which compresses about as well as more would, and is read for a page that is needed of it. */
export const BLOCK_WORDS = 2 ** 16;

/** Pieces of a checkpoint (Checkpoint.buffers), one behind the other; written once, and meant by later checkpoints too. */
export interface PieceBlock {
  /** From 0 on, in the order in which they are made. */
  readonly number: number;
  readonly words: Int32Array;
}

/** Where a piece lies: block * BLOCK_WORDS + its first word there. */
export type PiecePlace = number;

/**
 * Puts the pieces of one checkpoint after the other into blocks: those that no block has.
 *
 * Invariant: of the words of the blocks that a checkpoint means, at least half are its own. So going to it reads at most twice what it
 * holds, and what is written again for that is never more than what is new.
 */
export class PieceBlocks {
  /** Of the last checkpoint. Pieces never change, and stay the same objects from one checkpoint to the next. */
  private places: ReadonlyMap<Int32Array, PiecePlace> = new Map();
  /** How many words each block has. */
  private readonly lengths: number[] = [];

  /** Gives each piece of the next checkpoint its place; returns the blocks that are new. */
  place(pieces: readonly Int32Array[]): PieceBlock[] {
    const live = this.liveWords(pieces);
    const places = new Map<Int32Array, PiecePlace>();
    const blocks: PieceBlock[] = [];
    let open = new Int32Array(BLOCK_WORDS);
    let length = 0;
    const close = (): void => {
      if (length === 0) return;
      blocks.push({ number: this.lengths.length, words: open.subarray(0, length) });
      this.lengths.push(length);
      open = new Int32Array(BLOCK_WORDS);
      length = 0;
    };
    for (const piece of pieces) {
      const known = this.places.get(piece);
      const block = known === undefined ? -1 : Math.floor(known / BLOCK_WORDS);
      if (known !== undefined && live[block] * 2 >= this.lengths[block]) {
        places.set(piece, known);
        continue;
      }
      if (length + piece.length > BLOCK_WORDS) close();
      places.set(piece, this.lengths.length * BLOCK_WORDS + length);
      open.set(piece, length);
      length += piece.length;
    }
    close();
    this.places = places;
    return blocks;
  }

  /** Of a piece of the last checkpoint. */
  placeOf(piece: Int32Array): PiecePlace {
    const place = this.places.get(piece);
    assert(place !== undefined, 'observe/recording/piece-blocks.ts: each piece of the checkpoint has a place');
    return place;
  }

  private liveWords(pieces: readonly Int32Array[]): Float64Array {
    const live = new Float64Array(this.lengths.length);
    for (const piece of pieces) {
      const place = this.places.get(piece);
      if (place !== undefined) live[Math.floor(place / BLOCK_WORDS)] += piece.length;
    }
    return live;
  }
}
