/** Milliseconds of a clock that never goes back. `performance.now()` would do, but takes Node a millisecond to load. */
export function monotonicMs(): number {
  const [seconds, ns] = process.hrtime();
  return seconds * 1000 + ns / 1e6;
}
