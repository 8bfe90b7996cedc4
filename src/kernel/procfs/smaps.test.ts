import { expect, it } from 'vitest';
import { fc } from '../../../test/property.ts';
import { MADV_DONTNEED, MADV_PAGEOUT, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED } from '../../abi/mman.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { exitSpace } from '../../mm/ops/exit.ts';
import { dupSpace } from '../../mm/ops/fork.ts';
import { madvise } from '../../mm/ops/madvise.ts';
import { mmap } from '../../mm/ops/mmap.ts';
import { munmap } from '../../mm/ops/munmap.ts';
import { createTestMachine, type TestFile } from '../../mm/testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../../mm/user-access.ts';
import { PSS_UNIT, sizesOfSpace } from './smaps.ts';

const BASE = 0x2000000;
const PAGES = 24;
const FILE_PAGES = 16;
const SPACES = 5;

const page = fc.nat(PAGES - 1);
const size = fc.integer({ min: 1, max: 8 });
const KINDS = [
  'private',
  'shared',
  'file',
  'sharedFile',
  'write',
  'read',
  'unmap',
  'drop',
  'out',
  'fork',
  'exit',
] as const;
const step = fc.record({
  kind: fc.constantFrom(...KINDS, 'write', 'write', 'read', 'fork'),
  page,
  size,
  who: fc.nat(SPACES - 1),
});

/** Frames that some entry maps, the pages of zeroes apart; and how often all together. */
function mapped({ frames, zeroPage }: MemoryManager): { frames: number; times: number; pss: number } {
  const sum = { frames: 0, times: 0, pss: 0 };
  for (let frame = 0; frame < frames.frameCount; frame++) {
    const times = frames.mapcount[frame];
    if (times <= 0 || frame === zeroPage) continue;
    sum.frames++;
    sum.times += times;
    sum.pss += times * Math.floor((PAGE_SIZE * PSS_UNIT) / times);
  }
  return sum;
}

function act(
  mm: MemoryManager,
  spaces: AddressSpace[],
  file: TestFile,
  move: { kind: string; page: number; size: number; who: number },
) {
  const space = spaces[move.who % spaces.length];
  const at = BASE + move.page * PAGE_SIZE;
  const lengthBytes = Math.min(move.size, PAGES - move.page) * PAGE_SIZE;
  const map = (flags: number, offset: number): void => {
    const isFile = (flags & MAP_ANONYMOUS) === 0;
    mmap(mm, space, {
      address: at,
      lengthBytes,
      prot: 3,
      flags: flags | MAP_FIXED,
      file: isFile ? file : null,
      offsetBytes: isFile ? offset : 0,
    });
  };
  const fileOffset = (move.page % (FILE_PAGES - 8)) * PAGE_SIZE;
  switch (move.kind) {
    case 'private':
      return map(MAP_PRIVATE | MAP_ANONYMOUS, 0);
    case 'shared':
      return map(MAP_SHARED | MAP_ANONYMOUS, 0);
    case 'file':
      return map(MAP_PRIVATE, fileOffset);
    case 'sharedFile':
      return map(MAP_SHARED, fileOffset);
    case 'write':
      for (let i = 0; i < lengthBytes; i += PAGE_SIZE) copyToUser(mm, space, at + i, Uint8Array.of(move.size));
      return;
    case 'read':
      copyFromUser(mm, space, at, new Uint8Array(lengthBytes));
      return;
    case 'unmap':
      munmap(mm, space, at, lengthBytes);
      return;
    case 'drop':
      madvise(mm, space, at, lengthBytes, MADV_DONTNEED);
      return;
    case 'out':
      madvise(mm, space, at, lengthBytes, MADV_PAGEOUT);
      return;
    case 'fork': {
      if (spaces.length === SPACES) return;
      const child = dupSpace(mm, space);
      if (typeof child !== 'number') spaces.push(child);
      return;
    }
    default:
      if (spaces.length > 1) exitSpace(mm, spaces.splice(spaces.indexOf(space), 1)[0]);
  }
}

it('shares out each mapped frame: all Pss together are the frames, after each step of a random walk', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }), (steps) => {
      const machine = createTestMachine({ ramMiB: 4 });
      const { mm } = machine;
      const file = machine.createFile(new Uint8Array(FILE_PAGES * PAGE_SIZE).fill(7));
      const spaces = [machine.createSpace()];
      act(mm, spaces, file, { kind: 'private', page: 0, size: PAGES, who: 0 });
      for (const each of steps) {
        act(mm, spaces, file, each);
        const total = { rss: 0, pss: 0, parts: 0, kinds: 0 };
        for (const space of spaces) {
          const sizes = sizesOfSpace(mm, space);
          expect(sizes.rss).toBe(space.rssPages * PAGE_SIZE);
          total.rss += sizes.rss;
          total.pss += sizes.pss;
          total.kinds += sizes.pssAnon + sizes.pssFile + sizes.pssShmem;
          total.parts += sizes.sharedClean + sizes.sharedDirty + sizes.privateClean + sizes.privateDirty;
        }
        const { frames, times, pss } = mapped(mm);
        expect([total.rss, total.parts]).toEqual([times * PAGE_SIZE, times * PAGE_SIZE]);
        expect([total.pss, total.kinds]).toEqual([pss, pss]);
        // What is lost in dividing is less than a unit for each time that a frame is mapped.
        expect(frames * PAGE_SIZE * PSS_UNIT - pss).toBeLessThanOrEqual(times);
      }
      for (const space of spaces) exitSpace(mm, space);
      file.release();
    }),
    { numRuns: 40, seed: 20260 },
  );
});
