import { EVENT_VALUE_NAMES } from '../base/event-fields.ts';
import type { TranslationRoot } from '../machine/mmu.ts';
import { PAGE_SIZE, type Pfn, type Vaddr, type Vpn } from '../machine/units.ts';
import type { KsmSlot } from './ksm/ksm-slots.ts';
import type { MappableFile } from './mappable-file.ts';
import type { Memcg } from './memcg/memcg.ts';
import type { Vma } from './vma.ts';
import type { VmaIndex } from './vma-index/vma-index.ts';

/** Indices of AddressSpace.rss (include/linux/mm_types_task.h). */
export const MM_FILEPAGES = 0;
export const MM_ANONPAGES = 1;
export const MM_SWAPENTS = 2;
export const MM_SHMEMPAGES = 3;

/** Fault kinds by index: what `space.faults`, `mm.faultCounts` and EV_PAGE_FAULT count. */
export const FAULT_KINDS = EVENT_VALUE_NAMES.fault;
export type FaultKind = (typeof FAULT_KINDS)[number];
export const KIND_ANON_ZERO = 0;
export const KIND_ANON_READ_ZERO = 1;
export const KIND_COW_COPY = 2;
export const KIND_COW_REUSE = 3;
export const KIND_FILE_READ = 4;
export const KIND_FILE_SHARED = 5;
export const KIND_STACK_GROW = 6;
export const KIND_SWAP_IN = 7;
export const KIND_SPURIOUS = 8;
export const KIND_SEGV = 9;
export const KIND_BUS = 10;
export const KIND_USERFAULT = 11;

/** The resource limits that mm obeys, soft values in bytes; Infinity is RLIM_INFINITY. Written by the kernel (prlimit). */
export class MmLimits {
  stackBytes = 8 * 1024 * 1024;
  dataBytes = Number.POSITIVE_INFINITY;
  /** The hard limit of dataBytes. */
  dataMaxBytes = Number.POSITIVE_INFINITY;
  asBytes = Number.POSITIVE_INFINITY;
  memlockBytes = 8 * 1024 * 1024;
  /** RLIMIT_RSS: only the page aging of Linux 2.4 looks at it. */
  rssBytes = Number.POSITIVE_INFINITY;
  /** CAP_IPC_LOCK: memlockBytes does not bind. */
  mayIgnoreMemlock = true;
  /** CAP_SYS_RAWIO: mmap below mmap_min_addr. */
  mayMapLow = true;
  /** CAP_SYS_ADMIN: the reserve of vm.admin_reserve_kbytes is for it. */
  mayUseReserve = true;
}

/** Gives a space its ASID when it is first used (MemoryManager). */
export interface AsidSource {
  assignAsid(space: AddressSpace): number;
}

/**
 * Linux's mm_struct. Fields named start/end hold byte addresses (they are what prctl and /proc show); the rest is in pages.
 *
 * Invariants (checked by invariants.ts):
 *  S1 totalVm, dataVm, execVm, stackVm, lockedVm - lostLockedVm are the sums over the VMAs that mm/accounting.ts defines.
 *  S2 rss[member] is the number of entries that map a frame of that kind, MM_SWAPENTS of those that lead to a slot of swap; the
 *     zero page is in none.
 *     hugetlbPages is the number of pages under entries of VMA_HUGETLB.
 *  S3 pgtablesBytes is the size of all tables below the root (mm_pgtables_bytes: the root itself is not counted).
 *  S4 mapCount = vmas.count.
 */
export class AddressSpace implements TranslationRoot {
  /** Rises by one a space, never reused: mm_id of rss_stat. */
  readonly id: number;
  /** Object in the mm_struct slab. */
  readonly slot: number;
  readonly rootFrame: Pfn;
  readonly vmas: VmaIndex;
  private currentAsid = 0;
  private readonly asids: AsidSource;

  /** Who pays for its pages: the memory cgroup of the process that owns it (mm->owner). Set at its making; kept by the kernel. */
  memcg!: Memcg;

  /** Tasks that share the space (mm_users); exitSpace runs when it falls to 0. Kept by the kernel. */
  users = 1;

  startCode = 0 as Vaddr;
  endCode = 0 as Vaddr;
  startData = 0 as Vaddr;
  endData = 0 as Vaddr;
  startBrk = 0 as Vaddr;
  brk = 0 as Vaddr;
  startStack = 0 as Vaddr;
  argStart = 0 as Vaddr;
  argEnd = 0 as Vaddr;
  envStart = 0 as Vaddr;
  envEnd = 0 as Vaddr;
  vdso = 0 as Vaddr;
  /** saved_auxv: the bytes of /proc/PID/auxv. */
  auxv: Uint8Array = new Uint8Array(0);
  exeFile: MappableFile | null = null;

  /** Top-down: the page above the highest that mmap gives; bottom-up: the lowest that it gives. */
  mmapBase = 0 as Vpn;
  /** Pages of user address space. */
  taskSize: Vpn;
  layout: 'topDown' | 'legacy' = 'topDown';
  /** kernel.randomize_va_space for this program, 0 where its personality has ADDR_NO_RANDOMIZE. Set at exec. */
  randomizeVaSpace: 0 | 1 | 2 = 2;
  /** ADDR_COMPAT_LAYOUT at exec. */
  wantsLegacyLayout = false;
  /** READ_IMPLIES_EXEC of the task that runs: threads may differ. */
  readImpliesExec = false;

  totalVm = 0;
  lockedVm = 0;
  /** Of it, what MREMAP_DONTUNMAP left counted when it unlocked the source, as Linux 6.18 does (dontunmap_complete). */
  lostLockedVm = 0;
  pinnedVm = 0;
  dataVm = 0;
  execVm = 0;
  stackVm = 0;
  /** PR_SET_THP_DISABLE, PR_SET_MEMORY_MERGE: what the program asked for; fork and exec keep it (MMF_INIT_LEGACY_MASK). */
  thpDisable: 'no' | 'completely' | 'exceptAdvised' = 'no';
  memoryMerge: 'any' | 'advised' = 'advised';
  /** PR_SET_MDWE: what is written is not executed, for good; of fork and exec 'own' is forgotten. */
  denyWriteExec: 'no' | 'inherited' | 'own' = 'no';
  /** What membarrier(2) was told to make ready (membarrier_state): bits of its REGISTER commands; fork keeps them. */
  barriersReady = 0;
  /** ksmd scans the space (MMF_VM_MERGEABLE); null: it does not. */
  ksmSlot: KsmSlot | null = null;
  /** Entries that ksmd knows to map KSM pages; its items for the space; entries that map the zero page for it (ksm/ksm.ts, K). */
  ksmMergingPages = 0;
  ksmRmapItems = 0;
  ksmZeroPages = 0;
  /** VM_* that every new mapping gets (mlockall(MCL_FUTURE)). */
  defFlags = 0;
  mapCount = 0;
  readonly rss = new Float64Array(4);
  /** Pages of 4 KiB that huge pages of a pool map; in none of rss (hugetlb_usage). */
  hugetlbPages = 0;
  /** Highest sum of resident pages seen when it last fell; read through hiwaterRssPages. */
  hiwaterRss = 0;
  /** Entries that reclaim made lead to swap, ever. */
  swapOuts = 0;
  hiwaterVm = 0;
  pgtablesBytes = 0;
  /** Fault counts by FAULT_KINDS index. */
  readonly faults = new Float64Array(FAULT_KINDS.length);
  majorFaults = 0;
  readonly limits = new MmLimits();

  constructor(id: number, slot: number, rootFrame: Pfn, taskSize: Vpn, vmas: VmaIndex, asids: AsidSource) {
    this.id = id;
    this.slot = slot;
    this.rootFrame = rootFrame;
    this.taskSize = taskSize;
    this.vmas = vmas;
    this.asids = asids;
  }

  /** Never 0: assigned at first use, and again after another space took it away. */
  get asid(): number {
    return this.currentAsid !== 0 ? this.currentAsid : this.asids.assignAsid(this);
  }

  /** For MemoryManager alone; 0 takes it away. */
  setAsid(asid: number): void {
    this.currentAsid = asid;
  }

  /** 0 while the space has no TLB entries at all, so nothing needs a flush. */
  get asidIfAny(): number {
    return this.currentAsid;
  }

  /** The VMA behind, for a loop over those that begin before `end`: null, without a search, where there can be none. */
  nextBefore(vma: Vma, end: number): Vma | null {
    return vma.endVpn >= end ? null : this.vmas.next(vma);
  }

  /** get_mm_rss: file, anonymous and shared memory pages resident. */
  get rssPages(): number {
    const { rss } = this;
    return rss[MM_FILEPAGES] + rss[MM_ANONPAGES] + rss[MM_SHMEMPAGES];
  }

  /** More of it is resident than its RLIMIT_RSS says. */
  get isOverRssLimit(): boolean {
    return this.rssPages * PAGE_SIZE > this.limits.rssBytes;
  }

  /** VmHWM in pages (get_mm_hiwater_rss). */
  get hiwaterRssPages(): number {
    return Math.max(this.hiwaterRss, this.rssPages);
  }

  /** VmPeak in pages (get_mm_hiwater_vm). */
  get hiwaterVmPages(): number {
    return Math.max(this.hiwaterVm, this.totalVm);
  }
}
