import { ENOMEM } from '../../abi/errno.ts';
import { EV_MAJOR_FAULT, EV_PAGE_MAP } from '../../base/event-kinds.ts';
import { ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { KIND_SWAP_IN, MM_ANONPAGES, MM_SWAPENTS } from '../address-space.ts';
import { PAGE_LOCKED } from '../block/request.ts';
import { copyForStranger, noteSwappedIn } from '../ksm/swapped-in.ts';
import type { Memcg } from '../memcg/memcg.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mlockPage } from '../mlock-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { GFP_HIGHUSER_MOVABLE } from '../phys/gfp.ts';
import { PG_ksm, PG_mlocked, PG_swapcache } from '../phys/page-flags.ts';
import type { SwapEntry } from '../swap/entry.ts';
import { readAlone, swapIn } from '../swap/swap-in.ts';
import { isUffdProtected } from '../uffd/protected.ts';
import { VM_LOCKED, VM_WRITE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { cowFault } from './cow.ts';
import { FAULT_BUS, FAULT_DONE, FAULT_OOM, type FaultResult } from './results.ts';
import { sleepOnPage } from './sleep-on-page.ts';

/**
 * A page that is in a slot (Linux 6.18: do_swap_page): found in the swap cache or read, and mapped again.
 *
 *   quick store, one entry leads to the slot -----> read past the cache, exclusive
 *   else through the cache:
 *     a merged page, which is not this space's ---> a copy, exclusive
 *     SWAP_EXCLUSIVE, or nobody else holds it ----> exclusive, so writable where the VMA is
 *     others have entries of the slot ------------> read-only; a write goes on to cowFault
 */
export function swapFault(mm: MemoryManager, vma: Vma, page: Vpn, access: Access, slot: number): FaultResult {
  const { pageTables, frames, swap } = mm;
  const old = pageTables.read(slot);
  const entry = pageTables.swapOf(old);
  mm.lastFaultKind = KIND_SWAP_IN;
  if (mm.rmap.anonVmas.prepare(vma) !== 0) return FAULT_OOM;
  const found = bringIn(mm, entry, vma.space.memcg);
  if (swap.lastInWasMajor) {
    mm.lastFaultMajor = 1;
    mm.vmstat.pgmajfault++;
    if (mm.events.enabled[EV_MAJOR_FAULT] !== 0) mm.events.emit(EV_MAJOR_FAULT, vma.space.id, page * PAGE_SIZE);
    vma.space.memcg.counters.pgmajfault++;
  }
  if (found === PAGE_LOCKED) return sleepOnPage(mm, swap.lockedBy);
  if (found < 0) return found === -ENOMEM ? FAULT_OOM : FAULT_BUS;
  const brought = found as Pfn;
  const own = copyForStranger(mm, vma, page, brought);
  if (own < 0) {
    mm.alloc.putFrame(brought);
    return FAULT_OOM;
  }
  const frame = own as Pfn;
  swap.free(entry);
  const isCached = (frames.flags[frame] & PG_swapcache) !== 0;
  if (isCached && shouldFreeSwap(mm, vma, frame, access)) swap.tryToFreeSwap(frame);
  const isMerged = (frames.flags[frame] & PG_ksm) !== 0;
  const exclusive = !isMerged && (pageTables.isSwapExclusive(old) || frames.refcount[frame] === 1);
  mapAgain(mm, vma, page, slot, frame, { exclusive, access });
  if (isMerged) noteSwappedIn(mm, vma, page, frame);
  mm.flushPage(vma.space, page);
  if (access !== ACCESS_WRITE || (pageTables.read(slot) & mm.format.WRITE) !== 0) return FAULT_DONE;
  const result = cowFault(mm, vma, page, slot);
  if (result === FAULT_DONE) mm.lastFaultKind = KIND_SWAP_IN;
  return result;
}

/** The page's frame with a reference that passes to the entry: -ENOMEM or the store's error. */
function bringIn(mm: MemoryManager, entry: SwapEntry, reader: Memcg): Pfn | number {
  const { swap } = mm;
  const isQuick = swap.areaOf(entry).store.speed === 'synchronous';
  if (!isQuick || swap.countOf(entry) !== 1 || swap.findCached(entry) !== NO_FRAME)
    return swapIn(swap, entry, GFP_HIGHUSER_MOVABLE, reader, mm.atLockedPage);
  swap.lastInWasMajor = true;
  return readAlone(swap, entry, reader);
}

/** should_try_to_free_swap: slots are short, the page stays in memory anyway, or it is about to be written by its only user. */
function shouldFreeSwap(mm: MemoryManager, vma: Vma, frame: Pfn, access: Access): boolean {
  const { frames, swap } = mm;
  if (swap.isFull || (vma.flags & VM_LOCKED) !== 0 || (frames.flags[frame] & PG_mlocked) !== 0) return true;
  return access === ACCESS_WRITE && frames.refcount[frame] === 2;
}

function mapAgain(
  mm: MemoryManager,
  vma: Vma,
  page: Vpn,
  slot: number,
  frame: Pfn,
  how: { readonly exclusive: boolean; readonly access: Access },
): void {
  const { pageTables, format } = mm;
  const entry = pageTables.read(slot);
  const isProtected = isUffdProtected(mm, vma, entry);
  const writable = how.exclusive && (vma.flags & VM_WRITE) !== 0 && !isProtected;
  const state = format.ACCESSED | (writable && how.access === ACCESS_WRITE ? format.DIRTY : 0);
  const plain = pageTables.makeEntry(frame, vma.flags, writable ? 'writable' : 'readonly', state);
  pageTables.set(slot, pageTables.isUffdWp(entry) ? pageTables.withUffdMark(plain) : plain);
  mm.rmap.addSwappedAnonRmap(frame, vma, page, how.exclusive ? 'exclusive' : 'shared');
  if ((vma.flags & VM_LOCKED) !== 0) mlockPage(mm, frame);
  if (mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, vma.space.id, page * PAGE_SIZE, frame, 1, MM_ANONPAGES);
  mm.addRss(vma.space, MM_ANONPAGES, 1);
  mm.addRss(vma.space, MM_SWAPENTS, -1);
  mm.lastFaultFrame = frame;
}
