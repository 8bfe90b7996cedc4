import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSwap } from './swap-option.ts';

describe('--swap', () => {
  it('takes the size of a compressed area', () => {
    expect(parseSwap('zram:64M')).toEqual({ zramBytes: 64 * 2 ** 20 });
    expect(parseSwap('./zram:64M')).toEqual({ host: resolve('zram:64M') });
    expect(() => parseSwap('zram:much')).toThrow('write a size behind zram: such as zram:64M.');
  });

  it('takes a size or a file', () => {
    expect(parseSwap('64M')).toEqual({ sizeBytes: 64 * 2 ** 20 });
    expect(parseSwap('./64M')).toEqual({ host: resolve('64M') });
    expect(parseSwap('/var/swap')).toEqual({ host: '/var/swap' });
  });
});
