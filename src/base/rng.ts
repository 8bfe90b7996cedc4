/**
 * xoshiro128** 1.1 (Blackman and Vigna), seeded through splitmix32. Plain data: `state` is all there is, so a checkpoint
 * holds it. One instance a purpose (ASLR, AT_RANDOM, /dev/urandom), so that one consumer does not move another's sequence.
 */
export class Rng {
  readonly state: Uint32Array;

  constructor(seed: number) {
    this.state = new Uint32Array(4);
    let s = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      s = (s + 0x9e3779b9) >>> 0;
      let z = s;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.state[i] = (z ^ (z >>> 16)) >>> 0;
    }
  }

  /** The next 32 uniform bits as an unsigned number. */
  u32(): number {
    const s = this.state;
    const result = Math.imul(rotl(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 11);
    return result;
  }

  /** Uniform in [0, bound), bound at most 2^53. */
  below(bound: number): number {
    const high = this.u32() >>> 11; // 21 bits above 32: 53 in all
    return Math.floor(((high * 0x1_0000_0000 + this.u32()) / 0x20_0000_0000_0000) * bound);
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 4) {
      const word = this.u32();
      for (let j = 0; j < 4 && i + j < bytes.length; j++) bytes[i + j] = word >>> (8 * j);
    }
  }
}

function rotl(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
