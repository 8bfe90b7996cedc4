import { closeSync, openSync, writeSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { UsageError } from './usage-error.ts';

const PIECE_BYTES = 1 << 20;

/** Bytes to a file, packed by the ending of its name: .gz, .zst, or not. '-': standard output. */
export class TraceWriter {
  private readonly file: string;
  private readonly descriptor: number;
  private readonly pack: (bytes: Uint8Array) => Uint8Array;
  private readonly pending = new Uint8Array(PIECE_BYTES);
  private used = 0;

  constructor(file: string) {
    this.file = file;
    this.pack = packerOf(file);
    try {
      this.descriptor = file === '-' ? 1 : openSync(file, 'w');
    } catch (error) {
      throw this.cannot(error);
    }
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + PIECE_BYTES - this.used);
      this.pending.set(part, this.used);
      this.used += part.length;
      at += part.length;
      if (this.used === PIECE_BYTES) this.flush();
    }
  }

  close(): void {
    this.flush();
    if (this.descriptor !== 1) closeSync(this.descriptor);
  }

  private flush(): void {
    const bytes = this.pack(this.pending.subarray(0, this.used));
    this.used = 0;
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.descriptor, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw this.cannot(error);
      }
    }
  }

  private cannot(error: unknown): UsageError {
    return new UsageError(`${this.file}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Each piece is a member, or a frame, of its own: readers take them one after the other. */
function packerOf(file: string): (bytes: Uint8Array) => Uint8Array {
  if (file.endsWith('.gz')) return (bytes) => zlib.gzipSync(bytes);
  if (!file.endsWith('.zst')) return (bytes) => bytes;
  // From Node 22.15 on.
  const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Uint8Array) => Uint8Array };
  if (zstdCompressSync !== undefined) return (bytes) => zstdCompressSync(bytes);
  process.stderr.write(
    `faultline: ${file}: this Node (${process.version}) cannot compress zstd; the file is zstd all the same, as large as it would be without\n`,
  );
  return storedFrame;
}

const BLOCK_BYTES = 2 ** 17;

/** A zstd frame of blocks that are not compressed (RFC 8878, 3.1.1). */
function storedFrame(bytes: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / BLOCK_BYTES));
  const frame = new Uint8Array(9 + 3 * blocks + bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  // A single segment, whose size stands in the next four bytes.
  frame[4] = 0xa0;
  view.setUint32(5, bytes.length, true);
  let to = 9;
  for (let block = 0; block < blocks; block++) {
    const part = bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    const header = (part.length << 3) | (block === blocks - 1 ? 1 : 0);
    frame.set([header & 0xff, (header >> 8) & 0xff, header >> 16], to);
    frame.set(part, to + 3);
    to += 3 + part.length;
  }
  return frame;
}
