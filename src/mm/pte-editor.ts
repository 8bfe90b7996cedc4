import { EV_PAGE_UNMAP, EV_SWAP_UNMAP } from '../base/event-kinds.ts';
import type { Pfn, Vpn } from '../machine/units.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { MM_ANONPAGES, MM_SWAPENTS } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';
import { mlockPage } from './mlock-pages.ts';
import { NO_FRAME } from './phys/frame-table.ts';
import { PG_anon, PG_dirty, PG_swapcache } from './phys/page-flags.ts';
import type { PageTableEditor, RmapVma } from './rmap/rmap-vma.ts';
import { swapOffsetOf, swapTypeOf } from './swap/entry.ts';
import { splitHugeLeaf } from './thp/split.ts';
import { splitHugePage } from './thp/split-page.ts';
import type { Vma } from './vma.ts';
import { rssMemberOf, zapEntry, zapRange } from './zap.ts';

/** What reverse mapping, writeback and truncation may do to page tables: the verbs of rmap-vma.ts over mm's own. */
export class PteEditor implements PageTableEditor {
  private readonly mm: MemoryManager;
  /** Of the last slotOf. */
  private level = 0;

  constructor(mm: MemoryManager) {
    this.mm = mm;
  }

  /** The slot of the entry that maps the page, huge or not, and its level in `level`; -1 where nothing does. */
  private slotOf(view: RmapVma, page: Vpn): number {
    const { pageTables, thp } = this.mm;
    const { space } = view as Vma;
    this.level = 0;
    let slot = pageTables.findLeaf(space, page);
    if (slot === -1) {
      this.level = thp.level;
      slot = pageTables.findAt(space, page, thp.level);
      if (slot === -1 || !pageTables.isHugeEntry(pageTables.read(slot))) return -1;
    }
    return pageTables.isMapped(pageTables.read(slot)) ? slot : -1;
  }

  frameAt(view: RmapVma, page: Vpn): Pfn | -1 {
    const { pageTables } = this.mm;
    const slot = this.slotOf(view, page);
    return slot === -1 ? NO_FRAME : pageTables.frameWithin(pageTables.read(slot), this.level, page);
  }

  clearAccessed(view: RmapVma, page: Vpn): boolean {
    const { mm } = this;
    const slot = this.slotOf(view, page);
    if (slot === -1) return false;
    const entry = mm.pageTables.read(slot);
    if ((entry & mm.format.ACCESSED) === 0) return false;
    mm.pageTables.set(slot, (entry & ~mm.format.ACCESSED) >>> 0);
    mm.flushPage((view as Vma).space, page);
    return true;
  }

  isDirty(view: RmapVma, page: Vpn): boolean {
    const slot = this.slotOf(view, page);
    return slot !== -1 && (this.mm.pageTables.read(slot) & this.mm.format.DIRTY) !== 0;
  }

  cleanPage(view: RmapVma, page: Vpn): boolean {
    const { mm } = this;
    const { pageTables, format } = mm;
    const { space } = view as Vma;
    const slot = pageTables.findLeaf(space, page);
    if (slot === -1) return false;
    const entry = pageTables.read(slot);
    if (!pageTables.isMapped(entry) || (entry & (format.WRITE | format.DIRTY)) === 0) return false;
    pageTables.set(slot, (entry & ~(format.WRITE | format.DIRTY)) >>> 0);
    mm.flushPage(space, page);
    return (entry & format.DIRTY) !== 0;
  }

  unmapPage(view: RmapVma, page: Vpn): void {
    const { mm } = this;
    const vma = view as Vma;
    const slot = mm.pageTables.findLeaf(vma.space, page);
    if (slot === -1) {
      // TTU_SPLIT_HUGE_PMD: of shared memory that is all.
      splitHugeLeaf(mm, vma, page);
      return;
    }
    const entry = mm.pageTables.read(slot);
    if (!mm.pageTables.isMapped(entry)) return;
    const frame = mm.pageTables.frameOf(entry);
    // Not through tlbBatch: reclaim may run in the middle of an operation that is filling it.
    if (isInSwap(mm, frame)) {
      this.replaceBySwap(vma, page, slot, frame);
    } else {
      const member = rssMemberOf(mm, frame);
      if (zapEntry(mm, vma, page, slot, 'reclaim') !== 0) mm.addRss(vma.space, member, -1);
    }
    mm.flushPage(vma.space, page);
  }

  /** try_to_unmap_one of an anonymous page in the swap cache: the entry leads to its slot from now on. */
  private replaceBySwap(vma: Vma, page: Vpn, slot: number, frame: Pfn): void {
    const { mm } = this;
    const { pageTables, format } = mm;
    const entry = pageTables.read(slot);
    const swap = mm.swap.entryOf(frame);
    mm.swap.dup(swap);
    const exclusive = mm.rmap.shareAnonRmap(frame) ? format.SWAP_EXCLUSIVE : 0;
    const protection = pageTables.isUffdWp(entry) ? format.SWAP_UFFD_WP : 0;
    pageTables.set(slot, pageTables.makeSwap(swap, exclusive | protection));
    if ((entry & format.DIRTY) !== 0) mm.frames.set(frame, PG_dirty);
    if (mm.events.enabled[EV_SWAP_UNMAP] !== 0)
      mm.events.emit(EV_SWAP_UNMAP, vma.space.id, page * PAGE_SIZE, frame, swapTypeOf(swap), swapOffsetOf(swap));
    if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
      mm.events.emit(EV_PAGE_UNMAP, vma.space.id, page * PAGE_SIZE, frame, 1, MM_ANONPAGES);
    mm.addRss(vma.space, MM_ANONPAGES, -1);
    mm.addRss(vma.space, MM_SWAPENTS, 1);
    vma.space.swapOuts++;
    mm.rmap.removeRmap(frame);
    mm.alloc.putFrame(frame);
  }

  isHugeAt(view: RmapVma, page: Vpn): boolean {
    return this.slotOf(view, page) !== -1 && this.level > 0;
  }

  lockAgain(page: Pfn): void {
    mlockPage(this.mm, page);
  }

  splitPage(head: Pfn): boolean {
    return splitHugePage(this.mm, head);
  }

  zapRange(view: RmapVma, start: Vpn, end: Vpn, what: 'even_cows' | 'pagecache'): void {
    zapRange(this.mm, view as Vma, start, end, what);
  }
}

function isInSwap(mm: MemoryManager, frame: Pfn): boolean {
  const anonymous = PG_anon | PG_swapcache;
  return (mm.frames.flags[frame] & anonymous) === anonymous;
}
