import { describe, expect, it } from 'vitest';
import { ENOMEM } from '../../abi/errno.ts';
import { PAGE_SIZE, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { checkInvariants } from '../invariants.ts';
import { pickMmapLayout, randomizeBrk, randomizeStackTop } from '../layout.ts';
import { commitReserves, type MemoryManager } from '../memory-manager.ts';
import { createTestMachine, type TestFile } from '../testing/test-machine.ts';
import { VM_EXEC } from '../vm-flags.ts';
import { mlock, munlock } from './mlock.ts';
import { mmap } from './mmap.ts';
import { mprotect } from './mprotect.ts';
import { mremap } from './mremap.ts';
import { msync } from './msync.ts';

/** What a task's personality, capabilities and limits permit, where mm alone can be looked at. */

const AT = 0x40000000;
const MAP_FIXED_PRIVATE_ANON = 0x32;

function map(mm: MemoryManager, space: AddressSpace, pages: number, prot = 3, file: TestFile | null = null): number {
  const flags = file === null ? MAP_FIXED_PRIVATE_ANON : 0x12;
  return mmap(mm, space, { address: AT, lengthBytes: pages * PAGE_SIZE, prot, flags, file, offsetBytes: 0 });
}

const isExecutable = (space: AddressSpace): boolean => (space.vmas.find(vpn(AT / PAGE_SIZE))!.flags & VM_EXEC) !== 0;

describe('READ_IMPLIES_EXEC', () => {
  it('makes readable mappings executable, but for files that must not be', () => {
    const { mm, createSpace, createFile } = createTestMachine();
    const space = createSpace();
    space.readImpliesExec = true;
    map(mm, space, 1, 1);
    expect(isExecutable(space)).toBe(true);
    map(mm, space, 1, 2);
    expect(isExecutable(space)).toBe(false);
    expect(mprotect(mm, space, AT, PAGE_SIZE, 1)).toBe(0);
    expect(isExecutable(space)).toBe(true);
    map(mm, space, 1, 1, createFile(new Uint8Array(PAGE_SIZE), { noExec: true }));
    expect(isExecutable(space)).toBe(false);
    expect(mprotect(mm, space, AT, PAGE_SIZE, 3)).toBe(0);
    expect(isExecutable(space)).toBe(false);
  });
});

describe('layout of a program', () => {
  it('is the same each time without randomisation, whatever the machine does', () => {
    const { mm, createSpace } = createTestMachine({ config: { randomizeVaSpace: 2 } });
    const places = [0, 0, 2].map((level) => {
      const space = createSpace();
      space.randomizeVaSpace = level as 0 | 2;
      pickMmapLayout(mm, space);
      return [space.mmapBase, randomizeStackTop(mm, space), randomizeBrk(mm, space, AT as never)];
    });
    expect(places[0]).toEqual(places[1]);
    expect(places[2].every((place, at) => place !== places[0][at])).toBe(true);
  });

  it('goes from the bottom up with ADDR_COMPAT_LAYOUT', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    space.wantsLegacyLayout = true;
    pickMmapLayout(mm, space);
    expect([space.layout, space.mmapBase]).toEqual(['legacy', mm.config.layout.unmappedBase]);
  });
});

describe('limits', () => {
  it('takes the hard RLIMIT_DATA where the soft one is 0', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    space.limits.dataBytes = 0;
    expect(map(mm, space, 4)).toBe(AT);
    space.limits.dataMaxBytes = 4 * PAGE_SIZE;
    expect(mremap(mm, space, AT, 4 * PAGE_SIZE, 5 * PAGE_SIZE, 1, 0)).toBe(-ENOMEM);
  });

  it('keeps the reserves in mode 2: one for CAP_SYS_ADMIN, one from each process', () => {
    const { mm, createSpace } = createTestMachine({ config: { overcommitMemory: 2, overcommitKbytes: 4000 } });
    const space = createSpace();
    expect(mm.commitLimitPages).toBe(1000);
    mm.config.adminReserveKbytes = 2000;
    space.limits.mayUseReserve = false;
    expect(map(mm, space, 600)).toBe(-ENOMEM);
    space.limits.mayUseReserve = true;
    expect(map(mm, space, 600)).toBe(AT);
    mm.config.userReserveKbytes = 4;
    // A 32nd of 600 pages would be 18, the reserve is one page; and the limit itself is not reached.
    expect(mremap(mm, space, AT, 600 * PAGE_SIZE, 999 * PAGE_SIZE, 1, 0)).toBe(-ENOMEM);
    expect(mremap(mm, space, AT, 600 * PAGE_SIZE, 998 * PAGE_SIZE, 1, 0)).toBeGreaterThan(0);
    expect(commitReserves(1 << 20)).toEqual({ adminReserveKbytes: 8192, userReserveKbytes: 131_072 });
    expect(commitReserves(8192)).toEqual({ adminReserveKbytes: 1024, userReserveKbytes: 1024 });
  });

  it('wraps the last page of lengths to nothing in mlock, munlock and msync', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    map(mm, space, 1);
    for (const result of [
      mlock(mm, space, AT, 2 ** 64, 0),
      munlock(mm, space, AT, 2 ** 64),
      msync(mm, space, AT, 2 ** 64, 4),
    ])
      expect(result).toBe(0);
    expect(space.lockedVm).toBe(0);
  });

  it('counts locked pages twice that MREMAP_DONTUNMAP left behind, as 6.18 does', () => {
    const { mm, createSpace } = createTestMachine();
    const space = createSpace();
    map(mm, space, 2);
    mlock(mm, space, AT, 2 * PAGE_SIZE, 0);
    expect(mremap(mm, space, AT, 2 * PAGE_SIZE, 2 * PAGE_SIZE, 7, AT * 2)).toBe(AT * 2);
    expect([space.lockedVm, space.lostLockedVm]).toEqual([4, 2]);
    checkInvariants(mm);
    expect(munlock(mm, space, AT * 2, 2 * PAGE_SIZE)).toBe(0);
    expect(space.lockedVm).toBe(2);
    checkInvariants(mm);
  });
});
