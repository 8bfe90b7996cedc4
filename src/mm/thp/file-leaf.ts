import { EV_PAGE_MAP, EV_PAGE_UNMAP } from '../../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import { MM_SHMEMPAGES } from '../address-space.ts';
import { wantsNoWriteNotice } from '../fault/write-notice.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mlockPage, munlockPage } from '../mlock-pages.ts';
import { PG_referenced } from '../phys/page-flags.ts';
import { hasRecency, VM_LOCKED } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';

/** Huge leaves that map a huge page of shared memory. They have no table put by: what one loses, a fault maps again. */

/**
 * do_set_pmd (Linux 6.18, mm/memory.c): maps the whole huge page that `part` belongs to by one entry, if the VMA can have one and no
 * table is there. The caller's reference passes to the entry.
 */
export function mapFileLeaf(mm: MemoryManager, vma: Vma, page: Vpn, part: Pfn, access: 'read' | 'write'): boolean {
  const { frames, thp, pageTables, format } = mm;
  const head = frames.headOf(part);
  if (frames.order[head] !== thp.order || !thp.mayMapFile(vma) || !thp.fits(vma, page)) return false;
  const slot = pageTables.ensureAt(vma.space, thp.startOf(page), thp.level);
  if (slot === -1 || pageTables.read(slot) !== 0) return false;
  mm.rmap.large.addEntire(head);
  if ((vma.flags & VM_LOCKED) !== 0) mlockPage(mm, head);
  if (mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, vma.space.id, thp.startOf(page) * PAGE_SIZE, head, thp.pages, MM_SHMEMPAGES);
  mm.addRss(vma.space, MM_SHMEMPAGES, thp.pages);
  const write = access === 'write' || wantsNoWriteNotice(vma) ? 'writable' : 'readonly';
  const state = format.ACCESSED | (access === 'write' ? format.DIRTY : 0);
  pageTables.setFileLeaf(slot, pageTables.makeEntry(head, vma.flags, write, state, thp.level));
  mm.vmstat.thp_file_mapped++;
  mm.lastFaultFrame = head + (page % thp.pages);
  return true;
}

/** zap_huge_pmd, __split_huge_pmd_locked: the entry goes; a 'use' of the page is one more, 'split' marks it alone. The caller flushes. */
export function dropFileLeaf(mm: MemoryManager, vma: Vma, start: Vpn, slot: number, what: 'use' | 'split'): void {
  const { frames, thp, pageTables, format } = mm;
  const entry = pageTables.read(slot);
  const head = pageTables.frameOf(entry);
  pageTables.setFileLeaf(slot, 0);
  if ((entry & format.DIRTY) !== 0) mm.pageCache.markDirty(head);
  if ((entry & format.ACCESSED) !== 0) {
    if (what === 'split') frames.set(head, PG_referenced);
    else if (hasRecency(vma.flags)) mm.pageCache.markAccessed(head);
  }
  if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
    mm.events.emit(EV_PAGE_UNMAP, vma.space.id, start * PAGE_SIZE, head, thp.pages, MM_SHMEMPAGES);
  mm.addRss(vma.space, MM_SHMEMPAGES, -thp.pages);
  mm.rmap.large.removeEntire(head);
  if ((vma.flags & VM_LOCKED) !== 0) munlockPage(mm, head);
  mm.alloc.putFrame(head);
}
