import { resolve } from 'node:path';
import { parseSize } from './size.ts';

/** What `--swap` asks for. */
export type SwapOption = { readonly sizeBytes: number } | { readonly host: string };

/** `64M` is a size; anything else is a host file (one that is called like a size: `./64M`). */
export function parseSwap(text: string): SwapOption {
  const sizeBytes = parseSize(text);
  return sizeBytes === null ? { host: resolve(text) } : { sizeBytes };
}
