import type { Ram } from '../../machine/ram.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';

/** XXH32's primes (the xxHash specification). */
const PRIME_1 = 0x9e3779b1 | 0;
const PRIME_2 = 0x85ebca77 | 0;
const PRIME_3 = 0xc2b2ae3d | 0;
const WORDS = PAGE_SIZE / 4;

/**
 * The checksum by which ksmd tells that a page has not changed since it looked last, 32 bits (calc_checksum, mm/ksm.c: Linux
 * takes the low half of xxh64, which JavaScript has no fast multiplication for; this is XXH32 with seed 0). Unsigned.
 */
export function checksumOf(ram: Ram, frame: Pfn): number {
  const { i32 } = ram;
  const first = ram.offsetOf(frame) / 4;
  let a = (PRIME_1 + PRIME_2) | 0;
  let b = PRIME_2;
  let c = 0;
  let d = -PRIME_1 | 0;
  for (let at = first; at < first + WORDS; at += 4) {
    a = (a + Math.imul(i32[at], PRIME_2)) | 0;
    a = Math.imul((a << 13) | (a >>> 19), PRIME_1);
    b = (b + Math.imul(i32[at + 1], PRIME_2)) | 0;
    b = Math.imul((b << 13) | (b >>> 19), PRIME_1);
    c = (c + Math.imul(i32[at + 2], PRIME_2)) | 0;
    c = Math.imul((c << 13) | (c >>> 19), PRIME_1);
    d = (d + Math.imul(i32[at + 3], PRIME_2)) | 0;
    d = Math.imul((d << 13) | (d >>> 19), PRIME_1);
  }
  let hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18) + PAGE_SIZE;
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Negative, 0 or positive: a total order of contents, words as unsigned numbers from the front (memcmp_pages). */
export function compareFrames(ram: Ram, a: Pfn, b: Pfn): number {
  const { u32 } = ram;
  const left = ram.offsetOf(a) / 4;
  const right = ram.offsetOf(b) / 4;
  for (let i = 0; i < WORDS; i++) {
    const difference = u32[left + i] - u32[right + i];
    if (difference !== 0) return difference;
  }
  return 0;
}
