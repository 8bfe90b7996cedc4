import { STRING_LIMIT } from './text.ts';

/**
 * How the trace reads user memory: without a fault, without setting Accessed (the trace must not change the run). Returns
 * the bytes that are there, from the front: fewer than asked for where a page is not present.
 */
export type Peek = (address: number, into: Uint8Array) => number;

/** One call as the formatters see it: the arguments, the result once there is one, and the caller's memory. */
export class CallView {
  readonly name: string;
  readonly args: readonly number[];
  /** NaN until the call has returned. */
  result = Number.NaN;
  readonly peek: Peek;
  /** Some memory was not there when it was looked at (a page that the call itself will fault in). */
  hasMissed = false;

  constructor(name: string, args: readonly number[], peek: Peek) {
    this.name = name;
    this.args = args;
    this.peek = (address, into) => {
      const got = peek(address, into);
      if (got < into.length) this.hasMissed = true;
      return got;
    };
  }

  get failed(): boolean {
    return this.result < 0;
  }

  /** `length` bytes at `address`, or null if not all of them can be read. */
  bytes(address: number, length: number): Uint8Array | null {
    if (address === 0 || length < 0 || length > 65536) return null;
    const buffer = new Uint8Array(length);
    return this.peek(address, buffer) === length ? buffer : null;
  }

  /** A structure of 8-byte words and its view. */
  struct(address: number, length: number): DataView | null {
    const bytes = this.bytes(address, length);
    return bytes === null ? null : new DataView(bytes.buffer);
  }

  /** A string up to its NUL; at most STRING_LIMIT bytes unless `limit` says otherwise; null if it cannot be read. */
  cstring(address: number, limit: number): { bytes: Uint8Array; more: boolean } | null {
    if (address === 0) return null;
    const buffer = new Uint8Array(limit + 1);
    const got = this.peek(address, buffer);
    const end = buffer.subarray(0, got).indexOf(0);
    if (end >= 0) return { bytes: buffer.subarray(0, end), more: false };
    return got <= limit ? null : { bytes: buffer.subarray(0, limit), more: true };
  }

  /** The first STRING_LIMIT bytes of a buffer. */
  buffer(address: number, length: number): Uint8Array | null {
    return this.bytes(address, Math.min(length, STRING_LIMIT));
  }
}

export const u64 = (view: DataView, offset: number): number =>
  view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 2 ** 32;

export const s64 = (view: DataView, offset: number): number =>
  view.getUint32(offset, true) + view.getInt32(offset + 4, true) * 2 ** 32;
