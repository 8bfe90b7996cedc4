import { EV_FILEMAP_MAP_PAGES, EV_PAGE_MAP } from '../../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn, pagesOf, type Vpn } from '../../machine/units.ts';
import { MM_FILEPAGES, MM_SHMEMPAGES } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mlockPage } from '../mlock-pages.ts';
import type { FilePages } from '../page-cache/file-pages.ts';
import { SLOTS } from '../page-cache/page-index.ts';
import { PG_uptodate } from '../phys/page-flags.ts';
import { VM_LOCKED, VM_UFFD_MINOR, VM_UFFD_WP } from '../vm-flags.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';
import { mapParts, mapsLeaf, READY } from './map-large.ts';
import { wantsNoWriteNotice } from './write-notice.ts';

/** fault_around_bytes (64 KiB): a power of two of pages, so that a window lies in one leaf table. */
const FAULT_AROUND_PAGES = 16;

/**
 * Maps what the page cache has already of the 16 pages around a read fault (Linux 6.18: do_fault_around, filemap_map_pages).
 * Reads nothing and makes no page; entries that are there stay. Returns whether `page` is mapped now: then the fault is done.
 */
export function mapAround(mm: MemoryManager, vma: Vma, page: Vpn): boolean {
  if ((vma.flags & (VM_UFFD_WP | VM_UFFD_MINOR)) !== 0) return false; // uffd_disable_fault_around
  // Without vm_ops->map_pages: shm_vm_ops of System V segments, secretmem_vm_ops.
  if (vma.file?.keepsVmasApart === true || vma.file?.isSecret === true) return false;
  const { pageTables, format } = mm;
  const pages = vma.pages as FilePages;
  const window = page - (page & (FAULT_AROUND_PAGES - 1));
  const first = Math.max(window, vma.startVpn);
  // Where the mapping begins inside the window, 16 pages from there on, to the end of the leaf table at most.
  const tablePages = pageTables.spanOf(1);
  const tableEnd = page - (page & (tablePages - 1)) + tablePages;
  const end = Math.min(first + FAULT_AROUND_PAGES, tableEnd, vma.endVpn);
  const indexAt = vma.pgoff - vma.startVpn;
  const endIndex = Math.min(end + indexAt, pagesOf(pages.sizeBytes));
  const found = pages.pages.next(first + indexAt, 'any');
  if (found < 0 || found >= endIndex) return false;
  if (mapsLeaf(mm, vma, page, pages.pages.find(found) as Pfn)) return true;
  const leaf = pageTables.ensureLeaf(vma.space, page);
  if (leaf === -1) return false; // the fault itself will find no memory either
  const write = wantsNoWriteNotice(vma) ? 'writable' : 'readonly';
  // mk_pte of vm_page_prot: PAGE_BASE has ACCESSED on RISC-V, so the neighbours look used, too.
  const rights = pageTables.rightsOf(vma.flags, write);
  const isLocked = (vma.flags & VM_LOCKED) !== 0;
  const { frames } = mm;
  const { flags } = frames;
  // Making the table may have reclaimed the page that was found: the index is looked at anew.
  let known: Int32Array | null = null;
  const member = vma.kind === VMA_SHMEM ? MM_SHMEMPAGES : MM_FILEPAGES;
  let mapped = 0;
  let done = false;
  for (let index = first + indexAt; index < endIndex; index++) {
    const at = index & (SLOTS - 1);
    if (at === 0 || index === first + indexAt) known = pages.pages.framesAround(index);
    if (known === null) continue;
    const frame = known[at];
    // next_uptodate_folio: who comes to a page with a mark starts the next window.
    if (frame < 0) continue;
    if (frames.isLarge(frame as Pfn)) {
      const head = frames.headOf(frame as Pfn);
      if ((flags[head] & READY) !== PG_uptodate) continue;
      const slot = pageTables.slotBeside(leaf, index - indexAt - page);
      mapped += mapParts(mm, vma, (index - indexAt) as Vpn, slot, frame as Pfn, endIndex - index);
      if (!done && pageTables.isMapped(pageTables.read(leaf))) {
        mm.lastFaultFrame = pageTables.frameOf(pageTables.read(leaf));
        done = true;
      }
      index = Math.min(index + (head + frames.pagesOf(head) - frame), endIndex) - 1;
      known = pages.pages.framesAround(index);
      continue;
    }
    if ((flags[frame] & READY) !== PG_uptodate) continue;
    const slot = pageTables.slotBeside(leaf, index - indexAt - page);
    if (pageTables.read(slot) !== 0) continue;
    mm.alloc.getFrame(frame as Pfn);
    mm.rmap.addFileRmap(frame as Pfn);
    if (isLocked) mlockPage(mm, frame as Pfn);
    const entry =
      rights === 0
        ? pageTables.makeEntry(frame as Pfn, vma.flags, write, format.ACCESSED)
        : format.makeLeaf(frame as Pfn, rights | format.ACCESSED);
    pageTables.set(slot, entry);
    if (mm.events.enabled[EV_PAGE_MAP] !== 0)
      mm.events.emit(EV_PAGE_MAP, vma.space.id, (index - indexAt) * PAGE_SIZE, frame, 1, member);
    mapped++;
    if (index - indexAt === page) {
      done = true;
      mm.lastFaultFrame = frame as Pfn;
    }
  }
  if (mapped > 0) {
    if (mm.events.enabled[EV_FILEMAP_MAP_PAGES] !== 0)
      mm.events.emit(EV_FILEMAP_MAP_PAGES, pages.id, first + indexAt, endIndex - 1, mapped);
    mm.addRss(vma.space, member, mapped);
  }
  return done;
}
