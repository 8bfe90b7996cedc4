import { LruCurve } from './lru-curve.ts';

/** Hashes are compared in this many steps. */
export const HASH_STEPS = 2 ** 24;
/** Parts of the sample that tell how much chance there is in it. */
const PARTS = 8;

/**
 * An LruCurve of a sample: the references to pages whose hash is below a threshold, all of them, so that distances within the sample are
 * those of the whole times the rate (SHARDS, fixed rate: Waldspurger et al., Efficient MRC construction with SHARDS, FAST 2015). The
 * number of references that the sample has too many or too few counts as hits of distance 0 (SHARDS-adj, the same paper, 3.4).
 *
 * Its error is found as of batch means: the sample's pages fall into parts by their hash, each of which gives a curve of its own; the
 * mean of so many differs from the truth by about their standard deviation through the square root of how many they are.
 */
export class SampledCurve {
  readonly rate: number;
  private readonly threshold: number;
  private readonly sample = new LruCurve();
  private readonly parts: readonly LruCurve[];
  private references = 0;
  private readonly known: number | null;

  /**
   * `rate`: the share of pages that is looked at, over 0 to 1. At 1 the curve is exact. `referenceCount`: of all references, where only those
   * to pages of the sample are told.
   */
  constructor(rate: number, referenceCount: number | null = null) {
    this.known = referenceCount;
    this.threshold = Math.max(1, Math.min(HASH_STEPS, Math.round(rate * HASH_STEPS)));
    this.rate = this.threshold / HASH_STEPS;
    this.parts = this.threshold === HASH_STEPS ? [] : Array.from({ length: PARTS }, () => new LruCurve());
  }

  reference(page: number): void {
    this.references++;
    const hash = hashOfPage(page);
    if (hash >= this.threshold) return;
    this.sample.reference(page);
    if (this.parts.length > 0) this.parts[hash % PARTS].reference(page);
  }

  free(page: number): void {
    const hash = hashOfPage(page);
    if (hash >= this.threshold) return;
    this.sample.free(page);
    if (this.parts.length > 0) this.parts[hash % PARTS].free(page);
  }

  get referenceCount(): number {
    return this.known ?? this.references;
  }

  /** An estimate of LruCurve.misses. */
  misses(sizePages: number): number {
    return this.missesOf(this.sample, sizePages, this.rate);
  }

  /** How far `misses` may well be from the truth: its standard error. 0 at rate 1. */
  error(sizePages: number): number {
    if (this.parts.length === 0) return 0;
    const estimates = this.parts.map((part) => this.missesOf(part, sizePages, this.rate / PARTS));
    const mean = estimates.reduce((sum, each) => sum + each, 0) / PARTS;
    const squares = estimates.reduce((sum, each) => sum + (each - mean) ** 2, 0);
    return Math.sqrt(squares / (PARTS - 1) / PARTS);
  }

  /** An estimate of LruCurve.sizePages. */
  get sizePages(): number {
    return Math.ceil(this.sample.sizePages / this.rate);
  }

  /** Pages in the sample: the more, the better the estimate. */
  get sampledPages(): number {
    return this.sample.misses(Number.MAX_SAFE_INTEGER);
  }

  private missesOf(curve: LruCurve, sizePages: number, rate: number): number {
    // Misses of the sample do not depend on hits of distance 0, which is where a surplus of the sample goes.
    const misses = curve.misses(Math.max(1, Math.round(sizePages * rate)));
    return Math.min(this.referenceCount, misses / rate);
  }
}

/** 24 bits of a multiplicative hash (Knuth, The art of computer programming 3, 6.4; murmur3's finalizer). */
export function hashOfPage(page: number): number {
  let hash = Math.imul(page ^ (page / 2 ** 32), 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 8;
}
