import { expect, test } from 'vitest';
import { addNs, compareTimespec, timespecOfNs } from './timespec.ts';

test("keeps single nanoseconds at today's dates", () => {
  const start = { seconds: 1_767_225_600, nanoseconds: 999_999_999 };
  expect(addNs(start, 1)).toEqual({ seconds: 1_767_225_601, nanoseconds: 0 });
  expect(addNs(start, 2_000_000_003.7)).toEqual({ seconds: 1_767_225_603, nanoseconds: 2 });
});

test('orders by seconds, then nanoseconds', () => {
  expect(compareTimespec({ seconds: 1, nanoseconds: 5 }, { seconds: 1, nanoseconds: 6 })).toBeLessThan(0);
  expect(compareTimespec({ seconds: 2, nanoseconds: 0 }, { seconds: 1, nanoseconds: 6 })).toBeGreaterThan(0);
});

test('times before the epoch have positive nanoseconds', () => {
  expect(timespecOfNs(-1)).toEqual({ seconds: -1, nanoseconds: 999_999_999 });
});
