import type { FilePages } from '../page-cache/file-pages.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import { VM_HUGEPAGE } from '../vm-flags.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';

/** The huge= option of a tmpfs mount. */
export const SHMEM_HUGE = ['always', 'within_size', 'advise', 'never'] as const;
export type ShmemHuge = (typeof SHMEM_HUGE)[number];
/** /sys/kernel/mm/transparent_hugepage/shmem_enabled. */
export const SHMEM_ENABLED = [...SHMEM_HUGE, 'deny', 'force'] as const;
export type ShmemEnabled = (typeof SHMEM_ENABLED)[number];
/** hugepages-2048kB/shmem_enabled: of shared memory without a name, by the size. */
export const SHMEM_ENABLED_OF_SIZE = ['always', 'inherit', 'within_size', 'advise', 'never'] as const;
export type ShmemEnabledOfSize = (typeof SHMEM_ENABLED_OF_SIZE)[number];

/** Who a file of shmem belongs to: what its mount wants, and what it has room for (struct shmem_sb_info). */
export interface ShmemOwner {
  readonly huge: ShmemHuge;
  /** The file has no name: memfd, unlinked, MAP_SHARED|MAP_ANONYMOUS (vma_is_anon_shmem; Linux asks when it is mapped). */
  readonly isUnnamed: boolean;
  /** May the file have so many pages more (shmem_inode_acct_blocks)? */
  hasRoom(file: FilePages, pages: number): boolean;
  /** Splits large pages across the ends of its files until there is room, or nothing is left to split. */
  makeRoom(pages: number): void;
}

/**
 * Which pages of shared memory may be larger than 4 KiB (Linux 6.18: shmem_allowable_huge_orders, mm/shmem.c). A fault makes a huge
 * page or a small one; a write and fallocate any power of two that has room. It is itself the owner of what is on the kernel's own
 * mount without a file system of ours: MAP_SHARED|MAP_ANONYMOUS and System V segments.
 */
export class ShmemHugeSettings implements ShmemOwner {
  enabled: ShmemEnabled = 'never';
  enabledOfSize: ShmemEnabledOfSize = 'inherit';
  /** Of the kernel's own mount: what was last written to `enabled` but 'deny' and 'force' (shmem_enabled_store). */
  huge: ShmemHuge = 'never';
  readonly isUnnamed = true;
  private readonly frames: FrameTable;

  constructor(frames: FrameTable) {
    this.frames = frames;
  }

  /** Of the page that one entry of level 1 maps; -1: there are none. */
  get pmdOrder(): number {
    return this.frames.pmdOrder;
  }

  hasRoom(): boolean {
    return true;
  }

  makeRoom(): void {}

  set(word: ShmemEnabled): void {
    this.enabled = word;
    if (word !== 'deny' && word !== 'force') this.huge = word;
  }

  /** The orders (a bit each) that a page at `index` may have; 0: small ones alone. Without a VMA a write that ends at `writeEndBytes`. */
  ordersFor(file: FilePages, vma: Vma | null, index: number, writeEndBytes: number, why: 'use' | 'collapse'): number {
    const owner = file.shmemOwner;
    if (owner === null || this.pmdOrder < 0) return 0;
    const all = this.globalOrders(file, owner, vma, index, writeEndBytes, why);
    if (vma === null || !owner.isUnnamed || vma.kind !== VMA_SHMEM || vma.file?.keepsVmasApart === true) return all;
    if (this.enabled === 'deny') return 0;
    const pmd = 2 ** this.pmdOrder;
    const { enabledOfSize } = this;
    if (this.enabled === 'force') return enabledOfSize === 'inherit' ? pmd : 0;
    switch (enabledOfSize) {
      case 'always':
        return pmd;
      case 'within_size':
        return fitsSize(file, index, 2 ** this.pmdOrder, 0) ? pmd : 0;
      case 'advise':
        return (vma.flags & VM_HUGEPAGE) !== 0 ? pmd : 0;
      case 'inherit':
        return all > 0 ? pmd : 0;
      default:
        return 0;
    }
  }

  /** shmem_huge_global_enabled. */
  private globalOrders(
    file: FilePages,
    owner: ShmemOwner,
    vma: Vma | null,
    index: number,
    writeEndBytes: number,
    why: 'use' | 'collapse',
  ): number {
    if (this.enabled === 'deny') return 0;
    const pmd = 2 ** this.pmdOrder;
    if (why === 'collapse' || this.enabled === 'force') return pmd;
    if (owner.huge === 'always') return vma === null ? allOrders(this.pmdOrder) : pmd;
    if (owner.huge === 'within_size') return this.ordersWithin(file, vma, index, writeEndBytes);
    if (owner.huge === 'advise') return vma !== null && (vma.flags & VM_HUGEPAGE) !== 0 ? pmd : 0;
    return 0;
  }

  /** shmem_get_orders_within_size: the highest that ends within the file, and those below it. */
  private ordersWithin(file: FilePages, vma: Vma | null, index: number, writeEndBytes: number): number {
    const least = vma === null ? 1 : this.pmdOrder;
    for (let order = this.pmdOrder; order >= least; order--)
      if (fitsSize(file, index, 2 ** order, writeEndBytes)) return vma === null ? allOrders(order) : 2 ** order;
    return 0;
  }

  /** shmem_hpage_pmd_enabled: has khugepaged anything to do for shared memory? */
  get isEverHuge(): boolean {
    if (this.enabled === 'deny' || this.pmdOrder < 0 || this.enabledOfSize === 'never') return false;
    return this.enabledOfSize !== 'inherit' || this.enabled !== 'never';
  }

  /** Is a mapping of the file to be placed for huge pages (shmem_get_unmapped_area)? */
  wantsAlignment(file: FilePages | null): boolean {
    if (this.enabled === 'deny' || this.pmdOrder < 0) return false;
    if (this.enabled === 'force') return true;
    if (file !== null) return file.shmemOwner !== null && file.shmemOwner.huge !== 'never';
    const { enabledOfSize } = this;
    return enabledOfSize === 'inherit' ? this.huge !== 'never' : enabledOfSize !== 'never';
  }
}

/** A page of `pages` around the index ends before the file does, or the write. */
function fitsSize(file: FilePages, index: number, pages: number, writeEndBytes: number): boolean {
  const end = Math.ceil((index + 1) / pages) * pages;
  return Math.ceil(Math.max(file.sizeBytes, writeEndBytes) / 4096) >= end;
}

/** Orders 1 to `highest`. */
function allOrders(highest: number): number {
  return 2 ** (highest + 1) - 2;
}
