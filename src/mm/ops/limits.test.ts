import { describe, expect, it } from 'vitest';
import { EACCES, EAGAIN, EEXIST, EINVAL, ENODEV, ENOMEM, EOVERFLOW, EPERM } from '../../abi/errno.ts';
import { PAGE_SIZE, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { pickMmapLayout } from '../layout.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { createTestMachine, type TestFile } from '../testing/test-machine.ts';
import { copyFromUser, copyToUser } from '../user-access.ts';
import { madvise } from './madvise.ts';
import { mincore } from './mincore.ts';
import { mlock, mlockall, munlockall } from './mlock.ts';
import { mmap } from './mmap.ts';
import { mprotect } from './mprotect.ts';
import { munmap } from './munmap.ts';

const AT = 0x40000000;

function map(
  mm: MemoryManager,
  space: AddressSpace,
  options: {
    at?: number;
    pages?: number;
    bytes?: number;
    prot?: number;
    flags?: number;
    file?: TestFile | null;
    offset?: number;
  },
): number {
  return mmap(mm, space, {
    address: options.at ?? 0,
    lengthBytes: options.bytes ?? (options.pages ?? 1) * PAGE_SIZE,
    prot: options.prot ?? 3,
    flags: options.flags ?? 0x22,
    file: options.file ?? null,
    offsetBytes: options.offset ?? 0,
  });
}

describe('mmap: arguments and limits in the order of do_mmap', () => {
  it('refuses as Linux does', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    const file = createFile(new Uint8Array(PAGE_SIZE));
    const readOnly = createFile(new Uint8Array(PAGE_SIZE), { writable: false });
    const writeOnly = createFile(new Uint8Array(PAGE_SIZE), { readable: false });
    const noExec = createFile(new Uint8Array(PAGE_SIZE), { noExec: true });
    const none = createFile(new Uint8Array(PAGE_SIZE), { mapKind: 'none' });
    expect(map(mm, space, { bytes: 0 })).toBe(-EINVAL);
    expect(map(mm, space, { offset: 1, flags: 2, file })).toBe(-EINVAL);
    expect(map(mm, space, { flags: 0x20 })).toBe(-EINVAL);
    expect(map(mm, space, { flags: 0x23 })).toBe(-EINVAL);
    expect(map(mm, space, { flags: 0x121 })).toBe(-EINVAL);
    expect(map(mm, space, { flags: 0x102, file })).toBe(-EINVAL);
    expect(map(mm, space, { bytes: 2 ** 40 })).toBe(-ENOMEM);
    expect(map(mm, space, { at: 2 ** 38 - PAGE_SIZE, pages: 2, flags: 0x32 })).toBe(-ENOMEM);
    expect(map(mm, space, { at: AT + 1, flags: 0x32 })).toBe(-EINVAL);
    expect(map(mm, space, { flags: 2, file, offset: 2 ** 63 - PAGE_SIZE })).toBe(-EOVERFLOW);
    expect(map(mm, space, { flags: 1, file: readOnly })).toBe(-EACCES);
    expect(map(mm, space, { flags: 2, file: writeOnly })).toBe(-EACCES);
    expect(map(mm, space, { flags: 2, prot: 5, file: noExec })).toBe(-EPERM);
    expect(map(mm, space, { flags: 2, file: none })).toBe(-ENODEV);
    expect(map(mm, space, { at: AT, flags: 0x32 })).toBe(AT);
    expect(map(mm, space, { at: AT, flags: 0x100022 })).toBe(-EEXIST);
    const noExecAt = map(mm, space, { flags: 2, prot: 1, file: noExec });
    expect(mprotect(mm, space, noExecAt, PAGE_SIZE, 5)).toBe(-EACCES);
    space.limits.mayMapLow = false;
    expect(map(mm, space, { at: 0, flags: 0x32 })).toBe(-EPERM);
  });

  it('obeys RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK and the map count; what was there stays', () => {
    const { mm, createSpace } = createTestMachine({ config: { maxMapCount: 5 } });
    const space = createSpace();
    map(mm, space, { at: AT, pages: 4, flags: 0x32 });
    space.limits.asBytes = 6 * PAGE_SIZE;
    expect(map(mm, space, { pages: 3 })).toBe(-ENOMEM);
    expect(map(mm, space, { at: AT, pages: 6, flags: 0x32 })).toBe(AT);
    space.limits.asBytes = Number.POSITIVE_INFINITY;
    space.limits.dataBytes = 6 * PAGE_SIZE;
    expect(map(mm, space, {})).toBe(-ENOMEM);
    const readOnly = map(mm, space, { prot: 1 });
    expect(mprotect(mm, space, readOnly, PAGE_SIZE, 3)).toBe(-ENOMEM);
    space.limits.dataBytes = Number.POSITIVE_INFINITY;
    space.limits.mayIgnoreMemlock = false;
    space.limits.memlockBytes = PAGE_SIZE;
    expect(map(mm, space, { pages: 2, flags: 0x2022 })).toBe(-EAGAIN);
    expect(mlock(mm, space, AT, 2 * PAGE_SIZE, 0)).toBe(-ENOMEM);
    expect(mlock(mm, space, AT, 1, 0)).toBe(0);
    expect(space.rssPages).toBe(1);
    expect(munmap(mm, space, AT + PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(munmap(mm, space, AT + 3 * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(munmap(mm, space, AT + 5 * PAGE_SIZE, PAGE_SIZE)).toBe(0);
    expect(mprotect(mm, space, AT + 2 * PAGE_SIZE, PAGE_SIZE, 1)).toBe(0);
  });

  it('refuses by the commit limit what heuristics call obvious, and by the strict one more', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    const total = mm.alloc.totalCount;
    expect(map(mm, space, { pages: total + 1 })).toBe(-ENOMEM);
    expect(map(mm, space, { pages: total + 1, flags: 0x4022 })).toBeGreaterThan(0);
    expect(map(mm, space, { pages: total + 1, prot: 1 })).toBeGreaterThan(0);
    expect(map(mm, space, { pages: total + 1, flags: 0x21 })).toBe(-ENOMEM);
    mm.config.overcommitMemory = 2;
    expect(map(mm, space, { pages: Math.floor(total / 2), flags: 0x4022 })).toBe(-ENOMEM);
    mm.config.overcommitMemory = 1;
    expect(map(mm, space, { pages: total + 1 })).toBeGreaterThan(0);
  });
});

describe('where mmap puts a mapping', () => {
  it('from the top down below the stack, from a third of the space up in the legacy layout', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    // 128 MiB is the least distance to the stack's top (mmap_base).
    const base = 2 ** 38 - 128 * 2 ** 20;
    expect(map(mm, space, { pages: 2 })).toBe(base - 2 * PAGE_SIZE);
    expect(map(mm, space, { pages: 1, prot: 1 })).toBe(base - 3 * PAGE_SIZE);
    munmap(mm, space, base - 2 * PAGE_SIZE, PAGE_SIZE);
    expect(map(mm, space, { pages: 2, prot: 1 })).toBe(base - 5 * PAGE_SIZE);
    expect(map(mm, space, { pages: 1, prot: 0 })).toBe(base - 2 * PAGE_SIZE);
    const legacy = createSpace();
    legacy.limits.stackBytes = Number.POSITIVE_INFINITY;
    pickMmapLayout(mm, legacy);
    const third = Math.ceil(2 ** 26 / 3) * PAGE_SIZE;
    expect(map(mm, legacy, {})).toBe(third);
    expect(map(mm, legacy, {})).toBe(third + PAGE_SIZE);
  });

  it('falls back to the other direction when there is no room below', () => {
    const { mm, createSpace } = createTestMachine({ config: { overcommitMemory: 1 } });
    const space = createSpace();
    space.mmapBase = vpn(64);
    expect(map(mm, space, { pages: 100 })).toBe(Math.ceil(2 ** 26 / 3) * PAGE_SIZE);
  });

  it('is the same for the same seed and another for another', () => {
    const bases = [0, 1].map(() => {
      const { mm, createSpace } = createTestMachine({ config: { randomizeVaSpace: 2 } });
      const first = map(mm, createSpace(), {});
      return [first, map(mm, createSpace(), {})];
    });
    expect(bases[0]).toEqual(bases[1]);
    expect(bases[0][0]).not.toBe(bases[0][1]);
  });
});

describe('what else is there', () => {
  it('mincore sees mapped and cached pages', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    const resident = (pages: number): [number, Uint8Array] => {
      const vector = new Uint8Array(pages).fill(9);
      const store = (index: number, bytes: Uint8Array): number => {
        vector.set(bytes, index);
        return 0;
      };
      return [mincore(mm, space, AT, pages * PAGE_SIZE, store), vector];
    };
    map(mm, space, { at: AT, pages: 3, flags: 0x32 });
    copyToUser(mm, space, AT + PAGE_SIZE, Uint8Array.of(1));
    expect(resident(3)).toEqual([0, Uint8Array.of(0, 1, 0)]);
    // What lies before the hole is told.
    expect(resident(4)).toEqual([-ENOMEM, Uint8Array.of(0, 1, 0, 9)]);
    const file = createFile(new Uint8Array(3 * PAGE_SIZE));
    map(mm, space, { at: AT, pages: 3, flags: 0x12, file });
    mm.alloc.putFrame(mm.pageCache.ensurePage(file.pages, 2, 'none') as never);
    expect(resident(3)).toEqual([0, Uint8Array.of(0, 0, 1)]);
    expect(madvise(mm, space, AT, 3 * PAGE_SIZE, 3)).toBe(0);
    expect(resident(3)).toEqual([0, Uint8Array.of(1, 1, 1)]);
    copyToUser(mm, space, AT + PAGE_SIZE, Uint8Array.of(1));
    copyFromUser(mm, space, AT + 2 * PAGE_SIZE, new Uint8Array(1));
    // MADV_PAGEOUT: what is mapped here and clean goes from the cache, a copy of the program's own stays.
    expect(madvise(mm, space, AT + PAGE_SIZE, 2 * PAGE_SIZE, 21)).toBe(0);
    expect(resident(3)).toEqual([0, Uint8Array.of(1, 1, 0)]);
  });

  it('mlockall locks what is there and what comes', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    map(mm, space, { pages: 2 });
    expect(mlockall(mm, space, 4)).toBe(-EINVAL);
    expect(mlockall(mm, space, 3)).toBe(0);
    map(mm, space, { pages: 3, prot: 1 });
    expect([space.lockedVm, space.rssPages]).toEqual([5, 2]);
    expect(munlockall(mm, space)).toBe(0);
    expect([space.lockedVm, space.defFlags]).toEqual([0, 0]);
  });
});
