import { describe, expect, it } from 'vitest';
import { Rng } from '../../base/rng.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { mmap } from '../ops/mmap.ts';
import { munmap } from '../ops/munmap.ts';
import { createTestMachine } from '../testing/test-machine.ts';
import { UserIo } from '../user-io.ts';
import { readInto, writeFrom } from './file-io.ts';
import { wholePages } from './page-run.ts';

const AT = 0x40000000;
const PAGES = 24;

type Way = 'runs' | 'pages';

/** A machine with a program's memory (a hole, a page that cannot be written, a mapping of the file itself) and two files. */
function world(way: Way) {
  const machine = createTestMachine({ ramMiB: 4 });
  const { mm } = machine;
  const space = machine.createSpace();
  const file = machine.createFile(
    Uint8Array.from({ length: PAGES * PAGE_SIZE - 77 }, (_, i) => (i * 7 + (i >>> 9)) & 255),
  );
  const shmem = mm.pageCache.createFile(null);
  const map = (page: number, pages: number, prot: number, of: typeof file | null): void => {
    const result = mmap(mm, space, {
      address: AT + page * PAGE_SIZE,
      lengthBytes: pages * PAGE_SIZE,
      prot,
      flags: of === null ? 0x32 : 0x11,
      file: of,
      offsetBytes: of === null ? 0 : 4 * PAGE_SIZE,
    });
    expect(result).toBe(AT + page * PAGE_SIZE);
  };
  map(0, 12, 3, null);
  map(12, 4, 3, file);
  map(16, 8, 3, null);
  munmap(mm, space, AT + 18 * PAGE_SIZE, PAGE_SIZE);
  const io = (address: number, lengthBytes: number): UserIo => {
    const half = Math.floor(lengthBytes / 2);
    const made = new UserIo(mm, space, [
      { address, lengthBytes: half },
      { address: address + half, lengthBytes: lengthBytes - half },
    ]);
    if (way === 'pages') Object.assign(made, { copyPresent: undefined, fillPresent: undefined });
    return made;
  };
  return { mm, file, shmem, io, space };
}

describe('runs of pages', () => {
  it('end with a page, or where all is moved', () => {
    expect(wholePages(5000, 0, 5000)).toBe(5000);
    expect(wholePages(5000, 0, 6000)).toBe(4096);
    expect(wholePages(5000, 100, 6000)).toBe(3996);
    expect(wholePages(50, 100, 6000)).toBe(0);
  });

  it('move what moving page by page does, and leave everything as that does', () => {
    const [runs, pages] = [world('runs'), world('pages')];
    const rng = new Rng(3);
    for (let i = 0; i < 500; i++) {
      const position = rng.below(PAGES * PAGE_SIZE);
      const address = AT + (rng.below(2) === 0 ? rng.below(PAGES) * PAGE_SIZE : rng.below(PAGES * PAGE_SIZE));
      const length = rng.below(8 * PAGE_SIZE);
      const how = rng.below(4);
      const drop = rng.below(50) === 0;
      const results = [runs, pages].map(({ mm, file, shmem, io }) => {
        if (drop) mm.pageCache.writeback(file.pages);
        const move = how < 2 ? readInto : writeFrom;
        return move(mm.pageCache, how % 2 === 0 ? file.pages : shmem, position, io(address, length));
      });
      expect(results[0], `${i}`).toBe(results[1]);
    }
    const [a, b] = [runs, pages].map(({ mm, file, shmem }) => ({
      stat: { ...mm.alloc.stat },
      lru: [...mm.alloc.lru.sizes],
      flags: [...mm.frames.flags],
      references: [...mm.frames.refcount],
      sizes: [file.sizeBytes, shmem.sizeBytes],
      disk: Buffer.from(file.disk).toString('base64'),
    }));
    expect(a).toEqual(b);
    expect(Buffer.compare(runs.mm.ram.u8, pages.mm.ram.u8)).toBe(0);
    expect(a.stat.nr_dirtied).toBeGreaterThan(10);
  });
});
