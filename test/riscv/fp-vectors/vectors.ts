import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

// Reads the floating-point vectors that generate.c writes: what qemu-riscv64 answers, an implementation that shares no code
// with ours. vectors.bin.gz is `generate 20261121 5800`, so that the tests need neither qemu nor a cross compiler.
export interface FpVector {
  readonly operation: number;
  readonly rm: number;
  readonly flags: number;
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
  readonly result: bigint;
}

const RECORD_BYTES = 36;
const FOLDER = new URL('.', import.meta.url).pathname;

function parse(bytes: Uint8Array): FpVector[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vectors: FpVector[] = [];
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
    vectors.push({
      operation: bytes[at],
      rm: bytes[at + 1],
      flags: bytes[at + 2],
      a: view.getBigUint64(at + 4, true),
      b: view.getBigUint64(at + 12, true),
      c: view.getBigUint64(at + 20, true),
      result: view.getBigUint64(at + 28, true),
    });
  }
  return vectors;
}

export function committedVectors(): FpVector[] {
  return parse(gunzipSync(readFileSync(join(FOLDER, 'vectors.bin.gz'))));
}

/** Runs generate.c under qemu-riscv64; null where the cross compiler or qemu is not installed. */
export function generateVectors(seed: number, count: number): FpVector[] | null {
  const scratch = mkdtempSync(join(tmpdir(), 'faultline-fp-'));
  try {
    const program = join(scratch, 'generate');
    execFileSync('riscv64-linux-gnu-gcc', ['-O1', '-w', '-static', join(FOLDER, 'generate.c'), '-o', program]);
    const output = execFileSync('qemu-riscv64', [program, String(seed), String(count)], {
      maxBuffer: count * RECORD_BYTES + 1024,
    });
    return parse(output);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
