import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import {
  CheckpointError,
  CheckpointRecorder,
  encodeEntry,
  type Journal,
  type JournalEntry,
  type RecordedCheckpoint,
  type RecordedMachine,
  type RunStats,
  type System,
} from '../src/index.ts';
import { UsageError } from './usage-error.ts';

/**
 * A recording (run.flt): a signature, then chunks.
 *
 *   signature   89 46 4c 54 0d 0a 1a 0a   as PNG's: what treats it as text damages it in the first bytes
 *   chunk       type (4 letters), length (u32, little-endian), payload, CRC-32 of type and payload (u32)
 *   HEAD        JSON, RecordingHeader       once, first
 *   JRNL        raw deflate of a piece of the journal: entries as encodeEntry makes them, one may reach into the next piece
 *   CKPT        length of a JSON text (u32), which is a RecordedCheckpoint without its bytes; these in raw deflate
 *   ENDS        JSON, RecordingEnd          once, last; not there if Faultline was killed
 *
 * Every chunk is written when it is full, or after a second, so that what is lost with a crash is little.
 */
const SIGNATURE = Uint8Array.of(0x89, 0x46, 0x4c, 0x54, 0x0d, 0x0a, 0x1a, 0x0a);
export const RECORDING_FORMAT = 1;
const CHUNK_BYTES = 2 ** 16;
const CHUNK_MS = 1000;

export interface RecordingHeader {
  readonly format: typeof RECORDING_FORMAT;
  /** Version of Faultline: what a machine does differs between versions, so another one replays with a warning. */
  readonly faultline: string;
  readonly command: readonly string[];
  readonly machine: RecordedMachine;
  /** The policy that --reclaim loaded from a file, as it was. */
  readonly policy: { readonly name: string; readonly text: string } | null;
}

export interface RecordingEnd {
  readonly exitStatus: number;
  /** Without wallMs, which differs. */
  readonly stats: Omit<RunStats, 'wallMs'>;
}

export interface Recording {
  readonly header: RecordingHeader;
  readonly journal: Uint8Array;
  /** Each says what is different from the one before; in the order of the run. */
  readonly checkpoints: readonly RecordedCheckpoint[];
  readonly end: RecordingEnd | null;
  /** Why there is no more of it than this; null: it is whole. */
  readonly damage: string | null;
}

export class RecordingWriter implements Journal {
  private readonly descriptor: number;
  private readonly pending: Uint8Array[] = [];
  private pendingBytes = 0;
  /** Bytes of the journal so far. */
  private position = 0;
  private checkpoints: CheckpointRecorder | null = null;
  private chunkStartedMs = performance.now();

  /** Throws UsageError if the file cannot be written. */
  constructor(file: string, header: RecordingHeader) {
    try {
      this.descriptor = openSync(file, 'w');
    } catch (error) {
      throw new UsageError(`--output ${file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
    }
    writeAll(this.descriptor, SIGNATURE);
    this.writeChunk('HEAD', Buffer.from(JSON.stringify(header)));
  }

  /** The machine has just been made, and leaves checkpoints from now on: one in so many instructions and traps. */
  watch(system: System, interval?: number): void {
    this.checkpoints = new CheckpointRecorder(system, system.kernel.environment, interval);
  }

  add(entry: JournalEntry): void {
    const bytes = encodeEntry(entry);
    this.position += bytes.length;
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    // Only between runs is the clock looked at: that is often enough.
    const isDue = entry.op === 'ran' && performance.now() - this.chunkStartedMs > CHUNK_MS;
    if (this.pendingBytes >= CHUNK_BYTES || isDue) this.flush();
    if (entry.op === 'ran' && this.checkpoints?.isDue(entry.ran.issued) === true) this.writeCheckpoint(entry.ran);
  }

  /** With an end: the run came to it. */
  close(end: RecordingEnd | null): void {
    this.flush();
    if (end !== null) this.writeChunk('ENDS', Buffer.from(JSON.stringify(end)));
    closeSync(this.descriptor);
  }

  private writeCheckpoint({ issued, nowNs }: { issued: number; nowNs: number }): void {
    let checkpoint: RecordedCheckpoint | undefined;
    try {
      checkpoint = this.checkpoints?.take({ position: this.position, issued, nowNs });
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      process.stderr.write(`faultline: ${error.message}: the recording has no further ones\n`);
      this.checkpoints = null;
    }
    if (checkpoint === undefined) return;
    this.flush();
    const { bytes, ...rest } = checkpoint;
    const text = Buffer.from(JSON.stringify(rest));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    this.writeChunk('CKPT', Buffer.concat([length, text, deflateRawSync(bytes, { level: 1 })]));
  }

  private flush(): void {
    this.chunkStartedMs = performance.now();
    if (this.pendingBytes === 0) return;
    this.writeChunk('JRNL', deflateRawSync(Buffer.concat(this.pending), { level: 3 }));
    this.pending.length = 0;
    this.pendingBytes = 0;
  }

  private writeChunk(type: string, payload: Uint8Array): void {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32LE(payload.length, 4);
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc32(payload, crc32(head.subarray(0, 4))));
    writeAll(this.descriptor, Buffer.concat([head, payload, sum]));
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

/** Throws UsageError if there is nothing in the file to replay; what is damaged further on is told in `damage`. */
export function readRecording(file: string): Recording {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(code === 'ENOENT' ? `${file}: there is no such file` : `${file}: cannot be read (${code})`);
  }
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE))
    throw new UsageError(`${file}: is no recording; \`faultline record -o ${file} PROGRAM\` makes one`);
  const chunks = readChunks(bytes);
  const [first] = chunks.whole;
  if (first?.type !== 'HEAD') throw new UsageError(`${file}: its header is damaged, so nothing of it can be replayed`);
  const header = JSON.parse(first.payload.toString()) as RecordingHeader;
  if (header.format !== RECORDING_FORMAT)
    throw new UsageError(`${file}: is of format ${header.format}; this Faultline reads format ${RECORDING_FORMAT}`);
  const pieces = chunks.whole.filter(({ type }) => type === 'JRNL').map(({ payload }) => inflateRawSync(payload));
  const last = chunks.whole.at(-1);
  const end = last?.type === 'ENDS' ? (JSON.parse(last.payload.toString()) as RecordingEnd) : null;
  const damage = chunks.damage ?? (end === null ? 'the run was cut off' : null);
  const journal = Buffer.concat(pieces);
  const checkpoints = chunks.whole.filter(({ type }) => type === 'CKPT').map(({ payload }) => readCheckpoint(payload));
  return { header, journal, checkpoints, end, damage };
}

/** Inflated when it is asked for: most never are. */
function readCheckpoint(payload: Buffer): RecordedCheckpoint {
  const textEnd = 4 + payload.readUInt32LE(0);
  const rest = JSON.parse(payload.toString('utf8', 4, textEnd)) as Omit<RecordedCheckpoint, 'bytes'>;
  return {
    ...rest,
    get bytes() {
      return inflateRawSync(payload.subarray(textEnd));
    },
  };
}

interface Chunk {
  readonly type: string;
  readonly payload: Buffer;
}

/** The chunks up to the first that is not as it was written. */
function readChunks(bytes: Buffer): { whole: Chunk[]; damage: string | null } {
  const whole: Chunk[] = [];
  for (let at = SIGNATURE.length; at < bytes.length; ) {
    const payloadAt = at + 8;
    const end = payloadAt > bytes.length ? Number.POSITIVE_INFINITY : payloadAt + bytes.readUInt32LE(at + 4);
    if (end + 4 > bytes.length) return { whole, damage: `the file ends in the middle, at byte ${bytes.length}` };
    const payload = bytes.subarray(payloadAt, end);
    if (crc32(payload, crc32(bytes.subarray(at, at + 4))) !== bytes.readUInt32LE(end))
      return { whole, damage: `the file is damaged at byte ${at}` };
    whole.push({ type: bytes.toString('latin1', at, at + 4), payload });
    at = end + 4;
  }
  return { whole, damage: null };
}
