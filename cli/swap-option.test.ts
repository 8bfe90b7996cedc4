import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSwap } from './swap-option.ts';

describe('--swap', () => {
  it('takes a size or a file', () => {
    expect(parseSwap('64M')).toEqual({ sizeBytes: 64 * 2 ** 20 });
    expect(parseSwap('./64M')).toEqual({ host: resolve('64M') });
    expect(parseSwap('/var/swap')).toEqual({ host: '/var/swap' });
  });
});
