/**
 * Which code is translated: none; what runs often; everything, at its first arrival (for tests: no other way is as slow).
 */
export type JitMode = 'off' | 'on' | 'always';

/**
 * When a place is translated, and how much of it. Translating an instruction takes some 15 us, V8's part included, and interpreting
 * one 9 ns: so a place has to come so often that it would have paid, and all translation together stays a share of the run.
 */
export interface JitPace {
  /** Instructions that retire before anything is counted: a short program runs as with `off`, which counts nothing. */
  readonly startAfter: number;
  /** One of so many arrivals is counted, as counting costs time; no multiple of 2, as loops come round in such. */
  readonly countEvery: number;
  /** A power of two: after so many counts, and each time that they double, a place is looked at. */
  readonly firstLook: number;
  /** Counts that a place needs for each instruction that is to be translated. */
  readonly countsPerInstruction: number;
  /** Code that never ran stays out of units; or all code that can be reached is in them. */
  readonly reach: 'ran' | 'all';
  /** Instructions that may be translated at once, and those that have to retire for each more. */
  readonly advance: number;
  readonly retiredPerInstruction: number;
  /** A module costs 0.5 ms, however small: a batch waits until it has so many instructions, */
  readonly batchInstructions: number;
  /** or until so many have retired, or this share of all that have. */
  readonly batchWait: number;
  readonly batchWaitShare: number;
}
export const PACES: Readonly<Record<Exclude<JitMode, 'off'>, JitPace>> = {
  on: {
    startAfter: 100_000_000,
    countEvery: 7,
    firstLook: 512,
    countsPerInstruction: 10,
    reach: 'ran',
    advance: 400,
    retiredPerInstruction: 16_000,
    batchInstructions: 300,
    batchWait: 200_000,
    batchWaitShare: 1 / 32,
  },
  always: {
    startAfter: 0,
    countEvery: 1,
    firstLook: 1,
    countsPerInstruction: 0,
    reach: 'all',
    advance: Number.POSITIVE_INFINITY,
    retiredPerInstruction: 1,
    batchInstructions: 0,
    batchWait: 0,
    batchWaitShare: 0,
  },
};
