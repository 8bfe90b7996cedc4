import type { AccessSink, TraceDecoder } from './access.ts';
import { FixedRecords } from './fixed-records.ts';

/** Bytes of a record: uint32 time, uint64 id, uint32 size, int64 vtime of the next access; little-endian, packed. */
export const ORACLE_RECORD_BYTES = 24;

/** libCacheSim's oracleGeneral (traceReader/customizedReader/oracle/oracleGeneralBin.h). The next access that it tells is not relied on. */
export class OracleGeneralDecoder implements TraceDecoder {
  private readonly records = new FixedRecords(ORACLE_RECORD_BYTES);

  push(bytes: Uint8Array, sink: AccessSink): void {
    this.records.push(bytes, (view, at) =>
      sink.access('load', view.getUint32(at + 8, true), view.getUint32(at + 4, true), view.getUint32(at + 12, true)),
    );
  }

  end(): string | null {
    return this.records.cutOff;
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
