/**
 * Where bytes of a read go to and bytes of a write come from: user memory (mm/user-access.ts UserIo, which may fault) or a
 * kernel buffer. Files, pipes and the page cache move bytes through these, so that each byte is copied once.
 */
export interface IoSink {
  /** Bytes that still fit. */
  readonly remaining: number;
  /** Takes bytes from the front of `bytes`; returns how many it took: less than offered only when full or on a bad address (`faulted`). */
  put(bytes: Uint8Array): number;
  /** The same of bytes [start, end), without a view made for them. Absent: `putRange` (the function) makes one. */
  putRange?(bytes: Uint8Array, start: number, end: number): number;
  /**
   * Copies `count` bytes of RAM from its byte `start` on to where the next bytes belong, as far as that goes without a page fault. Bytes
   * copied, maybe none; they count as put only by `advance`. Absent: none.
   */
  copyPresent?(start: number, count: number): number;
  /** So many of the bytes that copyPresent copied are put. */
  advance?(count: number): void;
  /** True once an address could not be written or read: the call's result is the short count, or -EFAULT if nothing moved. */
  readonly faulted: boolean;
  /** 'leave': a read stops at a page that a device is still reading, sets isAtLockedPage, and its caller sleeps. Absent: it waits. */
  readonly atLockedPage?: 'wait' | 'leave';
  isAtLockedPage?: boolean;
  /** Are all stretches multiples of so many bytes long? Absent: they are. */
  isAlignedTo?(bytes: number): boolean;
}

export interface IoSource {
  readonly remaining: number;
  /** Fills `into` from the front; returns how many bytes it gave. */
  take(into: Uint8Array): number;
  /** The same for bytes [start, end), without a view made for them. Absent: `takeRange` (the function) makes one. */
  takeRange?(into: Uint8Array, start: number, end: number): number;
  isAlignedTo?(bytes: number): boolean;
  readonly faulted: boolean;
  /** As `take`, but where a page fault would be it stops, and that is no failure (copy_folio_from_iter_atomic). */
  takePresent(into: Uint8Array): number;
  takePresentRange?(into: Uint8Array, start: number, end: number): number;
  /** Copies the next bytes to RAM, as IoSink.copyPresent does from there; those that `advance` is told of are taken. */
  fillPresent?(start: number, count: number): number;
  advance?(count: number): void;
  /** Takes the page faults of the next bytes (fault_in_iov_iter_readable); false, and `faulted`, if not one can be read. */
  faultIn(lengthBytes: number): boolean;
}

/** Offers bytes [start, end). */
export function putRange(sink: IoSink, bytes: Uint8Array, start: number, end: number): number {
  return sink.putRange?.(bytes, start, end) ?? sink.put(bytes.subarray(start, end));
}

/** Fills bytes [start, end). */
export function takeRange(source: IoSource, into: Uint8Array, start: number, end: number): number {
  return source.takeRange?.(into, start, end) ?? source.take(into.subarray(start, end));
}

/** The same as takePresent. */
export function takePresentRange(source: IoSource, into: Uint8Array, start: number, end: number): number {
  return source.takePresentRange?.(into, start, end) ?? source.takePresent(into.subarray(start, end));
}

export class BufferSink implements IoSink {
  readonly bytes: Uint8Array;
  length = 0;
  readonly faulted = false;

  constructor(capacityBytes: number) {
    this.bytes = new Uint8Array(capacityBytes);
  }

  get remaining(): number {
    return this.bytes.length - this.length;
  }

  put(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.remaining);
    this.bytes.set(count === bytes.length ? bytes : bytes.subarray(0, count), this.length);
    this.length += count;
    return count;
  }

  /** The bytes put so far. */
  get filled(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

export class BufferSource implements IoSource {
  private readonly bytes: Uint8Array;
  private at = 0;
  readonly faulted = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  take(into: Uint8Array): number {
    const count = Math.min(into.length, this.remaining);
    into.set(this.bytes.subarray(this.at, this.at + count));
    this.at += count;
    return count;
  }

  takePresent(into: Uint8Array): number {
    return this.take(into);
  }

  faultIn(): boolean {
    return false;
  }
}
