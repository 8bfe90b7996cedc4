import { expect, it } from 'vitest';
import { BufferSink } from '../../base/io.ts';
import { PAGE_SIZE, type Pfn } from '../../machine/units.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { cacheStat, dropRange, readAheadRange } from './advice.ts';
import { readInto } from './file-io.ts';

const PAGES = 400;

function setUp() {
  const { mm, createFile } = createTestMachine();
  const file = createFile(new Uint8Array(PAGES * PAGE_SIZE).fill(3));
  const { pageCache } = mm;
  return { pageCache, file, pages: file.pages, cached: () => cacheStat(pageCache, file.pages, 0, PAGES).cached };
}

it('reads ahead what is missing, as much as one request takes, and no further than the file goes', () => {
  const { pageCache, file, pages, cached } = setUp();
  readAheadRange(pageCache, pages, 5, 8);
  expect([cached(), pages.pages.next(0, 'any')]).toEqual([3, 5]);
  readAheadRange(pageCache, pages, 0, 1000);
  expect(cached()).toBe(320);
  readAheadRange(pageCache, pages, 390, 1000);
  expect(cached()).toBe(330);
  file.release();
});

it('drops whole pages, written first, but not those that are in use', () => {
  const { pageCache, file, pages, cached } = setUp();
  readAheadRange(pageCache, pages, 0, 10);
  const frame = pages.findPage(4);
  pageCache.markDirty(frame as Pfn);
  expect(cacheStat(pageCache, pages, 0, PAGES)).toEqual({ cached: 10, dirty: 1, writeback: 0 });
  dropRange(pageCache, pages, 1, 3 * PAGE_SIZE - 1, PAGE_SIZE);
  expect([cached(), pages.findPage(1)]).toEqual([9, -1]);
  pageCache.allocator.getFrame(pages.findPage(6) as Pfn);
  dropRange(pageCache, pages, 0, Number.MAX_SAFE_INTEGER, PAGE_SIZE);
  expect([cached(), cacheStat(pageCache, pages, 0, PAGES).dirty]).toEqual([1, 0]);
  pageCache.allocator.putFrame(pages.findPage(6) as Pfn);
  file.release();
});

it('reads more or nothing ahead as the file is said to be read', () => {
  for (const [mode, expected] of [
    ['sequential', [4, 12, 28, 60]],
    ['double', [4, 12, 28, 60]],
    ['none', [1, 2, 3, 4]],
  ] as const) {
    const { pageCache, file, pages, cached } = setUp();
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      readInto(pageCache, pages, cached() * PAGE_SIZE, new BufferSink(1), mode);
      seen.push(cached());
    }
    expect(seen).toEqual(expected);
    if (mode !== 'none') {
      readInto(pageCache, pages, cached() * PAGE_SIZE, new BufferSink(1), mode);
      expect(cached()).toBe(mode === 'double' ? 60 + 64 : 60 + 32);
    }
    file.release();
  }
});
