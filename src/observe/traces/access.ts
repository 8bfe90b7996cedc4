/** What an access of a trace was: of an instruction, or of data. A modify is a load and a store of one instruction. */
export type AccessKind = 'fetch' | 'load' | 'store' | 'modify';

/**
 * Takes the accesses of a trace in their order. A 64-bit number comes as two of 32 bits, `high` and `low`, both unsigned: an address, or in
 * traces of pages and objects their id.
 */
export interface AccessSink {
  access(kind: AccessKind, high: number, low: number, sizeBytes: number): void;
}

/** Decodes a trace that comes in pieces of any length. */
export interface TraceDecoder {
  /** Throws TraceError, which says where the trace is wrong. */
  push(bytes: Uint8Array, sink: AccessSink): void;
  /** After the last piece: what is missing at the end, in words, or null. */
  end(sink: AccessSink): string | null;
}

/** What a trace's numbers are: addresses of bytes, or ids of whole pages. */
export type TraceUnit = 'addresses' | 'pages';

/** A trace that is not what its format says: one line, with the number of the line or record. */
export class TraceError extends Error {}
