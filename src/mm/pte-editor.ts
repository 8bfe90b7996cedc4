import type { Pfn, Vpn } from '../machine/units.ts';
import type { MemoryManager } from './memory-manager.ts';
import { NO_FRAME } from './phys/frame-table.ts';
import type { PageTableEditor, RmapVma } from './rmap/rmap-vma.ts';
import type { Vma } from './vma.ts';
import { rssMemberOf, zapEntry, zapRange } from './zap.ts';

/** What reverse mapping, writeback and truncation may do to page tables: the verbs of rmap-vma.ts over mm's own. */
export class PteEditor implements PageTableEditor {
  private readonly mm: MemoryManager;

  constructor(mm: MemoryManager) {
    this.mm = mm;
  }

  frameAt(view: RmapVma, page: Vpn): Pfn | -1 {
    const { pageTables } = this.mm;
    const slot = pageTables.findLeaf((view as Vma).space, page);
    if (slot === -1) return NO_FRAME;
    const entry = pageTables.read(slot);
    return pageTables.isMapped(entry) ? pageTables.frameOf(entry) : NO_FRAME;
  }

  isDirty(view: RmapVma, page: Vpn): boolean {
    const { pageTables, format } = this.mm;
    const slot = pageTables.findLeaf((view as Vma).space, page);
    if (slot === -1) return false;
    const entry = pageTables.read(slot);
    return pageTables.isMapped(entry) && (entry & format.DIRTY) !== 0;
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
    if (slot === -1) return;
    const entry = mm.pageTables.read(slot);
    if (!mm.pageTables.isMapped(entry)) return;
    const member = rssMemberOf(mm, mm.pageTables.frameOf(entry));
    if (zapEntry(mm, vma, page, slot) !== 0) mm.addRss(vma.space, member, -1);
    mm.tlbBatch.finish(vma.space);
  }

  zapRange(view: RmapVma, start: Vpn, end: Vpn, what: 'even_cows' | 'pagecache'): void {
    zapRange(this.mm, view as Vma, start, end, what);
  }
}
