import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './usage-error.ts';

/** Numbers of a chunk; 4 MiB. */
export const CHUNK = 1 << 20;
/** Chunks that stay in memory: 64 MiB. */
const CHUNKS_IN_MEMORY = 16;

/**
 * A long row of 32-bit numbers, to be gone through as often as one likes: a part in memory, and what is more in a temporary file, which is
 * gone when this is closed.
 */
export class NumberSpool {
  length = 0;
  private readonly kept: Int32Array[] = [];
  private readonly current = new Int32Array(CHUNK);
  private folder: string | null = null;
  private descriptor = -1;

  /** One more at the end. */
  push(number: number): void {
    const at = this.length++ & (CHUNK - 1);
    this.current[at] = number;
    if (at === CHUNK - 1) this.write(this.length / CHUNK - 1, this.current);
  }

  get chunkCount(): number {
    return Math.ceil(this.length / CHUNK);
  }

  /** Of a row that was pushed: a chunk, CHUNK numbers long but for the last one; `buffer` may be used for it. */
  chunk(at: number, buffer: Int32Array): Int32Array {
    const inCurrent = this.length & (CHUNK - 1);
    if (at === this.chunkCount - 1 && inCurrent > 0) return this.current.subarray(0, inCurrent);
    this.read(at, buffer);
    return buffer;
  }

  /** In place of push: whole chunks, in any order. */
  write(at: number, chunk: Int32Array): void {
    if (at < CHUNKS_IN_MEMORY) this.kept[at] = chunk.slice();
    else this.transfer(at, chunk, 'write');
  }

  /** Reads as many numbers as `chunk` takes. */
  read(at: number, chunk: Int32Array): void {
    if (at < CHUNKS_IN_MEMORY) chunk.set(this.kept[at].subarray(0, chunk.length));
    else this.transfer(at, chunk, 'read');
  }

  close(): void {
    this.kept.length = 0;
    if (this.folder === null) return;
    closeSync(this.descriptor);
    rmSync(this.folder, { recursive: true, force: true });
    this.folder = null;
  }

  private transfer(at: number, chunk: Int32Array, what: 'read' | 'write'): void {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const start = (at - CHUNKS_IN_MEMORY) * CHUNK * 4;
    try {
      if (this.folder === null) {
        this.folder = mkdtempSync(join(tmpdir(), 'faultline-trace-'));
        this.descriptor = openSync(join(this.folder, 'spool'), 'w+');
      }
      for (let done = 0; done < bytes.length; ) {
        const left = bytes.length - done;
        const count =
          what === 'read'
            ? readSync(this.descriptor, bytes, done, left, start + done)
            : writeSync(this.descriptor, bytes, done, left, start + done);
        if (count === 0) throw new Error('its end came too early');
        done += count;
      }
    } catch (error) {
      throw new UsageError(`the temporary file in ${tmpdir()} cannot be used: ${(error as Error).message}`);
    }
  }
}
