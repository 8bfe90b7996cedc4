import { EV_LRU_ACTIVATE } from '../base/event-kinds.ts';
import { ACCESS_WRITE, type Access } from '../machine/mmu.ts';
import type { Pfn } from '../machine/units.ts';
import type { MemoryManager } from './memory-manager.ts';
import { PG_anon, PG_dirty, PG_referenced } from './phys/page-flags.ts';

/**
 * FOLL_TOUCH (Linux 6.18, follow_page_pte): the kernel takes a page by its entry, not through the MMU. That counts as a use of the
 * page, not of the entry: Accessed stays as it is; a write makes the page dirty, an anonymous one, too.
 */
export function touchPage(mm: MemoryManager, slot: number, access: Access): void {
  const { pageTables, format, frames } = mm;
  const entry = pageTables.read(slot);
  const frame = frames.headOf(pageTables.frameOf(entry));
  if (frame === mm.zeroPage) return;
  if (access === ACCESS_WRITE && (entry & format.DIRTY) === 0) markPageDirty(mm, frame);
  const pending = (frames.flags[frame] & PG_referenced) !== 0 ? mm.mlockBatch.stateOf(frame) : 'settled';
  if (pending === 'settled') mm.pageCache.markAccessed(frame);
  if (pending !== 'evictable') return;
  // Activated, and not active any more when it comes to the unevictable list.
  frames.clear(frame, PG_referenced);
  mm.vmstat.pgactivate++;
  if (mm.events.enabled[EV_LRU_ACTIVATE] !== 0) mm.events.emit(EV_LRU_ACTIVATE, frame, 1);
}

/** folio_mark_dirty, of what another process's memory is written through. */
export function markPageDirty(mm: MemoryManager, frame: Pfn): void {
  if ((mm.frames.flags[frame] & PG_anon) !== 0) mm.frames.set(frame, PG_dirty);
  else mm.pageCache.markDirty(frame);
}
