import { assert, panic } from '../base/assert.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../machine/units.ts';
import { accountVm } from './accounting.ts';
import { AddressSpace } from './address-space.ts';
import { checkEntries } from './check-entries.ts';
import { checkPools } from './hugetlb/check-hugetlb.ts';
import { checkKsm } from './ksm/check-ksm.ts';
import { checkMemcgs } from './memcg/check-memcgs.ts';
import type { MemoryManager } from './memory-manager.ts';
import { isOfLockedObject } from './mlock-pages.ts';
import { checkPhysical } from './phys/check.ts';
import type { FrameTable } from './phys/frame-table.ts';
import { LRU_UNEVICTABLE } from './phys/lruvec.ts';
import {
  PG_anon,
  PG_head,
  PG_hugetlb,
  PG_locked,
  PG_lru,
  PG_mlocked,
  PG_pagecache,
  PG_reserved,
  PG_swapcache,
  PG_table,
  PG_tail,
  PG_unevictable,
  PG_writeback,
} from './phys/page-flags.ts';
import { SwapCensus } from './swap/check-swap.ts';
import type { UffdContext } from './uffd/context.ts';
import { VM_ACCOUNT, VM_LOCKED, VM_UFFD_FLAGS } from './vm-flags.ts';
import type { Vma } from './vma.ts';

/**
 * Recomputes every count from the page tables, VMAs and lists, and compares. Throws KernelPanic that names the broken
 * invariant by its number: M (memory-manager.ts), K (ksm/ksm.ts), S (address-space.ts), V (vma.ts), P (page-table.ts), X (vma-index), R and A
 * (rmap), F, C, L and others of the physical side (phys/check.ts). mm/README.md lists them all. Walks everything: for tests
 * and for the check at every trap.
 */
export function checkInvariants(mm: MemoryManager): void {
  const seen = new Uint32Array(mm.ram.frameCount);
  const huge = new Uint32Array(mm.ram.frameCount);
  const locks = new Uint32Array(mm.ram.frameCount);
  const census = new SwapCensus(mm.swap);
  const asids = new Set<number>();
  let accounted = mm.shmemCommittedPages;
  for (const space of mm.spaces) {
    const asid = space.asidIfAny;
    assert(asid === 0 || !asids.has(asid), 'mm/invariants.ts: M3 no two spaces have the same ASID');
    asids.add(asid);
    accounted += checkVmas(mm, space);
    checkTables(mm, space);
    checkEntries(mm, space, { mapped: seen, huge, locks, slots: census });
  }
  assert(accounted === mm.committedPages, 'mm/invariants.ts: M2 committedPages is the sum of what is accounted');
  const remembered = mm.pageTables.findBrokenMemory();
  if (remembered !== null) panic(`mm/page-table.ts: ${remembered}`);
  const scanned = mm.thp.khugepaged.findBroken();
  if (scanned !== null) panic(`mm/thp/khugepaged.ts: U4 ${scanned}`);
  checkFrames(mm, seen, huge);
  const fileLeaves = huge.reduce(
    (sum, count, frame) => ((mm.frames.flags[frame] & PG_pagecache) !== 0 ? sum + count : sum),
    0,
  );
  assert(fileLeaves === mm.pageTables.fileLeaves, 'mm/thp/thp.ts: U2 fileLeaves');
  census.check(mm.pageCache);
  checkPools(mm);
  checkKsm(mm.ksm);
  checkPhysical(mm);
  checkMemcgs(mm.memcgs, mm.swap);
  checkUnevictable(mm, locks);
}

/** R5, R6: `locks` has the entries of VM_LOCKED VMAs by frame. */
function checkUnevictable(mm: MemoryManager, locks: Uint32Array): void {
  if (mm.alloc.lru.sizes[LRU_UNEVICTABLE] === 0 && mm.alloc.stat.nr_mlock === 0) return;
  const { flags, mlockCount, frameCount } = mm.frames;
  let lost = 0;
  for (let frame = 0; frame < frameCount; frame++) {
    lost += Math.max(0, locks[frame] - Math.max(0, mlockCount[frame]));
    if (lost > mm.mlockBatch.lostLocks) panic(`mm/mlock-pages.ts: R5 locks of frame ${frame} are counted`);
    if (mlockCount[frame] > 0)
      assert((flags[frame] & PG_mlocked) !== 0, 'mm/mlock-pages.ts: R5 only a locked page counts its locks');
    if ((flags[frame] & (PG_lru | PG_unevictable | PG_mlocked)) === (PG_lru | PG_unevictable))
      assert(isOfLockedObject(mm, frame as Pfn), 'mm/shmem/shmem-lock.ts: R6 an unevictable page is locked');
  }
}

/** S1, S4, V1, V3, X: returns the space's accounted pages. */
function checkVmas(mm: MemoryManager, space: AddressSpace): number {
  const broken = space.vmas.findBroken();
  if (broken !== null) panic(`mm/invariants.ts: VMA index ${broken}`);
  const sums = new AddressSpace(0, 0, space.rootFrame, space.taskSize, space.vmas, mm);
  let count = 0;
  let accounted = 0;
  let locked = 0;
  let before: Vma | null = null;
  for (let vma = space.vmas.first(); vma !== null; vma = space.vmas.next(vma)) {
    count++;
    assert(vma.space === space, 'mm/invariants.ts: V1 the index holds VMAs of its space');
    assert(vma.startVpn < vma.endVpn, 'mm/invariants.ts: V1 a VMA is not empty');
    assert(before === null || before.endVpn <= vma.startVpn, 'mm/invariants.ts: V1 VMAs do not overlap');
    assert(vma.endVpn <= space.taskSize, 'mm/invariants.ts: V1 VMAs lie in user space');
    const backed = vma.isFileBacked;
    assert((vma.pages !== null) === backed, 'mm/invariants.ts: V3 a VMA of a file has its pages');
    assert((vma.sharedNode !== null) === backed, 'mm/invariants.ts: V3 a VMA of a file is in its i_mmap');
    assert(
      vma.anonVma === null || vma.anonVmaChain.some((chain) => chain.anonVma === vma.anonVma),
      'mm/invariants.ts: R3 a VMA has its anon_vma in its chain',
    );
    const isWatched = (vma.flags & VM_UFFD_FLAGS) !== 0;
    assert((vma.uffd !== null) === isWatched, 'mm/invariants.ts: U1 a VMA has a userfaultfd exactly with VM_UFFD_*');
    assert(
      vma.uffd === null || isContextOf(vma.uffd, space),
      'mm/invariants.ts: U1 the userfaultfd watches this space',
    );
    accountVm(sums, vma.flags, vma.sizePages);
    if ((vma.flags & VM_ACCOUNT) !== 0) accounted += vma.sizePages;
    if ((vma.flags & VM_LOCKED) !== 0) locked += vma.sizePages;
    before = vma;
  }
  assert(count === space.vmas.count && count === space.mapCount, 'mm/invariants.ts: S4 mapCount counts the VMAs');
  assert(sums.totalVm === space.totalVm, 'mm/invariants.ts: S1 totalVm');
  assert(sums.execVm === space.execVm, 'mm/invariants.ts: S1 execVm');
  assert(sums.stackVm === space.stackVm, 'mm/invariants.ts: S1 stackVm');
  assert(sums.dataVm === space.dataVm, 'mm/invariants.ts: S1 dataVm');
  assert(locked === space.lockedVm - space.lostLockedVm, 'mm/invariants.ts: S1 lockedVm');
  return accounted;
}

/** U1, U2. */
function isContextOf(context: UffdContext, space: AddressSpace): boolean {
  const tids = [...context.pending, ...context.seen].map((fault) => fault.tid);
  return context.space === space && !context.isReleased && new Set(tids).size === tids.length;
}

/** S3, P1, P2. */
function checkTables(mm: MemoryManager, space: AddressSpace): void {
  const { frames, format } = mm;
  const isTable = (frame: Pfn) => frames.has(frame, PG_table) && frames.refcount[frame] === 1;
  assert(isTable(space.rootFrame), 'mm/invariants.ts: P1 the root is a table frame');
  let bytes = 0;
  mm.pageTables.forEachTable(space, (frame, level, firstPage) => {
    bytes += PAGE_SIZE;
    assert(isTable(frame), 'mm/invariants.ts: P1 a table is a table frame with one reference');
    // A stack grown and not touched there can leave its table's neighbourhood empty; a table far from any VMA is lost memory.
    const span = 2 ** (format.bitsPerLevel * (level + 1));
    const vma = space.vmas.find(firstPage as Vpn);
    const prev = space.vmas.findPrev((firstPage + span) as Vpn);
    const near = (vma !== null && vma.startVpn < firstPage + span) || (prev !== null && prev.endVpn > firstPage);
    assert(near, 'mm/invariants.ts: P2 a table lies under a VMA');
  });
  assert(bytes === space.pgtablesBytes, 'mm/invariants.ts: S3 pgtablesBytes is the size of the tables');
}

/** F2, and references: an anonymous frame has one an entry, one of either cache one more, as one that a device works on; the zero page its own. */
function checkFrames(mm: MemoryManager, seen: Uint32Array, huge: Uint32Array): void {
  const { mapcount, refcount, flags, frameCount } = mm.frames;
  const entriesOf = (frame: number): number => seen[frame] + checkLarge(mm.frames, frame as Pfn, seen, huge);
  for (let frame = 0; frame < frameCount; frame++) {
    if (mapcount[frame] !== seen[frame])
      panic(`mm/invariants.ts: F2 mapcount of frame ${frame} is the number of entries`);
    if (frame === mm.zeroPage)
      assert((flags[frame] & PG_reserved) !== 0, 'mm/invariants.ts: F2 the zero page is reserved');
    if ((flags[frame] & PG_tail) !== 0) continue;
    if (seen[frame] === 0 && (flags[frame] & (PG_anon | PG_head)) === 0) continue;
    const entries = entriesOf(frame);
    const cache = (flags[frame] & (PG_pagecache | PG_swapcache)) !== 0 ? 1 : 0;
    const onItsWay = (flags[frame] & (PG_locked | PG_writeback)) !== 0 ? 1 : 0;
    if ((flags[frame] & PG_anon) !== 0 && refcount[frame] !== entries + cache + onItsWay)
      panic(`mm/invariants.ts: F2 references of anonymous frame ${frame} are its entries`);
    if (refcount[frame] < entries + cache) panic(`mm/invariants.ts: F2 references of frame ${frame}`);
  }
}

/** F2 and U3 of a compound page: the entries for it beside those of its head's own frame. */
function checkLarge(frames: FrameTable, head: Pfn, seen: Uint32Array, huge: Uint32Array): number {
  if ((frames.flags[head] & (PG_head | PG_hugetlb)) !== PG_head) return 0;
  let entries = huge[head];
  let mapped = 0;
  for (let frame = head; frame < head + frames.pagesOf(head); frame++) {
    entries += seen[frame];
    if (seen[frame] > 0) mapped++;
  }
  const counted = frames.entireMapcount[head] === huge[head] && frames.largeMapcount[head] === entries;
  assert(counted && frames.pagesMapped[head] === mapped, 'mm/invariants.ts: F2 what maps a compound page is counted');
  return entries - seen[head];
}
