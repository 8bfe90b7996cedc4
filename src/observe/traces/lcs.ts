import { type AccessSink, type TraceDecoder, TraceError } from './access.ts';
import { FixedRecords } from './fixed-records.ts';

/**
 * libCacheSim's lcs (traceReader/customizedReader/lcs.h): a header of 8192 bytes, which begins and ends with a magic number and says the version,
 * statistics of the trace, and records, as long as the version has them. All little-endian, packed.
 */
const LCS_HEADER_BYTES = 8192;
/** 0x123456789abcdef0. */
const MAGIC_LOW = 0x9abcdef0;
const MAGIC_HIGH = 0x12345678;

/** Of a record: version 1 is oracleGeneral's; 2 has operation and tenant, 3 sizes of 64 bits and a time to live, 4 to 8 features behind that. */
const RECORD_BYTES: readonly number[] = [0, 24, 28, 36, 40, 44, 52, 68, 100];
/** The version that is written. */
const VERSION = 2;
export const LCS_RECORD_BYTES = RECORD_BYTES[VERSION];
const OP_READ = 12;
const OP_WRITE = 13;
const OPS_OF_STORES: readonly number[] = [3, 4, 6, OP_WRITE, 14];

export function isLcs(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return head.length >= 16 && view.getUint32(0, true) === MAGIC_LOW && view.getUint32(4, true) === MAGIC_HIGH;
}

export class LcsDecoder implements TraceDecoder {
  private readonly header = new FixedRecords(LCS_HEADER_BYTES);
  private records: FixedRecords | null = null;
  private version = 0;
  private announced = 0;

  push(bytes: Uint8Array, sink: AccessSink): void {
    let rest = bytes;
    if (this.records === null) {
      const taken = Math.min(rest.length, LCS_HEADER_BYTES - this.header.begun);
      this.header.push(rest.subarray(0, taken), (view, at) => this.takeHeader(view, at));
      rest = rest.subarray(taken);
    }
    this.records?.push(rest, (view, at) => this.take(view, at, sink));
  }

  end(): string | null {
    if (this.records === null)
      return `its header is cut off: ${this.header.begun} of its ${LCS_HEADER_BYTES} bytes are there`;
    const { count, cutOff } = this.records;
    return cutOff ?? (count < this.announced ? `${count} of its ${this.announced} records are there` : null);
  }

  private takeHeader(view: DataView, at: number): void {
    const isGood = (offset: number): boolean =>
      view.getUint32(at + offset, true) === MAGIC_LOW && view.getUint32(at + offset + 4, true) === MAGIC_HIGH;
    if (!isGood(0) || !isGood(LCS_HEADER_BYTES - 8)) throw new TraceError('has no header of an lcs trace');
    this.version = view.getUint32(at + 8, true);
    const recordBytes = RECORD_BYTES[this.version] ?? 0;
    if (recordBytes === 0)
      throw new TraceError(`lcs version ${this.version} is not known; there are 1 to ${RECORD_BYTES.length - 1}`);
    this.announced = Number(view.getBigInt64(at + STAT.requests, true));
    this.records = new FixedRecords(recordBytes);
  }

  private take(view: DataView, at: number, sink: AccessSink): void {
    const opAt = this.version === 1 ? -1 : this.version === 2 ? 16 : 20;
    const kind = opAt >= 0 && OPS_OF_STORES.includes(view.getUint8(at + opAt)) ? 'store' : 'load';
    sink.access(kind, view.getUint32(at + 8, true), view.getUint32(at + 4, true), view.getUint32(at + 12, true));
  }
}

/** Where statistics stand in the header; counts are int64, shares float. */
const STAT = {
  version: 16,
  requests: 24,
  objects: 32,
  requestBytes: 40,
  objectBytes: 48,
  start: 56,
  end: 64,
  reads: 72,
  writes: 80,
  smallest: 96,
  largest: 104,
  commonSizes: 112,
  commonSizeShares: 240,
  highestCounts: 304,
  commonCounts: 432,
  commonCountShares: 496,
  skewness: 560,
  tenants: 568,
  commonTenants: 572,
  commonTenantShares: 636,
} as const;
const MOST = 16;

export interface LcsStatistics {
  readonly sizeBytes: number;
  readonly startTime: number;
  readonly endTime: number;
  readonly reads: number;
  readonly writes: number;
  /** How often each object was asked for, at least once. */
  readonly counts: readonly number[];
  /** tenant -> its requests. */
  readonly tenants: ReadonlyMap<number, number>;
}

export function lcsHeader({
  sizeBytes,
  startTime,
  endTime,
  reads,
  writes,
  counts,
  tenants,
}: LcsStatistics): Uint8Array {
  const bytes = new Uint8Array(LCS_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number): void => view.setBigInt64(at, BigInt(value), true);
  for (const at of [0, LCS_HEADER_BYTES - 8]) {
    view.setUint32(at, MAGIC_LOW, true);
    view.setUint32(at + 4, MAGIC_HIGH, true);
  }
  put(8, VERSION);
  const requests = reads + writes;
  put(STAT.version, 1);
  put(STAT.requests, requests);
  put(STAT.objects, counts.length);
  put(STAT.requestBytes, requests * sizeBytes);
  put(STAT.objectBytes, counts.length * sizeBytes);
  put(STAT.start, startTime);
  put(STAT.end, endTime);
  put(STAT.reads, reads);
  put(STAT.writes, writes);
  put(STAT.smallest, sizeBytes);
  put(STAT.largest, sizeBytes);
  put(STAT.commonSizes, sizeBytes);
  view.setFloat32(STAT.commonSizeShares, 1, true);
  const objects = tally(counts);
  for (const [at, [count]] of [...objects]
    .sort(([a], [b]) => b - a)
    .slice(0, MOST)
    .entries())
    put(STAT.highestCounts + 8 * at, count);
  for (const [at, [count, times]] of mostOf(objects).entries()) {
    view.setInt32(STAT.commonCounts + 4 * at, count, true);
    view.setFloat32(STAT.commonCountShares + 4 * at, times / counts.length, true);
  }
  view.setFloat64(STAT.skewness, skewnessOf(counts), true);
  view.setInt32(STAT.tenants, tenants.size, true);
  for (const [at, [tenant, times]] of mostOf(tenants).entries()) {
    view.setInt32(STAT.commonTenants + 4 * at, tenant, true);
    view.setFloat32(STAT.commonTenantShares + 4 * at, times / requests, true);
  }
  return bytes;
}

export interface LcsRecord {
  readonly time: number;
  readonly high: number;
  readonly low: number;
  readonly sizeBytes: number;
  readonly kind: 'read' | 'write';
  readonly tenant: number;
  /** The number, from 0, of the next record with the same id; -1: there is none. */
  readonly next: number;
}

export function putLcsRecord(view: DataView, at: number, record: LcsRecord): void {
  view.setUint32(at, record.time, true);
  view.setUint32(at + 4, record.low, true);
  view.setUint32(at + 8, record.high, true);
  view.setUint32(at + 12, record.sizeBytes, true);
  view.setUint32(at + 16, ((record.tenant << 8) | (record.kind === 'write' ? OP_WRITE : OP_READ)) >>> 0, true);
  view.setUint32(at + 20, record.next >>> 0, true);
  view.setInt32(at + 24, Math.floor(record.next / 2 ** 32), true);
}

function tally(values: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

function mostOf(times: ReadonlyMap<number, number>): [number, number][] {
  return [...times].sort(([, a], [, b]) => b - a).slice(0, MOST);
}

/** Zipf's alpha: how steeply the counts fall with their rank, both as logarithms, by least squares. */
function skewnessOf(counts: readonly number[]): number {
  const sorted = Float64Array.from(counts).sort().reverse();
  let [x, y, xx, xy] = [0, 0, 0, 0];
  for (let rank = 0; rank < sorted.length; rank++) {
    const [logRank, logCount] = [Math.log(rank + 1), Math.log(sorted[rank])];
    x += logRank;
    y += logCount;
    xx += logRank * logRank;
    xy += logRank * logCount;
  }
  const spread = sorted.length * xx - x * x;
  return spread === 0 ? 0 : -(sorted.length * xy - x * y) / spread;
}
