import { EV_PAGE_UNMAP, EV_THP_SPLIT_PAGE, EV_THP_SPLIT_PAGE_FAILED } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { MM_ANONPAGES } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_mlocked, PG_pagecache } from '../phys/page-flags.ts';
import { forEachMapping, isMappedShared } from '../rmap/rmap-walk.ts';
import { splitCached } from '../shmem/split-large.ts';
import { VM_LOCKED } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { splitHugeLeaf } from './split.ts';

/**
 * The huge page becomes small ones in all page tables (split_folio: __folio_split, Linux 6.18), and those that nobody maps are free.
 * Those that hold zeroes alone give way to the zero page (try_to_map_unused_to_zeropage). False where somebody holds it beside its entries.
 */
export function splitHugePage(mm: MemoryManager, head: Pfn): boolean {
  const { frames, rmap, vmstat } = mm;
  if ((frames.flags[head] & PG_pagecache) !== 0) return splitCached(mm.pageCache, head, null);
  if (frames.refcount[head] !== frames.largeMapcount[head]) {
    vmstat.thp_split_page_failed++;
    if (mm.events.enabled[EV_THP_SPLIT_PAGE_FAILED] !== 0) mm.events.emit(EV_THP_SPLIT_PAGE_FAILED, head);
    return false;
  }
  const count = frames.pagesOf(head);
  const isLocked = (frames.flags[head] & PG_mlocked) !== 0;
  const wasInParts = frames.pagesMapped[head] > 1;
  let last = 'leaf' as 'leaf' | 'part';
  forEachMapping(rmap, head, (vma, page) => {
    last = rmap.editor.isHugeAt(vma, page) ? 'leaf' : 'part';
    if (last === 'leaf') splitHugeLeaf(mm, vma as Vma, page);
  });
  // Entries of parts go one by one meanwhile (try_to_migrate_one), so that it is mapped in part for a moment, and counted.
  if (wasInParts && last === 'part') mm.alloc.deferredSplits.add(head, 'partially mapped');
  const locks = new Int32Array(count);
  if (isLocked)
    forEachMapping(rmap, head, (vma, page) => {
      if ((vma.flags & VM_LOCKED) !== 0) locks[rmap.editor.frameAt(vma, page) - head]++;
    });
  rmap.splitAnon(head, (frame) => locks[frame - head]);
  vmstat.thp_split_page++;
  if (mm.events.enabled[EV_THP_SPLIT_PAGE] !== 0) mm.events.emit(EV_THP_SPLIT_PAGE, head, count);
  if (isLocked) return true;
  for (let frame = head; frame < head + count; frame = (frame + 1) as Pfn)
    if (frames.mapcount[frame] > 0 && isZeroFilled(mm, frame)) mapZeroPage(mm, frame);
  return true;
}

export function isZeroFilled({ ram }: MemoryManager, frame: Pfn): boolean {
  const { u32 } = ram;
  const first = ram.offsetOf(frame) / 4;
  for (let word = first; word < first + 1024; word++) if (u32[word] !== 0) return false;
  return true;
}

function mapZeroPage(mm: MemoryManager, frame: Pfn): void {
  const { pageTables, rmap, format } = mm;
  forEachMapping(rmap, frame, (view, page: Vpn) => {
    const vma = view as Vma;
    if ((vma.flags & VM_LOCKED) !== 0) return;
    const slot = pageTables.findLeaf(vma.space, page);
    const entry = pageTables.makeEntry(mm.zeroPage, vma.flags, 'readonly', format.ACCESSED);
    pageTables.set(slot, pageTables.isUffdWp(pageTables.read(slot)) ? pageTables.withUffdWp(entry) : entry);
    mm.flushPage(vma.space, page);
    if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
      mm.events.emit(EV_PAGE_UNMAP, vma.space.id, page * PAGE_SIZE, frame, 1, MM_ANONPAGES);
    mm.addRss(vma.space, MM_ANONPAGES, -1);
    rmap.removeRmap(frame);
    mm.alloc.putFrame(frame);
  });
}

/**
 * Every huge page that this space alone maps, and of which [start, end) is a part, becomes small ones, for advice about that part
 * (split_folio in madvise_cold_or_pageout_pte_range and madvise_free_pte_range). What is shared stays as it is, and so do huge leaves
 * that lie in the range as a whole.
 */
export function splitForAdvice(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables, frames, rmap, thp } = mm;
  let seen: number = NO_FRAME;
  for (let page = start; pageTables.seek(vma.space, page, end); ) {
    const first = pageTables.foundVpn;
    const isHuge = pageTables.foundLevel > 0;
    page = (first + (isHuge ? thp.pages : 1)) as Vpn;
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry) || (isHuge && first >= start && page <= end)) continue;
    const head = frames.headOf(pageTables.frameOf(entry));
    if (head === thp.zeroPage || head === seen || !frames.isLarge(head)) continue;
    seen = head;
    if (!isMappedShared(rmap, head)) splitHugePage(mm, head);
  }
}
