import * as zlib from 'node:zlib';
import type { Decompress } from '../src/index.ts';

/** zstd is there from Node 22.15 on. */
type Zstd = { readonly zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array };

/** Compressed sections of ELF files by Node's zlib. */
export const decompressSection: Decompress = (format, bytes, sizeBytes) => {
  const { zstdDecompressSync } = zlib as Zstd;
  try {
    const unpacked = format === 'zlib' ? zlib.inflateSync(bytes) : zstdDecompressSync?.(bytes);
    return unpacked !== undefined && unpacked.length === sizeBytes ? unpacked : null;
  } catch {
    return null;
  }
};
