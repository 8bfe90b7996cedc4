import { EV_PAGE_YOUNG } from '../base/event-kinds.ts';
import { COST_TABLE_LOOK_NS, COST_TABLE_YOUNG_NS } from '../machine/cost-model.ts';
import type { Pfn, Vpn } from '../machine/units.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';
import type { TableWalker } from './reclaim/lruvec-pages.ts';
import type { TableVisitor } from './reclaim/policy.ts';
import type { RmapVma } from './rmap/rmap-vma.ts';
import { VM_EXEC, VM_LOCKED, VM_RAND_READ, VM_READ, VM_SEQ_READ, VM_SPECIAL, VM_WRITE } from './vm-flags.ts';
import { VMA_HUGETLB, VMA_SPECIAL, type Vma } from './vma.ts';

/**
 * Finds accessed entries by going through page tables (Linux 6.18: walk_mm, walk_pte_range and lru_gen_look_around, mm/vmscan.c):
 * where many of them are young that is quicker than the reverse map. Clears the ACCESSED bits that it reports, TLB included.
 */
export class YoungWalker implements TableWalker {
  private readonly mm: MemoryManager;
  /** Of a table. */
  private readonly entries: number;

  constructor(mm: MemoryManager) {
    this.mm = mm;
    this.entries = 2 ** mm.format.bitsPerLevel;
  }

  /** The spaces in the order of their making (lru_gen_mm_list). */
  walk(visitor: TableVisitor): void {
    const { pageTables, thp } = this.mm;
    for (const space of this.mm.spaces)
      pageTables.forEachTable(space, (table, level, firstPage) => {
        if (level === 0) this.walkTable(space, table, firstPage as Vpn, visitor);
        else if (level === thp.level) this.walkHuge(space, firstPage as Vpn, visitor);
      });
  }

  private walkTable(space: AddressSpace, table: Pfn, firstPage: Vpn, visitor: TableVisitor): void {
    const { pageTables } = this.mm;
    const first = pageTables.findLeaf(space, firstPage);
    // A table that is put by for a huge leaf has no entries that count.
    if (first === -1 || !visitor.wantsTable(table)) return;
    let total = 0;
    let young = 0;
    const end = firstPage + this.entries;
    let vma = space.vmas.find(firstPage);
    for (let page: number = firstPage; vma !== null && page < end; ) {
      if (page < vma.startVpn) page = vma.startVpn;
      const stop = Math.min(end, vma.endVpn);
      if (hasRecency(vma))
        for (; page < stop; page++) {
          total++;
          if (this.take(space, page as Vpn, pageTables.slotBeside(first, page - firstPage), visitor)) young++;
        }
      page = Math.max(page, vma.endVpn);
      if (page < end) vma = space.vmas.find(page as Vpn);
    }
    this.charge(total, young);
    visitor.tableDone(table, total, young, 'walk');
  }

  /** walk_pmd_range: the huge leaves of a table of the level above. */
  private walkHuge(space: AddressSpace, firstPage: Vpn, visitor: TableVisitor): void {
    const { pageTables, thp } = this.mm;
    const span = pageTables.spanOf(thp.level);
    for (let i = 0; i < this.entries; i++) {
      const page = (firstPage + i * span) as Vpn;
      const slot = pageTables.findAt(space, page, thp.level);
      if (slot === -1 || !pageTables.isHugeEntry(pageTables.read(slot))) continue;
      const vma = space.vmas.find(page);
      if (vma !== null && vma.startVpn <= page && hasRecency(vma)) this.take(space, page, slot, visitor);
    }
  }

  lookAround(view: RmapVma, at: Vpn, window: number, visitor: TableVisitor): void {
    const { pageTables } = this.mm;
    const vma = view as Vma;
    const slot = pageTables.findLeaf(vma.space, at);
    if (slot === -1 || !hasRecency(vma)) return;
    const tableStart = at - (at % this.entries);
    let start = Math.max(tableStart, vma.startVpn);
    let end = Math.min(tableStart + this.entries, vma.endVpn);
    if (end - start > window) {
      if (at - start < window / 2) end = start + window;
      else if (end - at < window / 2) start = end - window;
      else {
        start = at - window / 2;
        end = at + window / 2;
      }
    }
    // The page itself was found young before.
    let young = 1;
    for (let page = start; page < end; page++)
      if (page !== at && this.take(vma.space, page as Vpn, pageTables.slotBeside(slot, page - at), visitor)) young++;
    this.charge(end - start, young - 1);
    visitor.tableDone(pageTables.tableOf(slot), end - start, young, 'look-around');
  }

  private charge(looked: number, young: number): void {
    this.mm.clock.charge(looked * COST_TABLE_LOOK_NS + young * COST_TABLE_YOUNG_NS);
  }

  /** Whether the entry was accessed, and its page is one of the visitor's. */
  private take(space: AddressSpace, page: Vpn, slot: number, visitor: TableVisitor): boolean {
    const { mm } = this;
    const { pageTables, frames, format } = mm;
    const entry = pageTables.read(slot);
    if (!pageTables.isMapped(entry) || (entry & format.ACCESSED) === 0) return false;
    const frame = frames.headOf(pageTables.frameOf(entry));
    if (frame === mm.zeroPage || !visitor.wantsPage(frame)) return false;
    pageTables.set(slot, (entry & ~format.ACCESSED) >>> 0);
    mm.flushPage(space, page);
    if (mm.events.enabled[EV_PAGE_YOUNG] !== 0) mm.events.emit(EV_PAGE_YOUNG, space.id, page * PAGE_SIZE, frame);
    visitor.pageIsYoung(frame);
    return true;
  }
}

/** should_skip_vma, vma_has_recency: are accesses there a sign that the pages will be wanted again? */
function hasRecency(vma: Vma): boolean {
  if (vma.kind === VMA_HUGETLB || vma.kind === VMA_SPECIAL) return false;
  if ((vma.flags & (VM_READ | VM_WRITE | VM_EXEC)) === 0) return false;
  return (vma.flags & (VM_SPECIAL | VM_LOCKED | VM_SEQ_READ | VM_RAND_READ)) === 0;
}
