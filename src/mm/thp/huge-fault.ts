import { EV_COW_REUSE, EV_PAGE_MAP, EV_THP_FAULT_ALLOC, EV_THP_FAULT_FALLBACK } from '../../base/event-kinds.ts';
import { COST_PAGE_ZERO_NS } from '../../machine/cost-model.ts';
import { ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { KIND_ANON_READ_ZERO, KIND_ANON_ZERO, KIND_COW_REUSE, KIND_SPURIOUS, MM_ANONPAGES } from '../address-space.ts';
import { FAULT_DONE } from '../fault/results.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mlockPage } from '../mlock-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon_exclusive } from '../phys/page-flags.ts';
import { VM_LOCKED, VM_WRITE } from '../vm-flags.ts';
import { VMA_ANON, type Vma } from '../vma.ts';
import { splitHugeLeaf } from './split.ts';

/** What a handler of huge pages says: FAULT_DONE, or that small pages are to do it. */
export type HugeResult = 0 | 'small';

/** do_huge_pmd_anonymous_page: the first touch of a range that may be one huge page. */
export function hugeAnonFault(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): HugeResult {
  const { thp, pageTables, format } = mm;
  if (!thp.isAllowed(vma, 'fault') || !thp.fits(vma, page)) return 'small';
  thp.khugepaged.enter(vma.space);
  const start = thp.startOf(page);
  const slot = pageTables.ensureAt(vma.space, start, thp.level);
  if (slot === -1 || pageTables.read(slot) !== 0) return 'small';
  if (access !== ACCESS_WRITE && thp.useZeroPage) {
    const zero = thp.ensureZeroPage();
    if (zero === NO_FRAME || !pageTables.deposit(vma.space, slot)) return 'small';
    pageTables.set(slot, pageTables.makeEntry(zero as Pfn, vma.flags, 'readonly', format.ACCESSED, thp.level));
    mm.lastFaultKind = KIND_ANON_READ_ZERO;
    mm.lastFaultFrame = zero;
    return FAULT_DONE;
  }
  if (mm.rmap.anonVmas.prepare(vma) !== 0) return 'small';
  const frame = allocZeroedHuge(mm, vma);
  if (frame === NO_FRAME || !pageTables.deposit(vma.space, slot)) {
    if (frame !== NO_FRAME) mm.alloc.putFrame(frame as Pfn);
    mm.vmstat.thp_fault_fallback++;
    if (mm.events.enabled[EV_THP_FAULT_FALLBACK] !== 0)
      mm.events.emit(EV_THP_FAULT_FALLBACK, vma.space.id, page * PAGE_SIZE);
    return 'small';
  }
  installHuge(mm, vma, start, slot, frame as Pfn);
  mm.vmstat.thp_fault_alloc++;
  if (mm.events.enabled[EV_THP_FAULT_ALLOC] !== 0)
    mm.events.emit(EV_THP_FAULT_ALLOC, vma.space.id, page * PAGE_SIZE, frame);
  vma.space.memcg.counters.thp_fault_alloc++;
  mm.lastFaultKind = KIND_ANON_ZERO;
  return FAULT_DONE;
}

/** A fault under a huge leaf: a write to one that is read-only, or nothing at all. 'small': it is split now, look again. */
export function hugeLeafFault(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, access: Access): HugeResult {
  const { pageTables, format, thp } = mm;
  const entry = pageTables.read(slot);
  const frame = pageTables.frameOf(entry);
  if (access !== ACCESS_WRITE || (entry & format.WRITE) !== 0) {
    mm.lastFaultKind = KIND_SPURIOUS;
    mm.lastFaultFrame = pageTables.frameWithin(entry, thp.level, page);
    const state = format.ACCESSED | (access === ACCESS_WRITE ? format.DIRTY : 0);
    pageTables.set(slot, (entry | state) >>> 0);
    mm.flushPage(vma.space, page);
    return FAULT_DONE;
  }
  if (vma.kind !== VMA_ANON) {
    // wp_huge_pmd: a private mapping gets a copy of the small page.
    splitHugeLeaf(mm, vma, page);
    return 'small';
  }
  return frame === thp.zeroPage ? writeZero(mm, vma, page, slot) : writeProtected(mm, vma, page, slot);
}

/** do_huge_zero_wp_pmd. */
function writeZero(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): HugeResult {
  const frame = mm.rmap.anonVmas.prepare(vma) === 0 ? allocZeroedHuge(mm, vma) : NO_FRAME;
  if (frame === NO_FRAME) {
    mm.vmstat.thp_fault_fallback++;
    if (mm.events.enabled[EV_THP_FAULT_FALLBACK] !== 0)
      mm.events.emit(EV_THP_FAULT_FALLBACK, vma.space.id, page * PAGE_SIZE);
    splitHugeLeaf(mm, vma, page);
    return 'small';
  }
  mm.vmstat.thp_fault_alloc++;
  if (mm.events.enabled[EV_THP_FAULT_ALLOC] !== 0)
    mm.events.emit(EV_THP_FAULT_ALLOC, vma.space.id, page * PAGE_SIZE, frame);
  installHuge(mm, vma, mm.thp.startOf(page), slot, frame as Pfn);
  mm.flushPage(vma.space, page);
  mm.lastFaultKind = KIND_ANON_ZERO;
  return FAULT_DONE;
}

/** do_huge_pmd_wp_page: the sole owner goes on with it; else it is split, and one small page copied. */
function writeProtected(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): HugeResult {
  const { pageTables, format, frames, thp } = mm;
  const head = pageTables.frameOf(pageTables.read(slot));
  const exclusive = (frames.flags[head] & PG_anon_exclusive) !== 0;
  if (!exclusive && frames.refcount[head] !== 1) {
    splitHugeLeaf(mm, vma, page);
    return 'small';
  }
  if (!exclusive) mm.rmap.moveHugeAnonRmap(head, vma);
  if (mm.events.enabled[EV_COW_REUSE] !== 0)
    mm.events.emit(EV_COW_REUSE, vma.space.id, page * PAGE_SIZE, head + (page % thp.pages));
  const write = (vma.flags & VM_WRITE) !== 0 ? 'writable' : 'readonly';
  pageTables.set(slot, pageTables.makeEntry(head, vma.flags, write, format.ACCESSED | format.DIRTY, thp.level));
  mm.flushPage(vma.space, page);
  mm.lastFaultKind = KIND_COW_REUSE;
  mm.lastFaultFrame = head + (page % thp.pages);
  return FAULT_DONE;
}

function allocZeroedHuge(mm: MemoryManager, vma: Vma): Pfn | -1 {
  const frame = mm.thp.allocate(vma, 'fault');
  if (frame === NO_FRAME) return NO_FRAME;
  for (let each = 0; each < mm.thp.pages; each++) mm.ram.zeroFrame((frame + each) as Pfn);
  mm.clock.charge(COST_PAGE_ZERO_NS * mm.thp.pages);
  return frame;
}

/** map_anon_folio_pmd: maps a new huge page, whose one reference passes to the leaf; the slot's table is put by already. */
export function installHuge(mm: MemoryManager, vma: Vma, start: Vpn, slot: number, frame: Pfn): void {
  const { pageTables, format, thp } = mm;
  const writable = (vma.flags & VM_WRITE) !== 0;
  mm.rmap.addNewAnonRmap(frame, vma, start);
  if ((vma.flags & VM_LOCKED) !== 0) mlockPage(mm, frame);
  if (thp.shrinkUnderused) mm.alloc.deferredSplits.add(frame, 'unused');
  if (mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, vma.space.id, start * PAGE_SIZE, frame, thp.pages, MM_ANONPAGES);
  mm.addRss(vma.space, MM_ANONPAGES, thp.pages);
  const state = format.ACCESSED | (writable ? format.DIRTY : 0);
  pageTables.set(slot, pageTables.makeEntry(frame, vma.flags, writable ? 'writable' : 'readonly', state, thp.level));
  mm.lastFaultFrame = frame;
}
