/**
 * What a class says about itself to a checkpoint of the machine (observe/recording/checkpoint.ts). Kernel state is plain data (decision
 * D4), so most classes say nothing: all their fields are state.
 */

/** Static: names of fields that are no state: listeners of the owner, and what is made again from state. A checkpoint leaves them alone. */
export const NOT_STATE: unique symbol = Symbol('not state');

/** Method: the object's state is about to be replaced. */
export const BEFORE_RESTORE: unique symbol = Symbol('before restore');

/** Method: all state of the machine is the checkpoint's now. */
export const AFTER_RESTORE: unique symbol = Symbol('after restore');

/** Field: bytes of a buffer that are no state. Both ends are multiples of 4096. */
export const UNKEPT_BYTES: unique symbol = Symbol('unkept bytes');

export interface UnkeptBytes {
  readonly buffer: ArrayBufferLike;
  readonly from: number;
  readonly to: number;
}

/** Field: which pages of a buffer may hold something. No state, but what saves looking at all of a large one. */
export const TOUCHED_PAGES: unique symbol = Symbol('touched pages');

export interface TouchedPages {
  readonly buffer: ArrayBufferLike;
  /** Of the first page, a multiple of 4096. */
  readonly from: number;
  /** One byte a page of 4096: 0 as long as the page was never written, and so is zeroes. */
  readonly touched: Uint8Array;
}

export interface Restorable {
  [BEFORE_RESTORE](): void;
  [AFTER_RESTORE](): void;
}
