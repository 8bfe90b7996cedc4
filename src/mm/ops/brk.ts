import { EAGAIN, ENOMEM } from '../../abi/errno.ts';
import { MAP_FIXED } from '../../abi/mman.ts';
import { PAGE_SIZE, roundUpToPage, type Vaddr, type Vpn, vpn } from '../../machine/units.ts';
import { mayExpandVm, mlockFutureOk } from '../accounting.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { VM_ACCOUNT, VM_DATA_DEFAULT_FLAGS, VM_LOCKED, VM_SOFTDIRTY } from '../vm-flags.ts';
import { VMA_ANON } from '../vma.ts';
import { allocVma, linkVma } from '../vma-adjust.ts';
import { mergeNewRange } from '../vma-merge.ts';
import { withMemoryMerge } from './memory-merge.ts';
import { unmapRange } from './munmap.ts';
import { populateRange } from './populate.ts';
import { getUnmappedArea, startWithGap } from './unmapped-area.ts';

/** The break that results, as sys_brk returns it: the old one where `newBrk` cannot be had (Linux 6.18, mm/mmap.c). */
export function brk(mm: MemoryManager, space: AddressSpace, newBrk: number): number {
  if (newBrk < space.startBrk) return space.brk;
  const { limits } = space;
  if (newBrk - space.startBrk + (space.endData - space.startData) > limits.dataBytes) return space.brk;
  const newEnd = roundUpToPage(newBrk);
  const oldEnd = roundUpToPage(space.brk);
  if (newEnd === oldEnd) {
    space.brk = newBrk as Vaddr;
    return space.brk;
  }
  if (newBrk <= space.brk) {
    const from = vpn(newEnd / PAGE_SIZE);
    const to = vpn(oldEnd / PAGE_SIZE);
    const vma = space.vmas.find(from);
    if (vma === null || vma.startVpn >= to || unmapRange(mm, space, from, to) !== 0) return space.brk;
    space.brk = newBrk as Vaddr;
    return space.brk;
  }
  const lengthBytes = newEnd - oldEnd;
  if (checkBrkLimits(mm, space, oldEnd, lengthBytes) !== 0) return space.brk;
  const next = space.vmas.find(vpn(oldEnd / PAGE_SIZE));
  if (next !== null && newEnd / PAGE_SIZE + 1 > startWithGap(mm, next)) return space.brk;
  if (extendBreak(mm, space, vpn(oldEnd / PAGE_SIZE), vpn(newEnd / PAGE_SIZE)) !== 0) return space.brk;
  space.brk = newBrk as Vaddr;
  if ((space.defFlags & VM_LOCKED) !== 0) populateRange(mm, space, vpn(oldEnd / PAGE_SIZE), vpn(newEnd / PAGE_SIZE));
  return space.brk;
}

/** check_brk_limits. */
function checkBrkLimits(mm: MemoryManager, space: AddressSpace, address: number, lengthBytes: number): number {
  const area = getUnmappedArea(mm, space, address, lengthBytes, MAP_FIXED);
  if (area < 0) return area;
  return mlockFutureOk(space, space.defFlags, lengthBytes / PAGE_SIZE) ? 0 : -EAGAIN;
}

/** do_brk_flags: anonymous memory at [start, end), which is free; widens the heap below it if that ends there. */
function extendBreak(mm: MemoryManager, space: AddressSpace, start: Vpn, end: Vpn): number {
  const pages = end - start;
  const flags = withMemoryMerge(mm, space, VM_DATA_DEFAULT_FLAGS | VM_ACCOUNT | space.defFlags);
  if (!mayExpandVm(space, flags, pages)) return -ENOMEM;
  if (space.mapCount > mm.config.maxMapCount) return -ENOMEM;
  if (mm.chargeCommit(space, pages) !== 0) return -ENOMEM;
  // Only what reaches above start_brk is the heap (vma_prev_limit): the bss below is not widened.
  const below = space.vmas.findPrev(start);
  let vma = null;
  if (below !== null && below.endVpn === start && below.endVpn * PAGE_SIZE > space.startBrk)
    vma = mergeNewRange(
      mm,
      space,
      {
        start,
        end,
        pgoff: start,
        flags,
        kind: VMA_ANON,
        file: null,
        anonName: null,
        policy: null,
        anonVma: null,
        uffd: null,
        middle: null,
        copiedFrom: null,
      },
      'left',
    );
  if (vma === null) {
    vma = allocVma(mm, space, start, end, flags, start);
    if (vma === null) {
      mm.unchargeCommit(pages);
      return -ENOMEM;
    }
    linkVma(mm, vma);
  }
  space.totalVm += pages;
  space.dataVm += pages;
  if ((flags & VM_LOCKED) !== 0) space.lockedVm += pages;
  vma.flags |= VM_SOFTDIRTY;
  return 0;
}
