import type { Vpn } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { ReservationMap } from './hugetlb/reservation-map.ts';
import type { MappableFile } from './mappable-file.ts';
import type { Mempolicy } from './mempolicy.ts';
import type { FilePages } from './page-cache/file-pages.ts';
import type { AnonVma, AnonVmaChain } from './rmap/anon-vma.ts';
import type { IntervalNode } from './rmap/interval-tree.ts';
import type { RmapVma } from './rmap/rmap-vma.ts';
import type { UffdContext } from './uffd/context.ts';
import type { AvlNode } from './vma-index/avl.ts';
import type { ListNode } from './vma-index/list.ts';
import type { RbNode } from './vma-index/rb-node.ts';

/** What a fault in the VMA asks for its pages (Linux: vma->vm_ops). */
export const VMA_ANON = 0;
export const VMA_FILE = 1;
export const VMA_SHMEM = 2;
/** Fixed kernel frames (vdso). */
export const VMA_SPECIAL = 3;
/** Huge pages of a pool (hugetlb/). */
export const VMA_HUGETLB = 4;
export type VmaKind = 0 | 1 | 2 | 3 | 4;

/**
 * Linux's vm_area_struct: pages [startVpn, endVpn) of one space that have the same rights and the same source.
 *
 * Invariants (checked by invariants.ts):
 *  V1 startVpn < endVpn; VMAs of a space do not overlap; the index holds exactly them, by rising startVpn.
 *  V2 startVpn, endVpn and pgoff change only in vma-adjust.ts, which tells the index and the interval trees.
 *  V3 kind VMA_ANON: pages = null (file may be /dev/zero). Any other but VMA_SPECIAL: pages = file.pages,
 *     linked in its i_mmap; VMA_HUGETLB: file.hugetlb is there.
 *  V4 `slot` is this object's place in the vm_area_struct slab.
 *  V5 VMA_HUGETLB: startVpn, endVpn and pgoff are multiples of the huge page.
 */
export class Vma implements RmapVma {
  readonly slot: number;
  readonly space: AddressSpace;
  startVpn: Vpn;
  endVpn: Vpn;
  /** VM_* (vm-flags.ts). */
  flags: number;
  pgoff: number;
  kind: VmaKind;
  file: MappableFile | null = null;
  /** VMA_SPECIAL only: frames from startVpn on, and the name that /proc/PID/maps shows ('[vdso]'). */
  special: SpecialMapping | null = null;
  /** VMA_HUGETLB, private, with reservations of its own: which of them are used up. Shared by the pieces of a split VMA. */
  reservations: ReservationMap | null = null;
  /** VMA_HUGETLB: the pool was empty and a page was taken away; what is not there any more is SIGBUS (HPAGE_RESV_UNMAPPED). */
  lostHugePages = false;
  /** The userfaultfd that it is registered with; U1 in uffd/context.ts. */
  uffd: UffdContext | null = null;
  /** What PR_SET_VMA_ANON_NAME called it (anon_vma_name). */
  anonName: string | null = null;
  /** mbind's (vm_policy); null: the task's. Of shared memory see policyAt. */
  policy: Mempolicy | null = null;
  anonVma: AnonVma | null = null;
  anonVmaChain: AnonVmaChain[] = [];
  sharedNode: IntervalNode<RmapVma> | null = null;
  /** The VMA's place in its space's index, for those that link VMAs (vm_next, vm_avl_left, vm_rb ...); written by them alone. */
  indexNode: ListNode | AvlNode | RbNode | null = null;

  constructor(slot: number, space: AddressSpace, startVpn: Vpn, endVpn: Vpn, flags: number, pgoff: number) {
    this.slot = slot;
    this.space = space;
    this.startVpn = startVpn;
    this.endVpn = endVpn;
    this.flags = flags;
    this.pgoff = pgoff;
    this.kind = VMA_ANON;
  }

  get sizePages(): number {
    return this.endVpn - this.startVpn;
  }

  get isFileBacked(): boolean {
    return this.kind === VMA_FILE || this.kind === VMA_SHMEM || this.kind === VMA_HUGETLB;
  }

  get pages(): FilePages | null {
    return this.isFileBacked ? (this.file as MappableFile).pages : null;
  }
}

/** vm_special_mapping: frames belong to the kernel, which holds its own reference on each; NO_FRAME: SIGBUS there. */
export interface SpecialMapping {
  readonly name: string;
  readonly frames: readonly number[];
}
