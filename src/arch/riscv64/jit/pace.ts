/**
 * Which code is translated: none; what runs often; everything, at its first arrival (for tests: no other way is as slow).
 */
export type JitMode = 'off' | 'on' | 'always';

/** When a place is translated. */
export interface JitPace {
  /** Arrivals: about as long in the interpreter as the translation takes. */
  readonly threshold: number;
  /** A batch waits for so many places, or instructions: a module costs 0.5 ms, however small. */
  readonly batchPlaces: number;
  readonly batchWait: number;
}
export const PACES: Readonly<Record<Exclude<JitMode, 'off'>, JitPace>> = {
  on: { threshold: 4000, batchPlaces: 8, batchWait: 200_000 },
  always: { threshold: 1, batchPlaces: 1, batchWait: 0 },
};
