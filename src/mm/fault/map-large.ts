import { EV_PAGE_MAP } from '../../base/event-kinds.ts';
import { PAGE_SIZE, type Pfn, type Vpn } from '../../machine/units.ts';
import { MM_SHMEMPAGES } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mlockPage } from '../mlock-pages.ts';
import { PG_locked, PG_readahead, PG_uptodate } from '../phys/page-flags.ts';
import { mapFileLeaf } from '../thp/file-leaf.ts';
import { VM_LOCKED } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { wantsNoWriteNotice } from './write-notice.ts';

/** What of these flags a page has that a fault nearby may map. */
export const READY = PG_uptodate | PG_readahead | PG_locked;

/**
 * Whether all of the large page lies in the VMA and under one leaf table where it would be mapped, its frame `part` at `page`
 * (folio_within_vma; finish_fault, filemap_map_folio_range of 6.18).
 */
function fitsLarge(mm: MemoryManager, vma: Vma, page: Vpn, part: Pfn): boolean {
  const { frames, pageTables } = mm;
  const head = frames.headOf(part);
  const first = page - (part - head);
  const last = first + frames.pagesOf(head) - 1;
  const perTable = pageTables.spanOf(1);
  return first >= vma.startVpn && last < vma.endVpn && Math.floor(first / perTable) === Math.floor(last / perTable);
}

/**
 * finish_fault: maps every part of the large page, if nothing is mapped there yet; false: only the one page may be. `slot` is that of
 * `page`, whose frame is `part`; the caller's reference passes to the entries.
 */
export function mapWholeLarge(
  mm: MemoryManager,
  vma: Vma,
  page: Vpn,
  slot: number,
  part: Pfn,
  write: 'writable' | 'readonly',
  state: number,
): boolean {
  const { frames, pageTables, alloc } = mm;
  const head = frames.headOf(part);
  const count = frames.pagesOf(head);
  if (vma.uffd !== null || !fitsLarge(mm, vma, page, part)) return false;
  const first = pageTables.slotBeside(slot, head - part);
  for (let i = 0; i < count; i++) if (pageTables.read(pageTables.slotBeside(first, i)) !== 0) return false;
  for (let i = 0; i < count; i++) {
    const frame = (head + i) as Pfn;
    if (i > 0) alloc.getFrame(head);
    pageTables.set(pageTables.slotBeside(first, i), pageTables.makeEntry(frame, vma.flags, write, state));
    if ((vma.flags & VM_LOCKED) !== 0) mlockPage(mm, head);
  }
  mm.rmap.large.addParts(head, count);
  if (mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, vma.space.id, (page - (part - head)) * PAGE_SIZE, head, count, MM_SHMEMPAGES);
  mm.addRss(vma.space, MM_SHMEMPAGES, count);
  mm.lastFaultFrame = part;
  return true;
}

/** filemap_map_pmd: the first page of the window is a huge one, which one entry can map. */
export function mapsLeaf(mm: MemoryManager, vma: Vma, page: Vpn, frame: Pfn): boolean {
  const { frames, alloc } = mm;
  const head = frames.headOf(frame);
  if (frames.order[head] !== mm.thp.order || (frames.flags[head] & READY) !== PG_uptodate) return false;
  alloc.getFrame(head);
  if (mapFileLeaf(mm, vma, page, frame, 'read')) return true;
  alloc.putFrame(head);
  return false;
}

/**
 * filemap_map_folio_range (6.18): all parts of a large page, where the VMA and the table have room for all of it, else `most` from
 * `frame` on, which is at `page`. Entries that are there stay. How many were mapped.
 */
export function mapParts(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, frame: Pfn, most: number): number {
  const { frames, pageTables, format, alloc, rmap } = mm;
  const head = frames.headOf(frame);
  const isWhole = fitsLarge(mm, vma, page, frame);
  const first = isWhole ? head : frame;
  const count = isWhole ? frames.pagesOf(head) : Math.min(most, head + frames.pagesOf(head) - frame);
  const write = wantsNoWriteNotice(vma) ? 'writable' : 'readonly';
  let mapped = 0;
  for (let part = first; part < first + count; part = (part + 1) as Pfn) {
    const at = pageTables.slotBeside(slot, part - frame);
    if (pageTables.read(at) !== 0) continue;
    alloc.getFrame(head);
    rmap.addFileRmap(part);
    if ((vma.flags & VM_LOCKED) !== 0) mlockPage(mm, head);
    pageTables.set(at, pageTables.makeEntry(part, vma.flags, write, format.ACCESSED));
    if (mm.events.enabled[EV_PAGE_MAP] !== 0)
      mm.events.emit(EV_PAGE_MAP, vma.space.id, (page + (part - frame)) * PAGE_SIZE, part, 1, MM_SHMEMPAGES);
    mapped++;
  }
  return mapped;
}
