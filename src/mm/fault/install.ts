import { EV_PAGE_MAP } from '../../base/event-kinds.ts';
import { COST_PAGE_COPY_NS, COST_PAGE_ZERO_NS } from '../../machine/cost-model.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { type AddressSpace, MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mlockPage } from '../mlock-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { VM_LOCKED, VM_WRITE } from '../vm-flags.ts';
import { VMA_SHMEM, type Vma } from '../vma.ts';

/** What a page that comes where a marker was takes over of it: a write is userfaultfd's to allow (vmf_orig_pte_uffd_wp). */
export function keepUffdWp(mm: MemoryManager, slot: number, entry: number): number {
  const { pageTables } = mm;
  return pageTables.isUffdWp(pageTables.read(slot)) ? pageTables.withUffdWp(entry) : entry;
}

/** A zeroed frame for user memory of the space, or NO_FRAME (vma_alloc_zeroed_movable_folio). */
export function allocZeroed(mm: MemoryManager, space: AddressSpace): Pfn | -1 {
  const frame = mm.memcgs.allocPage(space.memcg);
  if (frame === NO_FRAME) return NO_FRAME;
  mm.ram.zeroFrame(frame as Pfn);
  mm.clock.charge(COST_PAGE_ZERO_NS);
  return frame as Pfn;
}

/** A frame for the space with the contents of `from`, or NO_FRAME. */
export function allocCopy(mm: MemoryManager, space: AddressSpace, from: Pfn): Pfn | -1 {
  const frame = mm.memcgs.allocPage(space.memcg);
  if (frame === NO_FRAME) return NO_FRAME;
  mm.ram.copyFrame(frame as Pfn, from);
  mm.clock.charge(COST_PAGE_COPY_NS);
  return frame as Pfn;
}

/**
 * Maps a new anonymous frame, whose one reference passes to the entry: exclusive, so writable where the VMA is ('unshared': the
 * first store will make it so). The VMA has its anon_vma. The slot is empty or holds a marker.
 */
export function installAnon(
  mm: MemoryManager,
  vma: Vma,
  page: Vpn,
  slot: number,
  frame: Pfn,
  how: 'writable' | 'unshared' = 'writable',
): void {
  const { format } = mm;
  const writable = how === 'writable' && (vma.flags & VM_WRITE) !== 0;
  mm.rmap.addNewAnonRmap(frame, vma, page);
  if ((vma.flags & VM_LOCKED) !== 0) mlockPage(mm, frame);
  if (mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, vma.space.id, page * PAGE_SIZE, frame, 1, MM_ANONPAGES);
  mm.addRss(vma.space, MM_ANONPAGES, 1);
  const state = format.ACCESSED | (writable ? format.DIRTY : 0);
  const entry = mm.pageTables.makeEntry(frame, vma.flags, writable ? 'writable' : 'readonly', state);
  mm.pageTables.set(slot, keepUffdWp(mm, slot, entry));
  mm.lastFaultFrame = frame;
}

/** Maps a frame of a file (or of the kernel, for special mappings), whose reference passes to the entry. */
export function installFile(
  mm: MemoryManager,
  vma: Vma,
  page: Vpn,
  slot: number,
  frame: Pfn,
  write: 'writable' | 'readonly',
  state: number,
): void {
  mm.rmap.addFileRmap(frame);
  if ((vma.flags & VM_LOCKED) !== 0) mlockPage(mm, frame);
  const member = vma.kind === VMA_SHMEM ? MM_SHMEMPAGES : MM_FILEPAGES;
  if (mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, vma.space.id, page * PAGE_SIZE, frame, 1, member);
  mm.addRss(vma.space, member, 1);
  mm.pageTables.set(slot, keepUffdWp(mm, slot, mm.pageTables.makeEntry(frame, vma.flags, write, state)));
  mm.lastFaultFrame = frame;
}
