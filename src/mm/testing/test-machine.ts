import { EventSink } from '../../base/events.ts';
import { Rng } from '../../base/rng.ts';
import { Vmstat } from '../../base/vmstat.ts';
import type { LayoutConstants } from '../../machine/address-layout.ts';
import { VirtualClock } from '../../machine/clock.ts';
import type { PagingFormat } from '../../machine/paging/format.ts';
import { sv39 } from '../../machine/paging/sv39.ts';
import { Ram } from '../../machine/ram.ts';
import { PAGE_SIZE, vaddr, vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import { pickMmapLayout } from '../layout.ts';
import type { MappableFile } from '../mappable-file.ts';
import { MemoryManager, type MmConfig } from '../memory-manager.ts';
import type { FilePages, PageBacking } from '../page-cache/file-pages.ts';
import { createPhysicalMemory } from '../physical-memory.ts';
import type { ReclaimPolicies } from '../reclaim/kinds.ts';
import { ReferenceMmu } from './reference-mmu.ts';

/** riscv64's Sv39 addresses, spelled out here because mm knows no architecture. */
export const TEST_LAYOUT: LayoutConstants = {
  taskSize: vpn(2 ** 26),
  stackTop: vpn(2 ** 26),
  unmappedBase: vpn(Math.ceil(2 ** 26 / 3)),
  elfEtDynBase: vaddr(Math.floor(2 ** 38 / 3) * 2),
  mmapRndBits: 18,
  stackRndPages: 0x40000,
  brkRndBytes: 2 ** 30,
};

/** i386's: 3 GiB (PAGE_OFFSET 0xc0000000), as Linux 6.18 draws them (arch/x86/include/asm/{elf,processor}.h). */
const TEST_I386_LAYOUT: LayoutConstants = {
  taskSize: vpn(0xc0000),
  stackTop: vpn(0xc0000),
  unmappedBase: vpn(0x40000),
  elfEtDynBase: vaddr(0x80000000),
  mmapRndBits: 8,
  stackRndPages: 0x800,
  brkRndBytes: 2 ** 25,
};

export interface TestMachine {
  readonly mm: MemoryManager;
  readonly mmu: ReferenceMmu;
  readonly createFile: (bytes: Uint8Array, options?: Partial<TestFile>) => TestFile;
  /** Free frames after empty slabs are given back. */
  readonly countFree: () => number;
  readonly createSpace: () => AddressSpace;
}

/** A memory manager that TypeScript drives: real RAM and tables, no CPU, no kernel. */
export function createTestMachine(
  options: {
    ramMiB?: number;
    format?: PagingFormat;
    mmu?: 'plain' | 'cached';
    reclaim?: ReclaimPolicies;
    config?: Partial<MmConfig>;
  } = {},
): TestMachine {
  const ramBytes = (options.ramMiB ?? 16) * 2 ** 20;
  const format = options.format ?? sv39;
  const ram = new Ram({ ramBytes, machineAreaBytes: 65536 });
  const clock = new VirtualClock({ retired: 0 });
  const events = new EventSink(clock);
  const vmstat = new Vmstat();
  const physical = createPhysicalMemory({
    ram,
    vmstat,
    events,
    clock,
    zones: [{ name: 'DMA32', startPfn: 0, endPfn: ram.frameCount }],
    reservedFrames: 16,
    ...(options.reclaim === undefined ? {} : { reclaim: options.reclaim }),
  });
  const mmu = new ReferenceMmu(ram, format, options.mmu ?? 'cached');
  const mm = new MemoryManager(
    { ram, format, mmu, clock, events, vmstat, ...physical },
    {
      layout: format.userPages < TEST_LAYOUT.taskSize ? TEST_I386_LAYOUT : TEST_LAYOUT,
      randomizeVaSpace: 0,
      rng: new Rng(1),
      overcommitMemory: 0,
      overcommitRatio: 50,
      overcommitKbytes: 0,
      adminReserveKbytes: 0,
      userReserveKbytes: 0,
      mmapMinAddrBytes: 65536,
      maxMapCount: 65530,
      stackGuardGapPages: 256,
      legacyVaLayout: false,
      ...options.config,
    },
  );
  return {
    mm,
    mmu,
    createFile: (bytes, extra = {}) => new TestFile(mm, bytes, extra),
    countFree: () => {
      physical.slab.shrink();
      return physical.alloc.freeCount;
    },
    createSpace: () => {
      const space = mm.createSpace();
      if (typeof space === 'number') throw new Error('no memory for a space');
      pickMmapLayout(mm, space);
      return space;
    },
  };
}

/** A file whose disk is a byte array; counts its references and its writes. */
export class TestFile implements MappableFile, PageBacking {
  readable = true;
  writable = true;
  appendOnly = false;
  noExec = false;
  mapKind: 'file' | 'shmem' | 'zero' | 'none' = 'file';
  readonly pages: FilePages;
  readonly devMajor = 254;
  readonly devMinor = 0;
  readonly ino = 1;
  references = 1;
  mkwrites = 0;
  mkwriteResult = 0;
  disk: Uint8Array;
  private readonly mm: MemoryManager;
  private length: number;

  constructor(mm: MemoryManager, bytes: Uint8Array, extra: Partial<TestFile>) {
    this.mm = mm;
    this.disk = bytes;
    this.length = bytes.length;
    this.pages = mm.pageCache.createFile(this);
    Object.assign(this, extra);
  }

  get sizeBytes(): number {
    return this.length;
  }

  set sizeBytes(bytes: number) {
    const disk = new Uint8Array(bytes);
    disk.set(this.disk.subarray(0, bytes));
    this.disk = disk;
    this.length = bytes;
  }

  readPage(index: number, into: Uint8Array): number {
    const part = this.disk.subarray(index * PAGE_SIZE, (index + 1) * PAGE_SIZE);
    into.set(part);
    return part.length;
  }

  writePage(index: number, from: Uint8Array, lengthBytes: number): number {
    this.disk.set(from.subarray(0, lengthBytes), index * PAGE_SIZE);
    return lengthBytes;
  }

  displayPath(): string {
    return '/test/file';
  }

  retain(): void {
    this.references++;
  }

  release(): void {
    if (--this.references === 0) this.mm.pageCache.evict(this.pages);
  }

  pageMkwrite(): number {
    this.mkwrites++;
    return this.mkwriteResult;
  }
}
