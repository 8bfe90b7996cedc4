/**
 * LZ4's block format (lz4_Block_format.md of the LZ4 project), for blocks of one page: a row of sequences, each some literals and a
 * copy of bytes that came before. The compressor takes the last place with the same four bytes and looks no further, as LZ4's fast
 * one does. The same page gives the same bytes, everywhere.
 */

/** The shortest copy. */
const MIN_MATCH = 4;
/** The block ends with so many literals at least, ... */
const LAST_LITERALS = 5;
/** ... and no copy starts within so many bytes of its end. */
const MATCH_MARGIN = 12;
/** A length of a token that goes on in the bytes behind it. */
const LONG = 15;
const HASH_BITS = 12;
/** After 2^6 places without a copy the steps get longer: what does not compress is passed quickly. */
const SKIP_SHIFT = 6;
/** Knuth's multiplicative hash, as LZ4's. */
const HASH_FACTOR = 2654435761;

export class Lz4Compressor {
  /** By the hash of four bytes: where they were last, plus 1. */
  private readonly places = new Uint16Array(1 << HASH_BITS);

  /** Bytes written to `into`, or 0: they do not fit. `from` is less than 64 KiB. */
  compress(from: Uint8Array, into: Uint8Array): number {
    const { places } = this;
    places.fill(0);
    const matchEnd = from.length - LAST_LITERALS;
    const lastStart = from.length - MATCH_MARGIN;
    let out = 0;
    let anchor = 0;
    let at = 0;
    let tries = 1 << SKIP_SHIFT;
    while (at <= lastStart) {
      const word = wordAt(from, at);
      const hash = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS);
      let match = places[hash] - 1;
      places[hash] = at + 1;
      if (match < 0 || wordAt(from, match) !== word) {
        at += tries++ >> SKIP_SHIFT;
        continue;
      }
      while (at > anchor && match > 0 && from[at - 1] === from[match - 1]) {
        at--;
        match--;
      }
      let end = at + MIN_MATCH;
      while (end < matchEnd && from[end] === from[match + end - at]) end++;
      out = putSequence(into, out, from.subarray(anchor, at), { distance: at - match, length: end - at });
      if (out < 0) return 0;
      at = end;
      anchor = end;
      tries = 1 << SKIP_SHIFT;
    }
    return Math.max(0, putSequence(into, out, from.subarray(anchor), null));
  }
}

interface Copy {
  readonly distance: number;
  readonly length: number;
}

/** Token, literals, copy; the last sequence has none. Where it ends, or -1: no room. */
function putSequence(into: Uint8Array, start: number, literals: Uint8Array, copy: Copy | null): number {
  const most = start + 1 + literals.length + Math.floor(literals.length / 255) + 1;
  if (most + (copy === null ? 0 : 3 + Math.floor(copy.length / 255)) > into.length) return -1;
  const copyBeyond = copy === null ? 0 : copy.length - MIN_MATCH;
  into[start] = (Math.min(LONG, literals.length) << 4) | Math.min(LONG, copyBeyond);
  let out = putLength(into, start + 1, literals.length);
  into.set(literals, out);
  out += literals.length;
  if (copy === null) return out;
  into[out] = copy.distance & 0xff;
  into[out + 1] = copy.distance >> 8;
  return putLength(into, out + 2, copyBeyond);
}

/** What of a length stands behind the token: bytes that are added up, the last one below 255. */
function putLength(into: Uint8Array, start: number, length: number): number {
  if (length < LONG) return start;
  let out = start;
  let left = length - LONG;
  for (; left >= 255; left -= 255) into[out++] = 255;
  into[out++] = left;
  return out;
}

/** Fills `into` from a block: bytes written, or -1 where it is none or too long. */
export function lz4Decompress(block: Uint8Array, into: Uint8Array): number {
  let at = 0;
  let out = 0;
  /** The rest of a length; a block that ends within it is found by what follows. */
  const lengthOf = (short: number): number => {
    if (short < LONG) return short;
    let sum = short;
    let byte = 255;
    while (byte === 255 && at < block.length) {
      byte = block[at++];
      sum += byte;
    }
    return sum;
  };
  while (at < block.length) {
    const token = block[at++];
    const literals = lengthOf(token >> 4);
    if (at + literals > block.length || out + literals > into.length) return -1;
    into.set(block.subarray(at, at + literals), out);
    at += literals;
    out += literals;
    if (at === block.length) return out;
    if (at + 2 > block.length) return -1;
    const distance = block[at] | (block[at + 1] << 8);
    at += 2;
    const length = lengthOf(token & LONG) + MIN_MATCH;
    if (distance === 0 || distance > out || out + length > into.length) return -1;
    // Byte by byte: a copy may reach into itself, which repeats it.
    for (const end = out + length; out < end; out++) into[out] = into[out - distance];
  }
  return -1;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}
