import { EACCES, ENOMEM } from '../../abi/errno.ts';
import { COST_MAP_NS } from '../../machine/cost-model.ts';
import type { Vpn } from '../../machine/units.ts';
import { accountVm, mayExpandVm } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import { openHugetlbVma } from '../hugetlb/hugetlb-vma.ts';
import type { MappableFile } from '../mappable-file.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { SharedAnonymousFile } from '../shared-anonymous-file.ts';
import {
  isAccountable,
  VM_ACCOUNT,
  VM_DONTEXPAND,
  VM_DROPPABLE,
  VM_HUGETLB,
  VM_LOCKED,
  VM_LOCKED_MASK,
  VM_MAYWRITE,
  VM_NORESERVE,
  VM_SHARED,
  VM_SOFTDIRTY,
  VM_SPECIAL,
} from '../vm-flags.ts';
import { VMA_ANON, VMA_FILE, VMA_HUGETLB, VMA_SHMEM, type Vma, type VmaKind } from '../vma.ts';
import { allocVma, discardVma, linkVma } from '../vma-adjust.ts';
import { mergeNewRange } from '../vma-merge.ts';
import { withMemoryMerge } from './memory-merge.ts';
import { measureRange, splitAround, unmapPreparedRange } from './munmap.ts';
import { deniesWriteExec } from './write-exec.ts';

/**
 * mmap_region (Linux 6.18, mm/vma.c): replaces whatever is in [start, end) by a mapping with `flags`. 0 or -ERRNO; where it
 * fails for a limit, what was there stays.
 */
export function mapRegion(
  mm: MemoryManager,
  space: AddressSpace,
  start: Vpn,
  end: Vpn,
  vmFlags: number,
  pgoff: number,
  sourceFile: MappableFile | null,
): number {
  const pages = end - start;
  const isHuge = sourceFile?.hugetlb !== undefined;
  if (deniesWriteExec(space, vmFlags, vmFlags)) return -EACCES;
  let flags = isHuge ? vmFlags | VM_HUGETLB | VM_DONTEXPAND : withMemoryMerge(mm, space, vmFlags);
  // mapping_map_writable: a sealed memfd may not be mapped shared where it could be written.
  if (sourceFile !== null && (flags & (VM_SHARED | VM_MAYWRITE)) === (VM_SHARED | VM_MAYWRITE)) {
    const allowed = sourceFile.mapWritable?.() ?? 0;
    if (allowed < 0) return allowed;
  }
  mm.clock.charge(COST_MAP_NS);
  const split = splitAround(mm, space, start, end);
  if (split !== 0) return split;
  const replaced = measureRange(space, start, end);
  if (!mayExpandVm(space, flags, pages - replaced.pages)) return -ENOMEM;
  let charged = 0;
  if (isAccountable(flags) && !isHuge) {
    const extra = pages - replaced.accountedPages;
    if (extra > 0 && mm.chargeCommit(space, extra) !== 0) return -ENOMEM;
    if (extra < 0) mm.unchargeCommit(-extra);
    charged = pages;
    flags |= VM_ACCOUNT;
  }
  // The charge of what goes away passes to the new mapping: unmapPreparedRange gives it back, so take it again.
  if (charged > 0) mm.committedPages += replaced.accountedPages;
  unmapPreparedRange(mm, space, start, end);
  const gone = sourceFile?.stillMaps?.() ?? 0;
  if (gone < 0) {
    if (charged > 0) mm.unchargeCommit(charged);
    return gone;
  }

  let kind: VmaKind = VMA_ANON;
  let file = sourceFile;
  let ownFile: SharedAnonymousFile | null = null;
  if (file !== null) {
    if (file.mapKind === 'file') kind = VMA_FILE;
    else if (file.mapKind === 'shmem') kind = VMA_SHMEM;
    else if (file.mapKind === 'hugetlb') kind = VMA_HUGETLB;
  }
  if ((flags & VM_SHARED) !== 0 && (file === null || file.mapKind === 'zero')) {
    ownFile = SharedAnonymousFile.create(mm, pages, (flags & VM_NORESERVE) !== 0 ? 'noreserve' : 'account');
    if (ownFile === null) return -ENOMEM;
    file = ownFile;
    kind = VMA_SHMEM;
  }

  const merged =
    ownFile !== null
      ? null
      : mergeNewRange(mm, space, {
          start,
          end,
          pgoff,
          flags,
          kind,
          file,
          anonName: null,
          policy: null,
          anonVma: null,
          uffd: null,
          middle: null,
          copiedFrom: null,
        });
  let made: Vma | null = null;
  if (merged === null) {
    const vma = allocVma(mm, space, start, end, flags, pgoff);
    if (vma === null) {
      ownFile?.release();
      if (charged > 0) mm.unchargeCommit(charged);
      return -ENOMEM;
    }
    vma.kind = kind;
    vma.file = file;
    if (ownFile === null) file?.retain();
    const opened = isHuge ? openHugetlbVma(vma) : 0;
    if (opened < 0) {
      discardVma(mm, vma);
      return opened;
    }
    linkVma(mm, vma);
    made = vma;
  }
  const vma = merged ?? made;
  accountVm(space, flags, pages);
  if (vma !== null) {
    if ((flags & VM_LOCKED) !== 0) {
      if ((flags & (VM_SPECIAL | VM_DROPPABLE)) !== 0) vma.flags &= ~VM_LOCKED_MASK;
      else space.lockedVm += pages;
    }
    vma.flags |= VM_SOFTDIRTY;
  }
  return 0;
}
