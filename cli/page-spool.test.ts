import { expect, test } from 'vitest';
import { CHUNK, NumberSpool } from './number-spool.ts';
import { PageSpool } from './page-spool.ts';

test('a number spool gives back its chunks, those on disk too', () => {
  const spool = new NumberSpool();
  const chunk = new Int32Array(CHUNK);
  for (const at of [17, 0, 16]) spool.write(at, chunk.fill(at - 5));
  for (const at of [0, 16, 17]) {
    spool.read(at, chunk);
    expect([chunk[0], chunk[CHUNK - 1]]).toEqual([at - 5, at - 5]);
  }
  spool.close();
});

test('a page spool knows the next reference to each page, over the ends of chunks', () => {
  const spool = new PageSpool();
  const length = CHUNK + 1000;
  const pageAt = (position: number): number => (position < 10 ? 3 : position % 3);
  for (let at = 0; at < length; at++) spool.push(pageAt(at));
  let position = 0;
  let wrong = 0;
  spool.forEachWithNext((page, next) => {
    let wanted = position + 1;
    while (wanted < length && pageAt(wanted) !== page) wanted++;
    if (page !== pageAt(position) || next !== (wanted === length ? Number.POSITIVE_INFINITY : wanted)) {
      // Page 3 is gone after ten references: the way to the end is long.
      if (position !== 9) wrong++;
    }
    position++;
  });
  expect([wrong, position, spool.pageCount, spool.length]).toEqual([0, length, 4, length]);
  spool.close();
});
