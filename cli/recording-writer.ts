import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { deflateRaw, deflateRawSync } from 'node:zlib';
import {
  CheckpointError,
  CheckpointRecorder,
  encodeEntry,
  type Journal,
  type JournalEntry,
  type PieceBlock,
  type System,
  type TakenCheckpoint,
} from '../src/index.ts';
import { CheckpointPace, msSince, readClocks } from './checkpoint-pace.ts';
import { monotonicMs } from './monotonic-ms.ts';
import {
  CHUNK_HEAD_BYTES,
  CHUNK_SUM_BYTES,
  type ChunkType,
  chunkSum,
  PAGE_HEAD_BYTES,
  type RecordingEnd,
  type RecordingHeader,
  type RecordingIndex,
  SIGNATURE,
} from './recording-format.ts';
import { UsageError } from './usage-error.ts';

const CHUNK_BYTES = 2 ** 16;
const CHUNK_MS = 1000;
/** Of a block, to see whether it is worth compressing: numbers without a pattern take long, and get no smaller. */
const SAMPLE_BYTES = 4096;
const WORTH = 0.75;

/** Writes a recording while the run goes on. Blocks of pages are compressed by other threads meanwhile, where there are any. */
export class RecordingWriter implements Journal {
  private readonly path: string;
  private readonly file: ChunkFile;
  private readonly index: RecordingIndex & { files: number[] } = {
    journal: [],
    files: [],
    pages: [],
    checkpoints: [],
    end: null,
  };
  private readonly pending: Uint8Array[] = [];
  private pendingBytes = 0;
  /** Bytes of the journal so far. */
  private position = 0;
  private chunkStartedMs = monotonicMs();
  private checkpoints: CheckpointRecorder | null = null;
  private pace = new CheckpointPace(null);
  /** The last checkpoint, until it is in the file with all its blocks. */
  private underWay: Promise<void> | null = null;

  /** Throws UsageError if the file cannot be written. */
  constructor(file: string, header: RecordingHeader) {
    this.path = file;
    this.file = new ChunkFile(file);
    this.file.write('HEAD', Buffer.from(JSON.stringify(header)));
  }

  /** The machine has just been made, and leaves checkpoints from now on. `every`: instructions and traps from one to the next. */
  watch(system: System, every?: number): void {
    this.checkpoints = new CheckpointRecorder(system, system.kernel.environment);
    this.pace = new CheckpointPace(every ?? null);
  }

  add(entry: JournalEntry): void {
    const bytes = encodeEntry(entry);
    if (entry.op === 'file') this.index.files.push(this.position);
    this.position += bytes.length;
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    // Only between runs is the clock looked at: that is often enough.
    const isDue = entry.op === 'ran' && monotonicMs() - this.chunkStartedMs > CHUNK_MS;
    if (this.pendingBytes >= CHUNK_BYTES || isDue) this.flush();
    if (entry.op === 'call' && entry.call.name === 'run') this.pace.runs();
    if (entry.op === 'ran' && this.pace.isDue(entry.ran.issued) && this.underWay === null)
      this.takeCheckpoint(entry.ran);
  }

  /** With an end: the run came to it. */
  async close(end: RecordingEnd | null): Promise<void> {
    await this.underWay;
    this.flush();
    if (end !== null) this.index.end = this.file.write('ENDS', Buffer.from(JSON.stringify(end)));
    const offset = Buffer.alloc(8);
    offset.writeDoubleLE(this.file.write('INDX', deflateRawSync(JSON.stringify(this.index))));
    this.file.write('TAIL', offset);
    this.file.close();
  }

  /** There was no run: the file goes. */
  discard(): void {
    this.file.close();
    rmSync(this.path);
  }

  private takeCheckpoint({ issued, nowNs }: { issued: number; nowNs: number }): void {
    if (this.checkpoints === null) return;
    const started = readClocks();
    let taken: TakenCheckpoint;
    try {
      taken = this.checkpoints.take({ position: this.position, issued, nowNs });
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      process.stderr.write(`faultline: ${error.message}: the recording has no further ones\n`);
      this.checkpoints = null;
      return;
    }
    this.flush();
    this.underWay = this.writeCheckpoint(taken).then(() => {
      this.underWay = null;
    });
    const bytes = taken.bytes.length + taken.blocks.reduce((sum, { words }) => sum + words.byteLength, 0);
    this.pace.taken(issued, { costMs: msSince(started), bytes });
  }

  private async writeCheckpoint({ blocks, bytes, ...point }: TakenCheckpoint): Promise<void> {
    const pages = blocks.map(pageOf);
    for (const [at, { number }] of blocks.entries())
      this.index.pages[number] = this.file.write('PAGE', await pages[at]);
    const text = Buffer.from(JSON.stringify(point));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    const offset = this.file.write('CKPT', Buffer.concat([length, text, await deflated(bytes)]));
    this.index.checkpoints.push({ offset, point });
  }

  private flush(): void {
    this.chunkStartedMs = monotonicMs();
    if (this.pendingBytes === 0) return;
    const start = this.position - this.pendingBytes;
    const offset = this.file.write('JRNL', deflateRawSync(Buffer.concat(this.pending), { level: 3 }));
    this.index.journal.push([offset, start]);
    this.pending.length = 0;
    this.pendingBytes = 0;
  }
}

/** The payload of a PAGE. */
async function pageOf({ number, words }: PieceBlock): Promise<Buffer> {
  const bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength);
  const isWorth = isWorthDeflating(bytes);
  const head = Buffer.alloc(PAGE_HEAD_BYTES);
  head.writeUInt32LE(number);
  head.writeUInt32LE(bytes.length, 4);
  head.writeUInt32LE(isWorth ? 1 : 0, 8);
  return Buffer.concat([head, isWorth ? await deflated(bytes) : bytes]);
}

/** By some bytes of its middle. */
function isWorthDeflating(bytes: Buffer): boolean {
  const from = (bytes.length - SAMPLE_BYTES) >> 1;
  if (from <= 0) return true;
  const sample = bytes.subarray(from, from + SAMPLE_BYTES);
  return deflateRawSync(sample, { level: 1 }).length < SAMPLE_BYTES * WORTH;
}

function deflated(bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    deflateRaw(bytes, { level: 1 }, (error, result) => (error === null ? resolve(result) : reject(error)));
  });
}

/** Chunks one behind the other. */
class ChunkFile {
  private readonly descriptor: number;
  private bytes = 0;

  /** Throws UsageError. */
  constructor(file: string) {
    try {
      this.descriptor = openSync(file, 'w');
    } catch (error) {
      throw new UsageError(`--output ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
    this.writeAll(SIGNATURE);
  }

  /** Returns its offset. */
  write(type: ChunkType, payload: Uint8Array): number {
    const offset = this.bytes;
    const head = Buffer.alloc(CHUNK_HEAD_BYTES);
    head.write(type, 'latin1');
    head.writeUInt32LE(payload.length, 4);
    const sum = Buffer.alloc(CHUNK_SUM_BYTES);
    sum.writeUInt32LE(chunkSum(head.subarray(0, 4), payload));
    this.writeAll(head);
    this.writeAll(payload);
    this.writeAll(sum);
    return offset;
  }

  close(): void {
    closeSync(this.descriptor);
  }

  private writeAll(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.descriptor, bytes, at);
    this.bytes += bytes.length;
  }
}
