import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CHUNK_HEAD_BYTES, CHUNK_SUM_BYTES, type ChunkType, chunkSum, SIGNATURE } from './recording-format.ts';
import { UsageError } from './usage-error.ts';

export interface Chunk {
  readonly type: string;
  readonly payload: Buffer;
  /** Offset behind it. */
  readonly next: number;
}

/** A file up to so many bytes is kept in memory; of a larger one the parts that are asked for are read. */
const WHOLE_BYTES = 2 ** 24;

/** Chunks of a recording by their offsets. Each is checked when it is read. */
export class ChunkReader {
  readonly size: number;
  private readonly descriptor: number;
  /** null: the file stays open instead. */
  private readonly whole: Buffer | null;
  private readonly onDamage: (why: string) => void;
  /** Has somebody been told of damage? */
  isDamaged = false;

  /** Throws UsageError if the file is no recording. `onDamage` is told of the first damage that is met. */
  constructor(file: string, onDamage: (why: string) => void) {
    this.onDamage = onDamage;
    try {
      this.descriptor = openSync(file, 'r');
      this.size = fstatSync(this.descriptor).size;
      const isSmall = this.size <= WHOLE_BYTES;
      this.whole = isSmall ? readAt(this.descriptor, 0, this.size) : null;
      const start = this.bytes(0, SIGNATURE.length);
      if (isSmall) closeSync(this.descriptor);
      if (start?.equals(SIGNATURE) === true) return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new UsageError(code === 'ENOENT' ? `${file}: there is no such file` : `${file}: cannot be read (${code})`);
    }
    throw new UsageError(`${file}: is no recording; \`faultline record -o ${file} PROGRAM\` makes one`);
  }

  /** null: it is damaged, or cut off, or there is none. */
  read(offset: number): Chunk | null {
    const chunk = this.peek(offset);
    if (chunk === null)
      this.tell(
        this.isCut(offset)
          ? `the file ends in the middle, at byte ${this.size}`
          : `the file is damaged at byte ${offset}`,
      );
    return chunk;
  }

  /** The payload of the chunk there, which must be of the type. */
  readAs(type: ChunkType, offset: number): Buffer | null {
    const chunk = this.read(offset);
    if (chunk === null || chunk.type === type) return chunk?.payload ?? null;
    this.tell(`the file is damaged at byte ${offset}`);
    return null;
  }

  /** As read, but nobody is told. */
  peek(offset: number): Chunk | null {
    const head = this.bytes(offset, CHUNK_HEAD_BYTES);
    if (head === null) return null;
    const length = head.readUInt32LE(4);
    const payload = this.bytes(offset + CHUNK_HEAD_BYTES, length + CHUNK_SUM_BYTES);
    if (payload === null) return null;
    const type = head.subarray(0, 4);
    if (chunkSum(type, payload.subarray(0, length)) !== payload.readUInt32LE(length)) return null;
    const next = offset + CHUNK_HEAD_BYTES + length + CHUNK_SUM_BYTES;
    return { type: type.toString('latin1'), payload: payload.subarray(0, length), next };
  }

  /** Says once that something is missing. */
  tell(why: string): void {
    if (this.isDamaged) return;
    this.isDamaged = true;
    this.onDamage(why);
  }

  private isCut(offset: number): boolean {
    const head = this.bytes(offset, CHUNK_HEAD_BYTES);
    return head === null || offset + CHUNK_HEAD_BYTES + head.readUInt32LE(4) + CHUNK_SUM_BYTES > this.size;
  }

  private bytes(offset: number, length: number): Buffer | null {
    if (!(offset >= 0 && offset + length <= this.size)) return null;
    return this.whole?.subarray(offset, offset + length) ?? readAt(this.descriptor, offset, length);
  }
}

/** In memory of its own, so that words in it stand at multiples of 4. */
function readAt(descriptor: number, offset: number, length: number): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(length));
  for (let at = 0; at < length; ) {
    const count = readSync(descriptor, bytes, at, length - at, offset + at);
    if (count === 0) throw Object.assign(new Error('the file became shorter'), { code: 'EIO' });
    at += count;
  }
  return bytes;
}
