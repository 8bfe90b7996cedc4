import { ENOMEM } from '../abi/errno.ts';
import { assert } from '../base/assert.ts';
import { EV_MM_CREATE, EV_RSS_STAT, EV_TLB_FLUSH } from '../base/event-kinds.ts';
import type { EventSink } from '../base/events.ts';
import type { Rng } from '../base/rng.ts';
import type { Vmstat } from '../base/vmstat.ts';
import type { LayoutConstants } from '../machine/address-layout.ts';
import type { VirtualClock } from '../machine/clock.ts';
import type { Mmu } from '../machine/mmu.ts';
import type { PagingFormat } from '../machine/paging/format.ts';
import type { Ram } from '../machine/ram.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../machine/units.ts';
import { AccessRules } from './access-rules.ts';
import { AddressSpace, FAULT_KINDS } from './address-space.ts';
import type { BlockQueue } from './block/block-queue.ts';
import type { FaultWaiter, OomKiller } from './fault/waiter.ts';
import { Hugetlb } from './hugetlb/hugetlb.ts';
import { Ksm } from './ksm/ksm.ts';
import { KsmWalk } from './ksm/reverse.ts';
import type { Memcgs } from './memcg/memcgs.ts';
import { MlockBatch } from './mlock-batch.ts';
import type { PageCache } from './page-cache/page-cache.ts';
import { PageTables } from './page-table.ts';
import type { FrameAllocator } from './phys/alloc.ts';
import { type FrameTable, NO_FRAME } from './phys/frame-table.ts';
import { __GFP_ZERO, GFP_KERNEL } from './phys/gfp.ts';
import { PG_reserved } from './phys/page-flags.ts';
import type { KmemCache, SlabAllocator } from './phys/slab.ts';
import { PteEditor } from './pte-editor.ts';
import type { Reclaim } from './reclaim/reclaim.ts';
import type { Rmap } from './rmap/rmap.ts';
import { ShmemLargePages } from './shmem/large-pages.ts';
import type { Swap } from './swap/swap.ts';
import { DeferredSplitShrinker } from './thp/deferred-split.ts';
import { Thp } from './thp/thp.ts';
import { TlbBatch } from './tlb-batch.ts';
import { MapleIndex } from './vma-index/maple.ts';
import type { VmaIndex } from './vma-index/vma-index.ts';
import { VmaNeighbours } from './vma-neighbours.ts';
import { YoungWalker } from './young-walk.ts';

/** What can be set from outside; Linux's sysctl names where there is one. */
export interface MmConfig {
  layout: LayoutConstants;
  /** /proc/sys/kernel/randomize_va_space: 0 none, 1 mmap base, stack, vdso, 2 also brk. */
  randomizeVaSpace: 0 | 1 | 2;
  /** Where randomised addresses come from; the default of the product is seeded, so deterministic (D3). */
  readonly rng: Rng;
  /** vm.overcommit_memory: 0 heuristic, 1 always, 2 never. */
  overcommitMemory: 0 | 1 | 2;
  overcommitRatio: number;
  /** vm.admin_reserve_kbytes and vm.user_reserve_kbytes: what mode 2 keeps free for CAP_SYS_ADMIN, and from one process. */
  adminReserveKbytes: number;
  userReserveKbytes: number;
  /** vm.overcommit_kbytes: the commit limit itself; 0: overcommitRatio percent of memory. */
  overcommitKbytes: number;
  mmapMinAddrBytes: number;
  maxMapCount: number;
  stackGuardGapPages: number;
  /** vm.legacy_va_layout. */
  legacyVaLayout: boolean;
  /** Another VmaIndex than the default, for comparison. */
  createIndex?: () => VmaIndex;
}

/** init_admin_reserve and init_user_reserve: a 32nd of the memory that is free at boot, at most 8 and 128 MiB. */
export function commitReserves(freePages: number): { adminReserveKbytes: number; userReserveKbytes: number } {
  const share = Math.floor((freePages * PAGE_SIZE) / 1024 / 32);
  return { adminReserveKbytes: Math.min(share, 8192), userReserveKbytes: Math.min(share, 131_072) };
}

/** The parts that system.ts has built before. */
export interface MmParts {
  readonly ram: Ram;
  readonly format: PagingFormat;
  readonly mmu: Mmu;
  readonly clock: VirtualClock;
  readonly events: EventSink;
  readonly vmstat: Vmstat;
  readonly frames: FrameTable;
  readonly alloc: FrameAllocator;
  readonly slab: SlabAllocator;
  readonly block: BlockQueue;
  readonly pageCache: PageCache;
  readonly rmap: Rmap;
  readonly swap: Swap;
  readonly reclaimer: Reclaim;
  readonly memcgs: Memcgs;
}

/** Address-space identifiers that the hardware has (9 bits are plenty for a TLB of this size); 0 is never used. */
const LAST_ASID = 511;
/** `reason` of tlb_flush events (enum tlb_flush_reason, include/linux/mm_types.h). */
const TLB_LOCAL_SHOOTDOWN = 2;
const TLB_LOCAL_MM_SHOOTDOWN = 3;

/**
 * The memory manager of one machine: what every operation in ops/ and fault/ takes as its first argument. It holds the parts
 * and the few facts that are the machine's and not a space's.
 *
 * Invariants (checked by invariants.ts):
 *  M1 spaces holds every live AddressSpace.
 *  M2 committedPages is the sum of the VM_ACCOUNT VMAs' pages and of the accounted shared memory objects (vm_committed_as).
 *  M3 No two spaces have the same ASID.
 */
export class MemoryManager {
  readonly ram: Ram;
  readonly format: PagingFormat;
  readonly mmu: Mmu;
  readonly clock: VirtualClock;
  readonly events: EventSink;
  readonly vmstat: Vmstat;
  readonly frames: FrameTable;
  readonly alloc: FrameAllocator;
  readonly slab: SlabAllocator;
  readonly block: BlockQueue;
  readonly pageCache: PageCache;
  readonly rmap: Rmap;
  readonly swap: Swap;
  readonly reclaimer: Reclaim;
  readonly memcgs: Memcgs;
  readonly config: MmConfig;
  readonly pageTables: PageTables;
  readonly access: AccessRules;
  readonly tlbBatch: TlbBatch;
  readonly mlockBatch = new MlockBatch();
  readonly hugetlb: Hugetlb;
  readonly thp: Thp;
  readonly hugePageShrinker: DeferredSplitShrinker;
  readonly largePages: ShmemLargePages;
  readonly ksm: Ksm;
  readonly zeroPage: Pfn;
  readonly spaces = new Set<AddressSpace>();
  /** Since boot, by FAULT_KINDS index, all spaces. */
  readonly faultCounts = new Float64Array(FAULT_KINDS.length);
  committedPages = 0;
  private deadPeakRssPages = 0;
  /** Pages of shared memory objects that count in committedPages. */
  shmemCommittedPages = 0;
  /** The space that the CPU runs now: its ASID is never taken away. The kernel sets it at a context switch. */
  activeSpace: AddressSpace | null = null;
  /** Whose min_flt and maj_flt a fault counts in: the running task, set by the kernel at a context switch. */
  faultAccount: { minflt: number; majflt: number; swapIns: number } | null = null;
  /** Who makes faults now, and may sleep in one; null: no fault may. The kernel sets it with the running task. */
  waiter: FaultWaiter | null = null;
  /** null: a fault of the kernel without memory fails. */
  oomKiller: OomKiller | null = null;
  /** Of the fault being handled: its exact address, and whether the program or the kernel made it. */
  faultAddress = 0;
  faultMode: 'user' | 'kernel' = 'user';
  /** What a fault does at a page that a device is working on: handleFault leaves, who calls a handler itself waits. */
  atLockedPage: 'wait' | 'leave' = 'wait';
  /** Of the last fault that was counted: its space. In execve it is not yet the one of the current task. */
  lastFaultSpace: AddressSpace | null = null;
  /** Of the last handleFault: KIND_*, 1 if it read a device, and the frame it installed (-1 none). */
  lastFaultKind = 0;
  lastFaultMajor = 0;
  lastFaultFrame = -1;

  readonly vmaCache: KmemCache;
  readonly mmCache: KmemCache;
  private nextSpaceId = 1;
  private nextShmemIno = 1;
  private readonly asidOwners: (AddressSpace | null)[] = new Array(LAST_ASID + 1).fill(null);
  private nextAsid = 1;

  /** Throws KernelPanic if there is no memory for the zero page: a machine that small does not boot. */
  constructor(parts: MmParts, config: MmConfig) {
    this.ram = parts.ram;
    this.format = parts.format;
    this.mmu = parts.mmu;
    this.clock = parts.clock;
    this.events = parts.events;
    this.vmstat = parts.vmstat;
    this.frames = parts.frames;
    this.alloc = parts.alloc;
    this.slab = parts.slab;
    this.block = parts.block;
    this.pageCache = parts.pageCache;
    this.rmap = parts.rmap;
    this.swap = parts.swap;
    this.reclaimer = parts.reclaimer;
    this.memcgs = parts.memcgs;
    this.config = config;
    this.access = new AccessRules(parts.format);
    this.pageTables = new PageTables(this);
    this.tlbBatch = new TlbBatch(this);
    this.hugetlb = new Hugetlb(parts.alloc, parts.format);
    this.thp = new Thp(this);
    this.largePages = new ShmemLargePages(this);
    this.pageCache.largePages = this.largePages;
    const zeroPage = this.alloc.allocFrame(GFP_KERNEL | __GFP_ZERO);
    assert(zeroPage !== NO_FRAME, 'mm/memory-manager.ts: memory for the zero page');
    this.zeroPage = zeroPage as Pfn;
    this.frames.set(this.zeroPage, PG_reserved);
    this.vmaCache = this.slab.cacheNamed('vm_area_struct');
    this.mmCache = this.slab.cacheNamed('mm_struct');
    this.ksm = new Ksm(this);
    this.rmap.setEditor(new PteEditor(this));
    this.reclaimer.setTableWalker(new YoungWalker(this));
    if (this.reclaimer.wantsReferences) this.mmu.setReferenceStream(this.reclaimer);
    this.hugePageShrinker = new DeferredSplitShrinker(this);
    this.reclaimer.setHugePageShrinker(this.hugePageShrinker);
    this.rmap.setKsmReverse(new KsmWalk(this.ksm));
    this.rmap.anonVmas.setNeighbourFinder(new VmaNeighbours());
  }

  /** mm_alloc: an empty space with its top-level table, or -ENOMEM. */
  createSpace(): AddressSpace | number {
    const slot = this.mmCache.alloc();
    if (slot === 0) return -ENOMEM;
    const root = this.pageTables.createRoot();
    if (root === NO_FRAME) {
      this.mmCache.free(slot);
      return -ENOMEM;
    }
    const index = this.config.createIndex?.() ?? new MapleIndex();
    const space = new AddressSpace(this.nextSpaceId++, slot, root as Pfn, this.config.layout.taskSize, index, this);
    space.memcg = this.memcgs.current;
    space.randomizeVaSpace = this.config.randomizeVaSpace;
    this.spaces.add(space);
    if (this.events.enabled[EV_MM_CREATE] !== 0) this.events.emit(EV_MM_CREATE, space.id);
    return space;
  }

  /** The last step of exitSpace: the space is empty and no longer exists. */
  destroySpace(space: AddressSpace): void {
    assert(space.vmas.count === 0, 'mm/memory-manager.ts: only an empty space is destroyed');
    this.ksm.exit(space);
    this.pageTables.freeRoot(space);
    this.deadPeakRssPages = Math.max(this.deadPeakRssPages, space.hiwaterRssPages);
    const asid = space.asidIfAny;
    if (asid !== 0) {
      this.mmu.flushSpace(asid);
      this.asidOwners[asid] = null;
      space.setAsid(0);
    }
    if (this.activeSpace === space) this.activeSpace = null;
    if (this.lastFaultSpace === space) this.lastFaultSpace = null;
    this.mmCache.free(space.slot);
    this.spaces.delete(space);
  }

  /** AddressSpace.asid's source: the next identifier in turn that is free, or one taken from a space that is not running. */
  assignAsid(space: AddressSpace): number {
    let chosen = 0;
    for (let tried = 0; tried < LAST_ASID; tried++) {
      const asid = this.nextAsid;
      this.nextAsid = asid === LAST_ASID ? 1 : asid + 1;
      if (this.asidOwners[asid] === null) {
        chosen = asid;
        break;
      }
    }
    if (chosen === 0) {
      do {
        chosen = this.nextAsid;
        this.nextAsid = chosen === LAST_ASID ? 1 : chosen + 1;
      } while (this.asidOwners[chosen] === this.activeSpace);
      this.asidOwners[chosen]?.setAsid(0);
      this.mmu.flushSpace(chosen);
    }
    this.asidOwners[chosen] = space;
    space.setAsid(chosen);
    return chosen;
  }

  addRss(space: AddressSpace, member: number, pages: number): void {
    if (pages < 0) {
      const resident = space.rssPages;
      if (resident > space.hiwaterRss) space.hiwaterRss = resident;
    }
    space.rss[member] += pages;
    if (this.events.enabled[EV_RSS_STAT] !== 0)
      this.events.emit(EV_RSS_STAT, space.id, member, space.rss[member] * PAGE_SIZE);
  }

  /** One page's translation changed; spaces that never ran have none. */
  flushPage(space: AddressSpace, page: Vpn): void {
    const asid = space.asidIfAny;
    if (asid === 0) return;
    this.vmstat.nr_tlb_local_flush_one++;
    if (this.events.enabled[EV_TLB_FLUSH] !== 0)
      this.events.emit(EV_TLB_FLUSH, space.id, page * PAGE_SIZE, TLB_LOCAL_SHOOTDOWN, 1);
    this.mmu.flushPage(asid, page);
  }

  flushSpace(space: AddressSpace): void {
    const asid = space.asidIfAny;
    if (asid === 0) return;
    this.vmstat.nr_tlb_local_flush_all++;
    if (this.events.enabled[EV_TLB_FLUSH] !== 0)
      this.events.emit(EV_TLB_FLUSH, space.id, 0, TLB_LOCAL_MM_SHOOTDOWN, -1);
    this.mmu.flushSpace(asid);
  }

  /** get_next_ino of the kernel's own shmem mount. */
  takeShmemIno(): number {
    return this.nextShmemIno++;
  }

  /**
   * __vm_enough_memory (6.18, mm/util.c): takes `pages` of commit charge, or returns -ENOMEM and takes none. A null space is the
   * kernel's own charge.
   */
  chargeCommit(space: AddressSpace | null, pages: number): number {
    if (this.config.overcommitMemory === 0) {
      if (pages > this.alloc.totalCount + this.swap.totalPages) return -ENOMEM;
    } else if (this.config.overcommitMemory === 2) {
      let limit = this.commitLimitPages;
      if (space !== null) {
        if (!space.limits.mayUseReserve) limit -= this.reservePages(this.config.adminReserveKbytes);
        limit -= Math.min(Math.floor(space.totalVm / 32), this.reservePages(this.config.userReserveKbytes));
      }
      if (this.committedPages + pages >= limit) return -ENOMEM;
    }
    this.committedPages += pages;
    return 0;
  }

  private reservePages(kbytes: number): number {
    return Math.floor((kbytes * 1024) / PAGE_SIZE);
  }

  unchargeCommit(pages: number): void {
    this.committedPages -= pages;
    assert(this.committedPages >= 0, 'mm/memory-manager.ts: M2 committedPages is not negative');
  }

  /** The most pages that one space ever had resident, machine-wide. */
  get peakRssPages(): number {
    let peak = this.deadPeakRssPages;
    for (const space of this.spaces) peak = Math.max(peak, space.hiwaterRssPages);
    return peak;
  }

  /** CommitLimit of /proc/meminfo in pages (vm_commit_limit): swap counts whole. */
  get commitLimitPages(): number {
    const { overcommitKbytes, overcommitRatio } = this.config;
    const ofMemory =
      overcommitKbytes !== 0
        ? this.reservePages(overcommitKbytes)
        : Math.floor((this.alloc.totalCount * overcommitRatio) / 100);
    return ofMemory + this.swap.totalPages;
  }
}
