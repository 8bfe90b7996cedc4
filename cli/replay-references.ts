import {
  LCS_RECORD_BYTES,
  type LcsStatistics,
  lcsHeader,
  ORACLE_RECORD_BYTES,
  PageLives,
  PageNumbers,
  putLcsRecord,
  putOracleRecord,
  type Replay,
  type ReplayStop,
} from '../src/index.ts';
import { CHUNK, NumberSpool } from './number-spool.ts';
import { PageSpool } from './page-spool.ts';
import { TraceWriter } from './trace-writer.ts';
import { requireReferences } from './unobserved-references.ts';
import { UsageError } from './usage-error.ts';
import type { WorkProgress } from './work-progress.ts';

const PAGE_BYTES = 4096;

/** By the ending of the file's name. */
type ReferenceFormat = 'oracleGeneral' | 'lcs' | 'csv' | 'list' | 'lackey';

export interface ReferencesRequest {
  readonly file: string;
  readonly until: ReplayStop;
  /** 'frames': a frame of RAM from the time that it is allocated until it is freed, so that pages that are shared are one; 'virtual': a page of an address space. */
  readonly ids: 'frames' | 'virtual';
  readonly progress: WorkProgress;
}

export interface WrittenReferences {
  readonly file: string;
  readonly format: ReferenceFormat;
  readonly references: number;
  readonly pages: number;
  readonly processes: number;
}

/** Replays a run from its start and writes its page references as a trace. Bounded memory: they are kept on disk until all are known. */
export function writeReferences(replay: Replay, request: ReferencesRequest): WrittenReferences {
  const format = formatOf(request.file);
  const taken = new TakenReferences(request.ids);
  try {
    take(replay, taken, request);
    if (taken.pages.length === 0) throw new UsageError('the run has no references up to there');
    const writer = new TraceWriter(request.file);
    if (format === 'lcs') writer.write(lcsHeader(taken.statistics()));
    const text = new TextPieces((bytes) => writer.write(bytes));
    taken.forEach(lineMaker(format, text, (bytes) => writer.write(bytes)));
    text.flush();
    writer.close();
    const { pages, spaces } = taken;
    return { file: request.file, format, references: pages.length, pages: pages.pageCount, processes: spaces.size };
  } finally {
    taken.close();
  }
}

function take(replay: Replay, taken: TakenReferences, { until, progress }: ReferencesRequest): void {
  const { kernel } = replay.system;
  requireReferences(replay);
  const lives = new PageLives(kernel, {
    referenced: (page, access, asid, at) => {
      taken.add(page, access, asid, at, kernel.clock.nowNs);
      if ((taken.pages.length & 0xffff) === 0)
        progress.tell(() => `${(taken.pages.length / 1e6).toFixed(1)} million references`);
    },
    freed: () => {},
  });
  replay.forward(until);
  lives.close();
}

interface TakenReference {
  /** Numbers ids as they come. */
  readonly page: number;
  readonly high: number;
  readonly low: number;
  readonly timeUs: number;
  readonly access: number;
  readonly asid: number;
  readonly address: number;
  /** Position of the next reference with the same id; -1: none. */
  readonly next: number;
}

class TakenReferences {
  readonly pages = new PageSpool();
  readonly spaces = new Set<number>();
  private readonly ids: 'frames' | 'virtual';
  private readonly times = new NumberSpool();
  /** Number of the virtual page, and the kind of access in the lowest two bits. */
  private readonly places = new NumberSpool();
  private readonly virtual = new PageNumbers();

  constructor(ids: 'frames' | 'virtual') {
    this.ids = ids;
  }

  add(page: number, access: number, asid: number, at: number, nowNs: number): void {
    this.spaces.add(asid);
    const high = (asid * 2 ** 16 + Math.floor(at / 2 ** 32)) >>> 0;
    const place = this.virtual.numberOf(high, at >>> 0);
    this.pages.push(this.ids === 'frames' ? page : place);
    this.times.push(Math.floor(nowNs / 1000) | 0);
    this.places.push((place << 2) | KINDS.indexOf(access));
  }

  /** For the header of lcs: one way through them. */
  statistics(): LcsStatistics {
    const counts = new Map<number, number>();
    const tenants = new Map<number, number>();
    let writes = 0;
    let startTime = -1;
    let endTime = 0;
    this.forEach(({ page, timeUs, access, asid }) => {
      counts.set(page, (counts.get(page) ?? 0) + 1);
      tenants.set(asid, (tenants.get(asid) ?? 0) + 1);
      if (ACCESS_NAMES[access] === 'write') writes++;
      if (startTime < 0) startTime = timeUs;
      endTime = timeUs;
    });
    const reads = this.pages.length - writes;
    return { sizeBytes: PAGE_BYTES, startTime, endTime, reads, writes, counts: [...counts.values()], tenants };
  }

  forEach(visit: (reference: TakenReference) => void): void {
    const [timeBuffer, placeBuffer] = [new Int32Array(CHUNK), new Int32Array(CHUNK)];
    let times = timeBuffer;
    let places = placeBuffer;
    let position = 0;
    this.pages.forEachWithNext((page, next) => {
      const at = position & (CHUNK - 1);
      if (at === 0) {
        times = this.times.chunk(position / CHUNK, timeBuffer) as Int32Array<ArrayBuffer>;
        places = this.places.chunk(position / CHUNK, placeBuffer) as Int32Array<ArrayBuffer>;
      }
      position++;
      const place = places[at] >> 2;
      const high = this.virtual.highOf(place);
      visit({
        page,
        high: this.ids === 'frames' ? 0 : high,
        low: this.ids === 'frames' ? page : this.virtual.lowOf(place),
        timeUs: times[at] >>> 0,
        access: places[at] & 3,
        asid: high >>> 16,
        address: ((high & 0xffff) * 2 ** 32 + this.virtual.lowOf(place)) * PAGE_BYTES,
        next: next === Number.POSITIVE_INFINITY ? -1 : next,
      });
    });
  }

  close(): void {
    for (const spool of [this.pages, this.times, this.places]) spool.close();
  }
}

/** Lines of text, encoded many at a time. */
class TextPieces {
  private readonly write: (bytes: Uint8Array) => void;
  private text = '';

  constructor(write: (bytes: Uint8Array) => void) {
    this.write = write;
  }

  line(text: string): void {
    this.text += `${text}\n`;
    if (this.text.length > 1 << 16) this.flush();
  }

  flush(): void {
    this.write(Buffer.from(this.text));
    this.text = '';
  }
}

function lineMaker(
  format: ReferenceFormat,
  text: TextPieces,
  write: (bytes: Uint8Array) => void,
): (reference: TakenReference) => void {
  const line = (words: string): void => text.line(words);
  switch (format) {
    case 'oracleGeneral': {
      const bytes = new Uint8Array(ORACLE_RECORD_BYTES);
      const view = new DataView(bytes.buffer);
      return ({ timeUs, high, low, next }) => {
        putOracleRecord(view, 0, { time: timeUs, high, low, sizeBytes: PAGE_BYTES, next });
        write(bytes);
      };
    }
    case 'lcs': {
      const bytes = new Uint8Array(LCS_RECORD_BYTES);
      const view = new DataView(bytes.buffer);
      return ({ timeUs, high, low, access, asid, next }) => {
        const kind = ACCESS_NAMES[access] === 'write' ? 'write' : 'read';
        putLcsRecord(view, 0, { time: timeUs, high, low, sizeBytes: PAGE_BYTES, kind, tenant: asid, next });
        write(bytes);
      };
    }
    case 'csv':
      line('time_us,obj_id,obj_size,next_access_vtime,access,asid,address');
      return ({ timeUs, high, low, next, access, asid, address }) =>
        line(
          `${timeUs},${idOf(high, low)},${PAGE_BYTES},${next},${ACCESS_NAMES[access]},${asid},0x${address.toString(16)}`,
        );
    case 'list':
      return ({ high, low }) => line(idOf(high, low));
    case 'lackey':
      return ({ access, asid, address }) => {
        // Address spaces lie 2^48 bytes apart.
        const digits =
          asid < 32
            ? (asid * 2 ** 48 + address).toString(16)
            : (BigInt(asid) * 2n ** 48n + BigInt(address)).toString(16);
        line(`${LACKEY_KINDS[access]} ${digits.padStart(8, '0')},1`);
      };
  }
}

function idOf(high: number, low: number): string {
  return high < 2 ** 21 ? String(high * 2 ** 32 + low) : ((BigInt(high) << 32n) | BigInt(low)).toString();
}

/** machine/mmu.ts: read, write, execute. */
const KINDS: readonly number[] = [1, 2, 4];
const ACCESS_NAMES = ['read', 'write', 'exec'];
const LACKEY_KINDS = [' L', ' S', 'I '];

function formatOf(file: string): ReferenceFormat {
  if (file === '-') return 'list';
  const name = file.replace(/\.(gz|zst)$/, '');
  if (name.endsWith('.oracleGeneral') || name.endsWith('.oracleGeneral.bin')) return 'oracleGeneral';
  if (name.endsWith('.lcs')) return 'lcs';
  if (name.endsWith('.csv')) return 'csv';
  if (name.endsWith('.txt') || name.endsWith('.list')) return 'list';
  if (name.endsWith('.lackey')) return 'lackey';
  throw new UsageError(
    `-o ${file}: the name's ending says the format: .oracleGeneral, .lcs, .csv, .txt (a page a line) or .lackey, and .gz or .zst behind it`,
  );
}
