import { describe, expect, it } from 'vitest';
import { parseHugepages } from './hugepages-option.ts';

describe('--hugepages', () => {
  it('takes sizes with counts, and a count alone', () => {
    expect(parseHugepages('2M=16,1G=1')).toEqual([
      { sizeBytes: 2 ** 21, count: 16 },
      { sizeBytes: 2 ** 30, count: 1 },
    ]);
    expect(parseHugepages('3')).toEqual([{ sizeBytes: 2 ** 21, count: 3 }]);
  });

  it.each(['', '4M=1', '2M=', '2M=-1', '2M=x', '2M=1.5', '2M=1,,'])('says what to write for %j', (text) => {
    expect(() => parseHugepages(text)).toThrow(/write sizes and counts/);
  });
});
