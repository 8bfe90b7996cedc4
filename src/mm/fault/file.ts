import { ENOMEM } from '../../abi/errno.ts';
import { EV_COW_COPY, EV_FILEMAP_FAULT, EV_MAJOR_FAULT } from '../../base/event-kinds.ts';
import { ACCESS_WRITE, type Access } from '../../machine/mmu.ts';
import { PAGE_SIZE, type Pfn, pagesOf, type Vpn } from '../../machine/units.ts';
import { KIND_COW_COPY, KIND_FILE_READ, KIND_FILE_SHARED, KIND_SWAP_IN } from '../address-space.ts';
import { PAGE_LOCKED } from '../block/request.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { mapFileLeaf } from '../thp/file-leaf.ts';
import { userfault } from '../uffd/userfault.ts';
import { VM_RAND_READ, VM_SHARED, VM_UFFD_MINOR, VM_UFFD_MISSING } from '../vm-flags.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';
import { mapAround } from './around.ts';
import { allocCopy, installAnon, installFile } from './install.ts';
import { mapWholeLarge } from './map-large.ts';
import { FAULT_BUS, FAULT_DONE, FAULT_OOM, type FaultResult } from './results.ts';
import { announceWrite } from './shared-write.ts';
import { sleepOnPage } from './sleep-on-page.ts';
import { wantsNoWriteNotice } from './write-notice.ts';

/** The first touch of a page that a file backs (Linux: do_fault): read, private write (do_cow_fault) or shared write. */
export function fileFault(mm: MemoryManager, vma: Vma, page: Vpn, access: Access): FaultResult {
  const shared = (vma.flags & VM_SHARED) !== 0;
  if (access !== ACCESS_WRITE) mm.lastFaultKind = KIND_FILE_READ;
  else mm.lastFaultKind = shared ? KIND_FILE_SHARED : KIND_COW_COPY;

  const isPrivateWrite = access === ACCESS_WRITE && !shared;
  if (isPrivateWrite && mm.rmap.anonVmas.prepare(vma) !== 0) return FAULT_OOM;

  // filemap_fault, shmem_fault: SIGBUS for a page wholly beyond the end.
  const pages = vma.pages as FilePages;
  const index = vma.pgoff + (page - vma.startVpn);
  if (access !== ACCESS_WRITE && mapAround(mm, vma, page)) return FAULT_DONE;
  if (index >= pagesOf(pages.sizeBytes)) return FAULT_BUS;
  if (pages.kind === 'shmem' && (vma.file?.admitPage?.(index) ?? 0) < 0) return FAULT_BUS;
  if (vma.kind === VMA_SHMEM) {
    // shmem_get_folio_gfp: a page that the file has already is a minor fault, one that it has not is missing.
    const reason = pages.has(index) ? VM_UFFD_MINOR : VM_UFFD_MISSING;
    if ((vma.flags & reason) !== 0) return userfault(mm, vma, page, access, reason);
  }
  if (pages.swapped.has(index)) mm.lastFaultKind = KIND_SWAP_IN;
  if (mm.events.enabled[EV_FILEMAP_FAULT] !== 0) mm.events.emit(EV_FILEMAP_FAULT, pages.id, index);
  if (pages.kind === 'shmem' && !pages.has(index)) mm.largePages.addForFault(pages, index, vma);
  const readAhead = (vma.flags & VM_RAND_READ) !== 0 ? 'none' : 'around';
  const cached = mm.pageCache.ensurePage(pages, index, readAhead, mm.atLockedPage);
  if (mm.pageCache.lastEnsureWasMajor && (cached >= 0 || cached === PAGE_LOCKED)) {
    mm.lastFaultMajor = 1;
    mm.vmstat.pgmajfault++;
    if (mm.events.enabled[EV_MAJOR_FAULT] !== 0) mm.events.emit(EV_MAJOR_FAULT, vma.space.id, page * PAGE_SIZE);
    vma.space.memcg.counters.pgmajfault++;
  }
  if (cached === PAGE_LOCKED) return sleepOnPage(mm, mm.pageCache.lockedBy);
  if (cached < 0) return cached === -ENOMEM ? FAULT_OOM : FAULT_BUS;
  const frame = cached as Pfn;

  const isLarge = mm.frames.isLarge(frame);
  const isSharedWrite = access === ACCESS_WRITE && shared;
  if (isSharedWrite && !announceWrite(vma, page)) return giveUp(mm, frame, FAULT_BUS);
  if (isLarge && !isPrivateWrite && mapFileLeaf(mm, vma, page, frame, isSharedWrite ? 'write' : 'read'))
    return isSharedWrite ? noteStore(mm, pages, frame) : FAULT_DONE;
  const slot = mm.pageTables.ensureLeaf(vma.space, page);
  if (slot === -1) return giveUp(mm, frame, FAULT_OOM);

  if (isPrivateWrite) {
    const copy = allocCopy(mm, vma.space, frame);
    mm.alloc.putFrame(frame);
    if (copy === NO_FRAME) return FAULT_OOM;
    if (mm.events.enabled[EV_COW_COPY] !== 0) mm.events.emit(EV_COW_COPY, vma.space.id, page * PAGE_SIZE, frame, copy);
    installAnon(mm, vma, page, slot, copy as Pfn);
    return FAULT_DONE;
  }
  const { format } = mm;
  if (access === ACCESS_WRITE) {
    const state = format.ACCESSED | format.DIRTY;
    if (!isLarge || !mapWholeLarge(mm, vma, page, slot, frame, 'writable', state))
      installFile(mm, vma, page, slot, frame, 'writable', state);
    return noteStore(mm, pages, frame);
  }
  const write = wantsNoWriteNotice(vma) ? 'writable' : 'readonly';
  if (!isLarge || !mapWholeLarge(mm, vma, page, slot, frame, write, format.ACCESSED))
    installFile(mm, vma, page, slot, frame, write, format.ACCESSED);
  return FAULT_DONE;
}

function noteStore(mm: MemoryManager, pages: FilePages, frame: Pfn): FaultResult {
  mm.pageCache.markDirty(frame);
  pages.wasStoredTo = true;
  mm.pageCache.balanceDirty();
  return FAULT_DONE;
}

function giveUp(mm: MemoryManager, frame: Pfn, result: FaultResult): FaultResult {
  mm.alloc.putFrame(frame);
  return result;
}
