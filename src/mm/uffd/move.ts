import { EAGAIN, EBUSY, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM } from '../../abi/errno.ts';
import { EV_PAGE_MOVE } from '../../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon, PG_anon_exclusive } from '../phys/page-flags.ts';
import { splitHugeLeaf } from '../thp/split.ts';
import { splitHugePage } from '../thp/split-page.ts';
import { VM_ACCESS_FLAGS, VM_HUGETLB, VM_IO, VM_LOCKED, VM_PFNMAP, VM_SHARED, VM_WRITE } from '../vm-flags.ts';
import { VMA_ANON, type Vma } from '../vma.ts';
import type { UffdContext } from './context.ts';

const NOT_MOVABLE = VM_PFNMAP | VM_IO | VM_HUGETLB;

export interface UffdMove {
  readonly to: Vpn;
  readonly from: Vpn;
  readonly pages: number;
  /** A page that is not there: -ENOENT, or passed over (ALLOW_SRC_HOLES). */
  readonly holes: 'refuse' | 'allow';
}

/**
 * UFFDIO_MOVE (Linux 6.18: move_pages): anonymous pages change their address without a copy. Bytes done, from the front; with
 * none done -EAGAIN, -ENOENT, -EINVAL, -EEXIST (a page is at the target), -EBUSY (the page is shared with another process).
 */
export function movePages(mm: MemoryManager, context: UffdContext, move: UffdMove): number {
  const { to, from, pages } = move;
  const { vmas } = context.space;
  if (context.isMappingChanging) return -EAGAIN;
  const target = vmas.find(to);
  if (target === null || target.startVpn > to) return -ENOENT;
  if ((target.flags & VM_SHARED) === 0 && mm.rmap.anonVmas.prepare(target) !== 0) return -ENOMEM;
  const source = vmas.find(from);
  if (source === null || source.startVpn > from) return -ENOENT;
  if (((source.flags | target.flags) & VM_SHARED) !== 0) return -EINVAL;
  if (from + pages > source.endVpn || to + pages > target.endVpn) return -EINVAL;
  if (!areAlike(source, target) || target.uffd !== context) return -EINVAL;
  let done = 0;
  for (; done < pages; done++) {
    const result = moveOne(mm, target, (from + done) as Vpn, (to + done) as Vpn, move.holes);
    if (result === 0) continue;
    mm.tlbBatch.finish(context.space);
    return done > 0 ? done * PAGE_SIZE : result;
  }
  mm.tlbBatch.finish(context.space);
  return done * PAGE_SIZE;
}

/** validate_move_areas. */
function areAlike(source: Vma, target: Vma): boolean {
  const differing = source.flags ^ target.flags;
  if ((differing & (VM_ACCESS_FLAGS | VM_LOCKED)) !== 0 || (source.flags & VM_WRITE) === 0) return false;
  if (((source.flags | target.flags) & NOT_MOVABLE) !== 0) return false;
  return source.kind === VMA_ANON && target.kind === VMA_ANON;
}

/** move_pages_pte. The target is looked at before the source, but for a source without a table; allowed holes get one. */
function moveOne(mm: MemoryManager, target: Vma, from: Vpn, to: Vpn, holes: UffdMove['holes']): number {
  const { pageTables, frames, format } = mm;
  const { space } = target;
  const source = space.vmas.find(from);
  if (source !== null) splitHugeLeaf(mm, source, from);
  if (holes === 'allow' && pageTables.ensureLeaf(space, from) === -1) return -ENOMEM;
  const sourceSlot = pageTables.findLeaf(space, from);
  if (sourceSlot === -1) return -ENOENT;
  const targetSlot = pageTables.ensureLeaf(space, to);
  if (targetSlot === -1) return -ENOMEM;
  if (pageTables.read(targetSlot) !== 0) return -EEXIST;
  const entry = pageTables.read(sourceSlot);
  if (entry === 0) return holes === 'allow' ? 0 : -ENOENT;
  if (pageTables.isSwap(entry)) return moveSwapped(mm, target, from, sourceSlot, targetSlot, to);
  if (!pageTables.isMapped(entry)) return -EFAULT;
  const frame = pageTables.frameOf(entry);
  if (frame === mm.zeroPage) {
    mm.ksm.uncountZeroPage(space, entry);
    pageTables.set(targetSlot, pageTables.makeEntry(frame, target.flags, 'readonly', format.ACCESSED));
  } else {
    if ((frames.flags[frame] & PG_anon_exclusive) === 0) return -EBUSY;
    if (frames.isLarge(frame))
      return splitHugePage(mm, frames.headOf(frame)) ? moveOne(mm, target, from, to, holes) : -EBUSY;
    mm.rmap.moveAnonRmap(frame, target);
    frames.index[frame] = target.pgoff + (to - target.startVpn);
    const state = entry & (format.DIRTY | format.ACCESSED);
    pageTables.set(targetSlot, pageTables.makeEntry(frame, target.flags, 'writable', state));
  }
  pageTables.set(sourceSlot, 0);
  if (mm.events.enabled[EV_PAGE_MOVE] !== 0)
    mm.events.emit(EV_PAGE_MOVE, space.id, from * PAGE_SIZE, to * PAGE_SIZE, 1);
  mm.tlbBatch.add(from);
  return 0;
}

/** move_swap_pte: the slot has one entry, which changes its place; a page of it in memory is the target's then. */
function moveSwapped(
  mm: MemoryManager,
  target: Vma,
  from: Vpn,
  sourceSlot: number,
  targetSlot: number,
  to: Vpn,
): number {
  const { pageTables, frames } = mm;
  const entry = pageTables.read(sourceSlot);
  if (!pageTables.isSwapExclusive(entry)) return -EBUSY;
  const cached = mm.swap.findCached(pageTables.swapOf(entry));
  if (cached !== NO_FRAME && (frames.flags[cached] & PG_anon) !== 0) {
    mm.rmap.moveAnonRmap(cached as Pfn, target);
    mm.rmap.shareAnonRmap(cached as Pfn);
    frames.index[cached] = target.pgoff + (to - target.startVpn);
  }
  pageTables.set(targetSlot, pageTables.withoutUffdWp(entry));
  pageTables.set(sourceSlot, 0);
  if (mm.events.enabled[EV_PAGE_MOVE] !== 0)
    mm.events.emit(EV_PAGE_MOVE, target.space.id, from * PAGE_SIZE, to * PAGE_SIZE, 1);
  return 0;
}
