import type { Vpn } from '../../machine/units.ts';
import { KIND_FILE_SHARED } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import type { Vma } from '../vma.ts';
import { FAULT_BUS, FAULT_DONE, type FaultResult } from './results.ts';

/** page_mkwrite, file_update_time: the file learns that a mapping is about to write its page. False: SIGBUS. */
export function announceWrite(vma: Vma, page: Vpn): boolean {
  const index = vma.pgoff + (page - vma.startVpn);
  const result = vma.file?.pageMkwrite?.(index) ?? 0;
  return result >= 0;
}

/** The first write, since it was last clean, to a page of a shared mapping (Linux: wp_page_shared, wp_page_reuse). */
export function sharedWriteFault(mm: MemoryManager, vma: Vma, page: Vpn, slot: number): FaultResult {
  const { pageTables, format } = mm;
  mm.lastFaultKind = KIND_FILE_SHARED;
  const entry = pageTables.read(slot);
  const frame = pageTables.frameOf(entry);
  mm.lastFaultFrame = frame;
  if (!announceWrite(vma, page)) return FAULT_BUS;
  // The file may have needed memory, and reclaim have taken this very page: then the access is tried again.
  if (pageTables.read(slot) !== entry) return FAULT_DONE;
  mm.pageCache.markDirty(frame);
  (vma.pages as FilePages).wasStoredTo = true;
  const made = pageTables.makeEntry(frame, vma.flags, 'writable', format.ACCESSED | format.DIRTY);
  pageTables.set(slot, pageTables.isUffdWp(entry) ? pageTables.withUffdMark(made) : made);
  mm.flushPage(vma.space, page);
  // fault_dirty_shared_page: a store counts as a write, and is throttled as one.
  mm.pageCache.balanceDirty();
  return FAULT_DONE;
}
