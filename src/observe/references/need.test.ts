import { expect, it } from 'vitest';
import { MemoryEnvironment } from '../../machine/memory-environment.ts';
import { System } from '../../system.ts';
import { memoryNeed } from './need.ts';
import { ReferenceTrace } from './reference-trace.ts';

/** References to many pages, told to a trace as the machine would; a page is freed now and then. */
function tell(trace: ReferenceTrace, count: number): void {
  let state = 1;
  for (let at = 0; at < count; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    trace.referenced(Math.floor(8000 ** (state / 2 ** 32)) - 1);
    if (at % 500 === 0) trace.freed(at % 8000);
  }
}

it('a trace that may keep less is a sample, whose curves come near within some standard errors', () => {
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 16 * 2 ** 20 });
  const all = new ReferenceTrace(system.kernel);
  const some = new ReferenceTrace(system.kernel, 60_000);
  for (const trace of [all, some]) tell(trace, 300_000);
  expect([all.rate, all.length]).toEqual([1, 300_600]);
  expect(some.rate).toBeLessThan(0.5);
  expect(some.length).toBeLessThanOrEqual(60_000);
  expect(some.referenceCount).toBe(300_000);
  const sizes = (): number[] => [200, 1000, 4000];
  const [exact, near] = [memoryNeed(all, sizes), memoryNeed(some, sizes)];
  expect(exact.rate).toBe(1);
  exact.sizes.forEach(({ lru, lruError, optimum }, at) => {
    const estimate = near.sizes[at];
    expect(lruError).toBe(0);
    expect(estimate.lruError).toBeGreaterThan(0);
    expect(Math.abs(estimate.lru - lru)).toBeLessThan(4 * estimate.lruError + 0.02 * lru);
    expect(Math.abs(estimate.optimum - optimum)).toBeLessThan(4 * estimate.lruError + 0.05 * optimum);
    expect(estimate.optimum).toBeLessThanOrEqual(estimate.lru);
  });
  system.shutdown();
});

it('listening to nothing keeps nothing', () => {
  const system = new System({ environment: new MemoryEnvironment(), memoryBytes: 16 * 2 ** 20 });
  const trace = new ReferenceTrace(system.kernel, 10);
  expect([trace.length, trace.pageCount, trace.toArray()]).toEqual([0, 0, new Int32Array(0)]);
  trace.close();
  system.shutdown();
});
