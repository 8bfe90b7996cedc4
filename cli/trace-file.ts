import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import {
  type AccessSink,
  CsvDecoder,
  type CsvOptions,
  LackeyDecoder,
  LcsDecoder,
  OracleGeneralDecoder,
  PageListDecoder,
  sniffTrace,
  TRACE_FORMATS,
  type TraceDecoder,
  TraceError,
  type TraceFormat,
} from '../src/index.ts';
import { UsageError } from './usage-error.ts';

/** Bytes that say what a trace is. */
const HEAD_BYTES = 4096;
const PIECE_BYTES = 1 << 20;

export interface TraceRequest {
  /** '-': standard input. */
  readonly file: string;
  /** null: by the content. */
  readonly format: TraceFormat | null;
  readonly csv: CsvOptions;
  /** Given the format before the first access. */
  readonly sinkFor: (format: TraceFormat) => AccessSink;
  /** So many bytes of the file have been read. */
  readonly onBytes: (count: number) => void;
}

export interface TraceResult {
  readonly format: TraceFormat;
  /** What is missing at its end, in words; null: it is whole. */
  readonly missing: string | null;
}

/** Reads a trace piece by piece, unpacked where it is gz or zst; throws UsageError where it is not what its format says. */
export async function readTrace(request: TraceRequest): Promise<TraceResult> {
  const input = new TraceInput(request);
  try {
    const missing = await pump(request, (bytes) => input.push(bytes));
    return input.end(missing);
  } catch (error) {
    if (error instanceof TraceError) throw new UsageError(`${request.file}: ${error.message}`);
    throw error;
  }
}

/** Waits for the first bytes, finds out what they are, and hands all on to the decoder. */
class TraceInput {
  private readonly request: TraceRequest;
  private head: Uint8Array = new Uint8Array(0);
  private format: TraceFormat | null = null;
  private decoder: TraceDecoder | null = null;
  private sink: AccessSink | null = null;

  constructor(request: TraceRequest) {
    this.request = request;
  }

  push(bytes: Uint8Array): void {
    if (this.decoder !== null && this.sink !== null) {
      this.decoder.push(bytes, this.sink);
      return;
    }
    this.head = Buffer.concat([this.head, bytes]);
    if (this.head.length >= HEAD_BYTES) this.start();
  }

  end(cut: string | null): TraceResult {
    if (this.decoder === null) this.start();
    const missing = (this.decoder as TraceDecoder).end(this.sink as AccessSink);
    return { format: this.format as TraceFormat, missing: cut ?? missing };
  }

  private start(): void {
    const { file, format, csv, sinkFor } = this.request;
    this.format = format ?? sniffTrace(this.head.subarray(0, HEAD_BYTES));
    if (this.head.length === 0) throw new UsageError(`${file}: is empty`);
    if (this.format === null) throw new UsageError(`${file}: ${whatElse(this.head)}`);
    this.sink = sinkFor(this.format);
    this.decoder = decoderOf(this.format, csv);
    this.decoder.push(this.head, this.sink);
    this.head = new Uint8Array(0);
  }
}

function whatElse(head: Uint8Array): string {
  if (Buffer.from(head.subarray(0, 4)).toString('latin1') === '\x89FLT')
    return 'is a recording; `faultline replay FILE references -o TRACE` writes its references as a trace';
  return `looks like no trace; say what it is: --format ${TRACE_FORMATS.join('|')}`;
}

function decoderOf(format: TraceFormat, csv: CsvOptions): TraceDecoder {
  switch (format) {
    case 'lackey':
      return new LackeyDecoder();
    case 'oracleGeneral':
      return new OracleGeneralDecoder();
    case 'lcs':
      return new LcsDecoder();
    case 'csv':
      return new CsvDecoder(csv);
    case 'list':
      return new PageListDecoder();
  }
}

/** All bytes of the file, unpacked; in words what is missing of a packed file that is cut off. */
function pump({ file, onBytes }: TraceRequest, take: (bytes: Uint8Array) => void): Promise<string | null> {
  const raw: Readable = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: PIECE_BYTES });
  return new Promise((resolve, reject) => {
    let unpack: Unpacker | null = null;
    let begun: Uint8Array = new Uint8Array(0);
    const fail = (error: unknown): void => {
      raw.destroy();
      reject(error);
    };
    const start = async (): Promise<Unpacker> => {
      const { length } = begun;
      const made = await unpackerFor(begun, take);
      if (length > 0) await made.push(begun);
      begun = new Uint8Array(0);
      return made;
    };
    const run = async (): Promise<void> => {
      for await (const piece of raw) {
        const bytes = piece as Uint8Array;
        onBytes(bytes.length);
        if (unpack !== null) await unpack.push(bytes);
        else {
          begun = Buffer.concat([begun, bytes]);
          if (begun.length >= 4) unpack = await start();
        }
      }
      unpack ??= await start();
      resolve(await unpack.end());
    };
    run().catch((error: NodeJS.ErrnoException) => {
      const why: Readonly<Record<string, string>> = { ENOENT: 'there is no such file', EISDIR: 'is a folder' };
      const known =
        error.syscall === undefined ? undefined : (why[error.code ?? ''] ?? `cannot be read (${error.code})`);
      fail(known === undefined ? error : new UsageError(`${file}: ${known}`));
    });
  });
}

interface Unpacker {
  push(bytes: Uint8Array): void | Promise<void>;
  /** What is missing, or null. */
  end(): string | null | Promise<string | null>;
}

async function unpackerFor(head: Uint8Array, take: (bytes: Uint8Array) => void): Promise<Unpacker> {
  if (head[0] === 0x1f && head[1] === 0x8b) return gunzipper(take);
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd) return unzstd(take);
  return { push: take, end: () => null };
}

function gunzipper(take: (bytes: Uint8Array) => void): Unpacker {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  let failure: unknown = null;
  let missing: string | null = null;
  const done = new Promise<void>((resolve) => {
    gunzip.on('data', (bytes: Uint8Array) => {
      if (failure !== null) return;
      try {
        take(bytes);
      } catch (error) {
        failure = error;
      }
    });
    gunzip.on('end', resolve);
    gunzip.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'Z_BUF_ERROR') missing = 'the gz file is cut off';
      else failure ??= new TraceError(`the gz file is damaged (${error.message})`);
      resolve();
    });
  });
  return {
    push: async (bytes) => {
      if (failure !== null) throw failure;
      if (!gunzip.write(bytes)) await Promise.race([new Promise((resolve) => gunzip.once('drain', resolve)), done]);
    },
    end: async () => {
      gunzip.end();
      await done;
      if (failure !== null) throw failure;
      return missing;
    },
  };
}

/** Node has zstd from 22.15 on only. */
async function unzstd(take: (bytes: Uint8Array) => void): Promise<Unpacker> {
  const { Decompress } = await import('fzstd');
  let failure: unknown = null;
  const stream = new Decompress((bytes) => {
    try {
      take(bytes);
    } catch (error) {
      failure = error;
    }
  });
  const push = (bytes: Uint8Array, isLast: boolean): string | null => {
    try {
      stream.push(bytes, isLast);
    } catch (error) {
      if (/unexpected EOF/i.test((error as Error).message)) return 'the zst file is cut off';
      failure ??= new TraceError(`the zst file is damaged (${(error as Error).message})`);
    }
    if (failure !== null) throw failure;
    return null;
  };
  return { push: (bytes) => void push(bytes, false), end: () => push(new Uint8Array(0), true) };
}
