import { describe, expect, it } from 'vitest';
import { parseInject } from './inject-option.ts';

describe('--inject', () => {
  it('takes a probability for each thing that may fail', () => {
    expect(parseInject('frames=0.01,slab=.5,disk-read=1,disk-write=0,swap-full')).toEqual({
      frames: 0.01,
      slab: 0.5,
      diskRead: 1,
      diskWrite: 0,
      swap: 'full',
    });
    expect(parseInject('swap-full')).toEqual({ swap: 'full' });
    expect(parseInject('frames=1e-4')).toEqual({ frames: 1e-4 });
  });

  it.each([
    ['', /nothing that can fail/],
    ['pages=0.1', /'pages=0.1' is nothing that can fail/],
    ['frames', /write a list/],
    ['frames=', /write a list/],
    ['frames=x', /write a list/],
    ['frames=-0.1', /write a list/],
    ['disk-read=1.5', /write a list/],
    ['frames=0.1=0.2', /write a list/],
    ['frames=0.1,frames=0.2', /twice/],
    ['swap-full,swap-full', /nothing that can fail/],
    ['slab=1', /must not always fail/],
    ['swap-full=1', /nothing that can fail/],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseInject(text)).toThrow(message);
  });
});
