import { expect, test } from 'vitest';
import { EVENT_KINDS } from '../src/index.ts';
import { nearestEvents, parseEventNames } from './event-names.ts';

const namesOf = (kinds: readonly number[]): string[] => kinds.map((kind) => EVENT_KINDS[kind].name);

test('takes names with and without their group', () => {
  expect(namesOf(parseEventNames('--trace', 'page_fault, kmem:mm_page_free'))).toEqual([
    'faultline:page_fault',
    'kmem:mm_page_free',
  ]);
});

test('says which names are near to one that is none', () => {
  expect(nearestEvents('page_falut')[0]).toBe('page_fault');
  expect(nearestEvents('faultline:cow_cpy')[0]).toBe('cow_copy');
  expect(nearestEvents('swap')).toEqual(expect.arrayContaining(['swap_out']));
  expect(() => parseEventNames('--kind', 'swap_inn')).toThrow(
    /^--kind swap_inn: swap_inn is no event; near to it: swap_in, .*docs\/events\.md\)$/,
  );
});
