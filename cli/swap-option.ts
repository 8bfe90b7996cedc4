import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { SwapSource } from '../src/index.ts';
import { parseSize } from './size.ts';

const ZRAM = 'zram:';

/** `64M` and `zram:64M` are sizes; anything else is a host file (one that is called like a size: `./64M`). */
export function parseSwap(text: string): SwapSource {
  if (text.startsWith(ZRAM)) {
    const zramBytes = parseSize(text.slice(ZRAM.length));
    if (zramBytes === null) throw new InvalidArgumentError('write a size behind zram: such as zram:64M.');
    return { zramBytes };
  }
  const sizeBytes = parseSize(text);
  return sizeBytes === null ? { host: resolve(text) } : { sizeBytes };
}
