import { LruCurve } from './lru-curve.ts';

/** Hashes are compared in this many steps. */
const STEPS = 2 ** 24;

/**
 * An LruCurve of a sample: the references to pages whose hash is below a threshold, all of them, so that distances within the sample are
 * those of the whole times the rate (SHARDS, fixed rate: Waldspurger et al., Efficient MRC construction with SHARDS, FAST 2015). The
 * number of references that the sample has too many or too few counts as hits of distance 0 (SHARDS-adj, the same paper, 3.4).
 */
export class SampledCurve {
  readonly rate: number;
  private readonly threshold: number;
  private readonly sample = new LruCurve();
  private references = 0;

  /** `rate`: the share of pages that is looked at, over 0 to 1. */
  constructor(rate: number) {
    this.threshold = Math.max(1, Math.min(STEPS, Math.round(rate * STEPS)));
    this.rate = this.threshold / STEPS;
  }

  reference(page: number): void {
    this.references++;
    if (hashOf(page) < this.threshold) this.sample.reference(page);
  }

  free(page: number): void {
    if (hashOf(page) < this.threshold) this.sample.free(page);
  }

  get referenceCount(): number {
    return this.references;
  }

  /** An estimate of LruCurve.misses. */
  misses(sizePages: number): number {
    // Misses of the sample do not depend on hits of distance 0, which is where a surplus of the sample goes.
    const misses = this.sample.misses(Math.max(1, Math.round(sizePages * this.rate)));
    return Math.min(this.references, misses / this.rate);
  }

  /** Pages in the sample: the more, the better the estimate. */
  get sampledPages(): number {
    return this.sample.misses(Number.MAX_SAFE_INTEGER);
  }
}

/** 24 bits of a multiplicative hash (Knuth, The art of computer programming 3, 6.4; murmur3's finalizer). */
function hashOf(page: number): number {
  let hash = Math.imul(page ^ (page / 2 ** 32), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 8;
}
