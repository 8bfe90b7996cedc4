import { EV_PAGE_UNMAP } from '../base/event-kinds.ts';
import type { Pfn, Vpn } from '../machine/units.ts';
import { PAGE_SIZE } from '../machine/units.ts';
import { MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from './address-space.ts';
import { zapHugetlb } from './hugetlb/hugetlb-entries.ts';
import type { MemoryManager } from './memory-manager.ts';
import { munlockPage } from './mlock-pages.ts';
import { MARKER_GUARD, MARKER_POISONED, MARKER_UFFD_WP } from './page-table-entry.ts';
import { PG_anon, PG_pagecache, PG_swapbacked } from './phys/page-flags.ts';
import { zapHugeLeaf } from './thp/huge-entries.ts';
import { splitHugeAt } from './thp/split.ts';
import { isUffdProtected } from './uffd/protected.ts';
import { hasRecency, VM_LOCKED } from './vm-flags.ts';
import { VMA_ANON, VMA_HUGETLB, type Vma } from './vma.ts';

/** Which rss counter a mapped frame is in (mm_counter). */
export function rssMemberOf(mm: MemoryManager, frame: Pfn): number {
  const flags = mm.frames.flags[mm.frames.headOf(frame as Pfn)];
  if ((flags & PG_anon) !== 0) return MM_ANONPAGES;
  return (flags & PG_swapbacked) !== 0 ? MM_SHMEMPAGES : MM_FILEPAGES;
}

/** What zapRange takes. */
export type ZapKind = 'even_cows' | 'pagecache' | 'unmap' | 'reclaim';

/**
 * Removes every entry of [start, end) of the VMA (Linux: unmap_page_range, zap_pte_range): DIRTY and ACCESSED move to the
 * page, references and map counts fall, frames that nobody else holds become free. The tables stay.
 * 'pagecache' keeps private copies (the caller drops a cached page, not the program's data); 'even_cows' takes them too;
 * 'reclaim' (try_to_unmap, of one entry) is no use of the page, so ACCESSED is lost.
 * 'unmap' is munmap's and exit's and takes the markers as well, that outlive madvise and truncate (ZAP_FLAG_DROP_MARKER).
 */
export function zapRange(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn, what: ZapKind = 'even_cows'): void {
  if (vma.kind === VMA_HUGETLB) {
    zapHugetlb(mm, vma, start, end, what === 'unmap' ? 'unmap' : 'drop');
    return;
  }
  const { pageTables, frames, format } = mm;
  const { space } = vma;
  splitHugeAt(mm, vma, start);
  splitHugeAt(mm, vma, end);
  const counts = [0, 0, 0, 0];
  let page = start;
  while (pageTables.seek(space, page, end)) {
    const at = pageTables.foundVpn;
    const slot = pageTables.foundSlot;
    if (pageTables.foundLevel > 0) {
      page = (at + mm.thp.pages) as Vpn;
      zapHugeLeaf(mm, vma, at, slot);
      continue;
    }
    page = (at + 1) as Vpn;
    const entry = pageTables.read(slot);
    if (pageTables.isSwap(entry)) {
      if (what !== 'pagecache') counts[MM_SWAPENTS] += zapSwap(mm, vma, slot, what);
      continue;
    }
    if (!pageTables.isMapped(entry)) {
      if (dropsMarker(mm, vma, entry, what)) pageTables.set(slot, 0);
      continue;
    }
    const frame = pageTables.frameOf(entry);
    if (what === 'pagecache' && frame !== mm.zeroPage && (frames.flags[frames.headOf(frame)] & PG_anon) !== 0) continue;
    if ((entry & format.PRESENT) !== 0) mm.tlbBatch.add(at);
    if (frames.isLarge(frame)) {
      const member = rssMemberOf(mm, frame);
      page = zapRun(mm, vma, at, end, slot, what);
      counts[member] += page - at;
      if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
        mm.events.emit(EV_PAGE_UNMAP, space.id, at * PAGE_SIZE, frame, page - at, member);
      continue;
    }
    counts[rssMemberOf(mm, frame)] += zapEntry(mm, vma, at, slot, what);
  }
  for (let member = 0; member < 4; member++) if (counts[member] !== 0) mm.addRss(space, member, -counts[member]);
  mm.tlbBatch.finish(space);
}

/** zap_nonpresent_ptes: a guard stays until the range is unmapped, poison only where private copies stay. */
function dropsMarker(mm: MemoryManager, vma: Vma, entry: number, what: ZapKind): boolean {
  if (what === 'unmap') return true;
  const marker = mm.pageTables.markerOf(entry);
  if ((marker & MARKER_GUARD) !== 0) return false;
  if ((marker & MARKER_POISONED) !== 0) return what === 'even_cows';
  return vma.kind === VMA_ANON;
}

/** zap_install_uffd_wp_if_needed: what a file backs comes back, and is still protected then. */
function staysProtected(mm: MemoryManager, vma: Vma, entry: number, what: ZapKind): boolean {
  return what !== 'unmap' && vma.kind !== VMA_ANON && isUffdProtected(mm, vma, entry);
}

/** Removes an entry of swap (free_swap_and_cache). Returns 1, by which the caller lowers MM_SWAPENTS. */
export function zapSwap(mm: MemoryManager, vma: Vma, slot: number, what: ZapKind = 'even_cows'): 1 {
  const { pageTables } = mm;
  const entry = pageTables.read(slot);
  pageTables.set(slot, staysProtected(mm, vma, entry, what) ? pageTables.makeMarker(MARKER_UFFD_WP) : 0);
  mm.swap.free(pageTables.swapOf(entry));
  return 1;
}

/**
 * Entries in a row that map parts of a huge page in a row go together (zap_present_folio_ptes): who unmaps all of it leaves nothing that
 * is mapped in part. Returns the page behind them.
 */
function zapRun(mm: MemoryManager, vma: Vma, at: Vpn, end: Vpn, slot: number, what: ZapKind): Vpn {
  const { pageTables, frames, format, thp } = mm;
  const first = pageTables.frameOf(pageTables.read(slot));
  const head = frames.headOf(first);
  const most = Math.min(end - at, thp.pages - (at % thp.pages), head + frames.pagesOf(head) - first);
  let count = 0;
  let state = 0;
  for (; count < most; count++) {
    const entry = pageTables.read(pageTables.slotBeside(slot, count));
    if (!pageTables.isMapped(entry) || pageTables.frameOf(entry) !== first + count) break;
    if (count > 0 && (entry & format.PRESENT) !== 0) mm.tlbBatch.add((at + count) as Vpn);
    const isKept = staysProtected(mm, vma, entry, what);
    pageTables.set(pageTables.slotBeside(slot, count), isKept ? pageTables.makeMarker(MARKER_UFFD_WP) : 0);
    state |= entry;
  }
  if ((frames.flags[head] & PG_anon) === 0) noteState(mm, vma, head, state, what);
  mm.rmap.removeRmap(first, count);
  for (let i = 0; i < count; i++) {
    if ((vma.flags & VM_LOCKED) !== 0) munlockPage(mm, head);
    mm.alloc.putFrame(head);
  }
  return (at + count) as Vpn;
}

/**
 * Removes one entry that maps a frame. Returns 1 if it counted in rss (the caller lowers it), 0 for the zero page. The caller
 * flushes the TLB.
 */
export function zapEntry(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, what: ZapKind = 'pagecache'): 0 | 1 {
  const { pageTables, frames } = mm;
  const entry = pageTables.read(slot);
  const frame = pageTables.frameOf(entry);
  pageTables.set(slot, staysProtected(mm, vma, entry, what) ? pageTables.makeMarker(MARKER_UFFD_WP) : 0);
  if (frame === mm.zeroPage) {
    mm.ksm.uncountZeroPage(vma.space, entry);
    return 0;
  }
  if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
    mm.events.emit(EV_PAGE_UNMAP, vma.space.id, page * PAGE_SIZE, frame, 1, rssMemberOf(mm, frame));
  const head = frames.headOf(frame);
  if ((frames.flags[head] & (PG_anon | PG_pagecache)) === PG_pagecache) noteState(mm, vma, head, entry, what);
  mm.rmap.removeRmap(frame);
  if ((vma.flags & VM_LOCKED) !== 0) munlockPage(mm, frame);
  mm.alloc.putFrame(frame);
  mm.swap.dropUnused(frame);
  return 1;
}

/** What the entries that go say of the page of a file: written, used. */
function noteState(mm: MemoryManager, vma: Vma, head: Pfn, state: number, what: ZapKind): void {
  const { format } = mm;
  if ((state & format.DIRTY) !== 0) mm.pageCache.markDirty(head);
  if (what !== 'reclaim' && (state & format.ACCESSED) !== 0 && hasRecency(vma.flags)) mm.alloc.lru.markAccessed(head);
}
