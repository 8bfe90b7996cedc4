import { EAGAIN, ENOMEM } from '../../abi/errno.ts';
import { EV_PAGE_MAP, EV_PAGE_MOVE, EV_PAGE_UNMAP } from '../../base/event-kinds.ts';
import type { Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { MM_ANONPAGES } from '../address-space.ts';
import { wantsNoWriteNotice } from '../fault/write-notice.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { munlockPage } from '../mlock-pages.ts';
import { PG_anon_exclusive } from '../phys/page-flags.ts';
import { VM_LOCKED, VM_WRITE } from '../vm-flags.ts';
import { VMA_ANON, type Vma } from '../vma.ts';
import { dropFileLeaf } from './file-leaf.ts';

/** What unmapping, mprotect, fork and mremap do with one huge leaf that lies in their range as a whole. */

/** zap_huge_pmd. The page is in mm.tlbBatch afterwards. */
export function zapHugeLeaf(mm: MemoryManager, vma: Vma, start: Vpn, slot: number): void {
  const { pageTables, thp } = mm;
  if (vma.kind !== VMA_ANON) {
    dropFileLeaf(mm, vma, start, slot, 'use');
    mm.tlbBatch.add(start);
    return;
  }
  const head = pageTables.frameOf(pageTables.read(slot));
  pageTables.set(slot, 0);
  pageTables.freeDeposit(vma.space, slot);
  mm.tlbBatch.add(start);
  if (head === thp.zeroPage) return;
  if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
    mm.events.emit(EV_PAGE_UNMAP, vma.space.id, start * PAGE_SIZE, head, thp.pages, MM_ANONPAGES);
  mm.addRss(vma.space, MM_ANONPAGES, -thp.pages);
  mm.rmap.large.removeEntire(head);
  if ((vma.flags & VM_LOCKED) !== 0) munlockPage(mm, head);
  mm.alloc.putFrame(head);
}

/** change_huge_pmd. */
export function protectHugeLeaf(mm: MemoryManager, vma: Vma, start: Vpn, slot: number): void {
  const { pageTables, thp, frames, format } = mm;
  const entry = pageTables.read(slot);
  const head = pageTables.frameOf(entry);
  const exclusive = head !== thp.zeroPage && (frames.flags[head] & PG_anon_exclusive) !== 0;
  const mayWrite = vma.kind === VMA_ANON ? (vma.flags & VM_WRITE) !== 0 && exclusive : wantsNoWriteNotice(vma);
  const write = mayWrite ? 'writable' : 'readonly';
  const changed = pageTables.makeEntry(head, vma.flags, write, entry & (format.ACCESSED | format.DIRTY), thp.level);
  if (changed === entry) return;
  pageTables.set(slot, changed);
  mm.tlbBatch.add(start);
}

/** copy_huge_pmd: shared memory is faulted in again. 0, -ENOMEM, or -EAGAIN where reclaim has split the page meanwhile. The caller flushes the parent's TLB. */
export function copyHugeLeaf(mm: MemoryManager, to: Vma, start: Vpn, source: number): number {
  const { pageTables, thp, format } = mm;
  if (to.kind !== VMA_ANON) return 0;
  const target = pageTables.ensureAt(to.space, start, thp.level);
  if (target === -1 || !pageTables.deposit(to.space, target)) return -ENOMEM;
  const entry = pageTables.read(source);
  if (!pageTables.isHugeEntry(entry)) {
    pageTables.freeDeposit(to.space, target);
    return -EAGAIN;
  }
  const head = pageTables.frameOf(entry);
  const copied = (entry & ~format.WRITE) >>> 0;
  pageTables.set(source, copied);
  pageTables.set(target, (copied & ~format.ACCESSED) >>> 0);
  if (head === thp.zeroPage) return 0;
  mm.alloc.getFrame(head);
  mm.rmap.dupHugeAnonRmap(head);
  if (mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, to.space.id, start * PAGE_SIZE, head, thp.pages, MM_ANONPAGES);
  mm.addRss(to.space, MM_ANONPAGES, thp.pages);
  return 0;
}

/** move_huge_pmd: false where the target cannot hold a huge leaf, or reclaim has split it meanwhile; nothing has moved. */
export function moveHugeLeaf(mm: MemoryManager, vma: Vma, from: Vpn, source: number, to: Vpn): boolean {
  const { pageTables, thp } = mm;
  if (to % thp.pages !== 0) return false;
  const target = pageTables.ensureAt(vma.space, to, thp.level);
  if (target === -1 || pageTables.read(target) !== 0 || !pageTables.isHugeEntry(pageTables.read(source))) return false;
  pageTables.set(target, pageTables.read(source));
  pageTables.set(source, 0);
  if (vma.kind === VMA_ANON) pageTables.moveDeposit(source, target);
  if (mm.events.enabled[EV_PAGE_MOVE] !== 0)
    mm.events.emit(EV_PAGE_MOVE, vma.space.id, from * PAGE_SIZE, to * PAGE_SIZE, thp.pages);
  mm.tlbBatch.add(from);
  return true;
}
