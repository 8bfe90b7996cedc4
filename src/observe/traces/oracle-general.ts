import type { AccessSink, TraceDecoder } from './access.ts';

/** Bytes of a record: uint32 time, uint64 id, uint32 size, int64 vtime of the next access; little-endian, packed. */
export const ORACLE_RECORD_BYTES = 24;

/** libCacheSim's oracleGeneral (traceReader/customizedReader/oracle/oracleGeneralBin.h). The next access that it tells is not relied on. */
export class OracleGeneralDecoder implements TraceDecoder {
  private readonly begun = new Uint8Array(ORACLE_RECORD_BYTES);
  private begunLength = 0;
  private records = 0;

  push(bytes: Uint8Array, sink: AccessSink): void {
    let at = 0;
    if (this.begunLength > 0) {
      at = Math.min(ORACLE_RECORD_BYTES - this.begunLength, bytes.length);
      this.begun.set(bytes.subarray(0, at), this.begunLength);
      this.begunLength += at;
      if (this.begunLength < ORACLE_RECORD_BYTES) return;
      this.take(new DataView(this.begun.buffer), 0, sink);
      this.begunLength = 0;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + ORACLE_RECORD_BYTES <= bytes.length; at += ORACLE_RECORD_BYTES) this.take(view, at, sink);
    this.begun.set(bytes.subarray(at));
    this.begunLength = bytes.length - at;
  }

  end(): string | null {
    if (this.begunLength === 0) return null;
    return `record ${this.records + 1} is cut off: ${this.begunLength} of its ${ORACLE_RECORD_BYTES} bytes are there`;
  }

  private take(view: DataView, at: number, sink: AccessSink): void {
    this.records++;
    sink.access('load', view.getUint32(at + 8, true), view.getUint32(at + 4, true), view.getUint32(at + 12, true));
  }
}

/** One record as libCacheSim reads it. */
export interface OracleRecord {
  readonly time: number;
  readonly high: number;
  readonly low: number;
  readonly sizeBytes: number;
  /** The number, from 0, of the next record with the same id; -1: there is none. */
  readonly next: number;
}

export function putOracleRecord(view: DataView, at: number, record: OracleRecord): void {
  view.setUint32(at, record.time, true);
  view.setUint32(at + 4, record.low, true);
  view.setUint32(at + 8, record.high, true);
  view.setUint32(at + 12, record.sizeBytes, true);
  view.setUint32(at + 16, record.next >>> 0, true);
  view.setInt32(at + 20, Math.floor(record.next / 2 ** 32), true);
}
