/**
 * Which code is translated: none; what runs often; everything, at its first arrival (for tests: no other way is as slow).
 */
export type JitMode = 'off' | 'on' | 'always';

/**
 * When a place is translated, and how much of it. Translating an instruction takes some 15 us, V8's part included, and interpreting
 * one 9 ns: so a place has to come so often that it would have paid, and all translation together stays a share of the run.
 */
export interface JitPace {
  /** A power of two: after so many arrivals, and each time that they double, a place is looked at. */
  readonly firstLook: number;
  /** Arrivals that a place needs for each instruction that is to be translated. */
  readonly arrivalsPerInstruction: number;
  /** Code that never ran stays out of units; or all code that can be reached is in them. */
  readonly reach: 'ran' | 'all';
  /** Instructions that may be translated at once, and those that have to retire for each more. */
  readonly advance: number;
  readonly retiredPerInstruction: number;
  /** A batch waits for so many places, or so many instructions: a module costs 0.5 ms, however small. */
  readonly batchPlaces: number;
  readonly batchWait: number;
}
export const PACES: Readonly<Record<Exclude<JitMode, 'off'>, JitPace>> = {
  on: {
    firstLook: 1024,
    arrivalsPerInstruction: 80,
    reach: 'ran',
    advance: 400,
    retiredPerInstruction: 8000,
    batchPlaces: 8,
    batchWait: 200_000,
  },
  always: {
    firstLook: 1,
    arrivalsPerInstruction: 0,
    reach: 'all',
    advance: Number.POSITIVE_INFINITY,
    retiredPerInstruction: 1,
    batchPlaces: 1,
    batchWait: 0,
  },
};
