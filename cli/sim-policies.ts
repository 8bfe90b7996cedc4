import { LruCurve, OptimalMemory, PlainMemory, policiesByName, RECLAIM_POLICIES, SampledCurve } from '../src/index.ts';
import type { PageSpool } from './page-spool.ts';
import type { SizeWish } from './sim-options.ts';

/** Belady's optimum is no policy of a kernel: it needs the future. */
export const SIM_POLICIES = [...RECLAIM_POLICIES, 'opt'] as const;
export type SimPolicy = (typeof SIM_POLICIES)[number];

export interface PolicyRow {
  readonly policy: SimPolicy;
  readonly sizePages: number;
  readonly refs: number;
  readonly misses: number;
  readonly missRatio: number;
  /** Of a sampled curve: the standard error of missRatio, estimated. */
  readonly error?: number;
}

export interface PolicyRequest {
  readonly policies: readonly SimPolicy[];
  readonly sizes: readonly number[];
  readonly seed: number;
  /** Share of pages that LRU's curve looks at; 1: all, which is exact. */
  readonly sample: number;
  readonly onPolicy: (policy: SimPolicy, share: number) => void;
}

/** The policies of the kernel on a machine of so many frames and nothing else, over the same references; the rows of each from few frames to many. */
export function simulatePolicies(spool: PageSpool, request: PolicyRequest): PolicyRow[] {
  return request.policies.flatMap((policy) => rowsOf(policy, spool, request));
}

function rowsOf(policy: SimPolicy, spool: PageSpool, request: PolicyRequest): PolicyRow[] {
  const { sizes } = request;
  const row = (sizePages: number, misses: number, error?: number): PolicyRow => {
    const refs = spool.length;
    return { policy, sizePages, refs, misses, missRatio: misses / refs, ...(error === undefined ? {} : { error }) };
  };
  let done = 0;
  const tell = (count: number): void => {
    done += count;
    request.onPolicy(policy, done / spool.length);
  };
  if (policy === 'lru' && request.sample < 1) {
    const curve = new SampledCurve(request.sample);
    forEach(spool, tell, (page) => curve.reference(page));
    return sizes.map((size) => row(size, Math.round(curve.misses(size)), curve.error(size) / spool.length));
  }
  if (policy === 'lru') {
    const curve = new LruCurve();
    forEach(spool, tell, (page) => curve.reference(page));
    return sizes.map((size) => row(size, curve.misses(size)));
  }
  if (policy === 'opt') {
    const memories = sizes.map((size) => new OptimalMemory(size));
    spool.forEachWithNext((page, next) => {
      for (const memory of memories) memory.reference(page, next);
      if ((++done & 0xffff) === 0) tell(0);
    });
    return memories.map(({ misses }, at) => row(sizes[at], misses));
  }
  const memories = sizes.map(
    (size) => new PlainMemory((frames) => policiesByName(policy).create(frames), size, request.seed),
  );
  spool.forEachChunk((pages) => {
    // One memory after the other: each keeps the host's caches for a while.
    for (const memory of memories) for (let at = 0; at < pages.length; at++) memory.reference(pages[at]);
    tell(pages.length);
  });
  return memories.map(({ misses }, at) => row(sizes[at], misses));
}

function forEach(spool: PageSpool, tell: (count: number) => void, visit: (page: number) => void): void {
  spool.forEachChunk((pages) => {
    for (let at = 0; at < pages.length; at++) visit(pages[at]);
    tell(pages.length);
  });
}

/** Sizes in pages, from few to many: those that are asked for, or nine shares of all pages of the trace. */
export function sizesOf(wishes: readonly SizeWish[] | null, pageCount: number, pageBytes: number): number[] {
  const wanted = wishes ?? LADDER.map((share) => ({ share }));
  const sizes = wanted.map((wish) => {
    if ('share' in wish) return Math.ceil(wish.share * pageCount);
    return 'bytes' in wish ? Math.floor(wish.bytes / pageBytes) : wish.pages;
  });
  return [...new Set(sizes.map((size) => Math.max(1, size)))].sort((a, b) => a - b);
}

const LADDER = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1];
