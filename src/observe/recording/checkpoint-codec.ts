/**
 * A checkpoint of a machine as bytes: what is different from the machine's start, with all buffers empty. checkpoint-encoder.ts
 * writes it, checkpoint-decoder.ts reads it in another process:
 *
 *   new        for each object and buffer that came after the start its number and what it is: a kind, and what the kind asks for (class,
 *              keys, size); then 0
 *   contents   count, then for each object that is not as it was: number, keys, values, members
 *   pieces     count of buffers, then for each: number, count of runs; a run: index of its first piece behind the last run, count of
 *              pieces, place of the first (piece-blocks.ts), behind which the others lie
 *
 * Objects have the numbers of StateNames, new ones those behind. Texts and lists of keys are written once and have numbers of their own
 * from then on.
 */
export const KIND_CLASS = 0;
export const KIND_PLAIN = 1;
export const KIND_NO_PROTOTYPE = 2;
export const KIND_ARRAY = 3;
export const KIND_MAP = 4;
export const KIND_SET = 5;
export const KIND_BUFFER = 6;
export const KIND_VIEW = 7;

export const VALUE_UNDEFINED = 0;
export const VALUE_NULL = 1;
export const VALUE_FALSE = 2;
export const VALUE_TRUE = 3;
export const VALUE_WHOLE = 4;
export const VALUE_FLOAT = 5;
export const VALUE_TEXT = 6;
export const VALUE_THING = 7;
export const VALUE_BIGINT = 8;

/** The order is part of the format. */
export const VIEWS: readonly ViewType[] = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  Uint8ClampedArray,
  BigInt64Array,
  BigUint64Array,
  DataView,
];
export interface ViewType {
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
}
