import { EV_MLOCK, EV_MUNLOCK } from '../base/event-kinds.ts';
import type { Pfn, Vpn } from '../machine/units.ts';
import type { MemoryManager } from './memory-manager.ts';
import type { Pending } from './mlock-batch.ts';
import { PG_active, PG_lru, PG_mlocked, PG_pagecache, PG_unevictable } from './phys/page-flags.ts';
import { VM_LOCKED } from './vm-flags.ts';
import type { Vma } from './vma.ts';

/**
 * Pages that mlock keeps in memory (Linux 6.18: mlock_folio, munlock_folio).
 *
 * Invariant R5 (checked by check-entries.ts, invariants.ts and phys/check.ts): a frame that entries of VM_LOCKED VMAs map is
 * PG_mlocked, and mlockCount is at least the number of those entries, but for mlockBatch.lostLocks of them, machine-wide; without
 * PG_mlocked it is not above 0. nr_mlock counts the frames with PG_mlocked, and those on the LRU are on the unevictable list. A
 * compound page is locked as a whole, by its head.
 * A page that is unlocked and locked again within one batch stays unlocked: the batch finds it locked already when it is locked,
 * then unlocks it, then finds it evictable (__mlock_folio). Reclaim locks it again when it meets such a mapping. mlockCount of an
 * unlocked page is minus the number of the last batch that was to unlock it.
 * The count may be larger, and PG_mlocked outlive every lock: MREMAP_DONTUNMAP takes VM_LOCKED from a VMA whose pages nobody
 * unlocks (dontunmap_complete). Such a page stays until it is freed.
 */
export function mlockPage(mm: MemoryManager, part: Pfn): void {
  const { frames, vmstat } = mm;
  const frame = frames.headOf(part);
  const pages = frames.pagesOf(frame);
  if (frame === mm.zeroPage || frame === mm.thp.zeroPage) return;
  if (frames.mlockCount[frame] === -mm.mlockBatch.number) {
    mm.mlockBatch.lostLocks++;
    mm.mlockBatch.add(frame, 'settled');
    return;
  }
  mm.mlockBatch.add(frame, pendingOf(frames.flags[frame]));
  // Of a large folio none is kept aside (folio_may_be_lru_cached).
  if (pages > 1) mm.mlockBatch.drain();
  frames.mlockCount[frame] = Math.max(frames.mlockCount[frame], 0) + 1;
  if ((frames.flags[frame] & PG_mlocked) !== 0) return;
  frames.set(frame, PG_mlocked);
  mm.alloc.stat.nr_mlock += pages;
  vmstat.unevictable_pgs_mlocked += pages;
  if (mm.events.enabled[EV_MLOCK] !== 0) mm.events.emit(EV_MLOCK, frame, pages);
  if ((frames.flags[frame] & PG_lru) === 0) return;
  mm.alloc.lru.changeFlags(frame, PG_unevictable, PG_active);
  vmstat.unevictable_pgs_culled += pages;
}

function pendingOf(flags: number): Pending {
  if ((flags & PG_unevictable) !== 0) return 'settled';
  return (flags & PG_active) !== 0 ? 'active' : 'evictable';
}

/** A locked mapping of the page has gone: it may be reclaimed again, unless another lock is left. */
export function munlockPage(mm: MemoryManager, part: Pfn): void {
  const { frames, vmstat } = mm;
  const frame = frames.headOf(part);
  const pages = frames.pagesOf(frame);
  const isLast = (frames.flags[frame] & PG_mlocked) !== 0 && frames.mlockCount[frame] <= 1;
  const { mlockBatch } = mm;
  const unlockedIn = -mlockBatch.number;
  mlockBatch.add(frame, isLast ? 'unevictable' : 'settled');
  if (pages > 1) mlockBatch.drain();
  if (frames.mlockCount[frame] > 1) frames.mlockCount[frame]--;
  else frames.mlockCount[frame] = unlockedIn;
  if (!isLast) return;
  frames.clear(frame, PG_mlocked);
  mm.alloc.stat.nr_mlock -= pages;
  vmstat.unevictable_pgs_munlocked += pages;
  if (mm.events.enabled[EV_MUNLOCK] !== 0) mm.events.emit(EV_MUNLOCK, frame, pages);
  if ((frames.flags[frame] & PG_lru) === 0 || isOfLockedObject(mm, frame)) return;
  mm.alloc.lru.changeFlags(frame, 0, PG_unevictable);
  vmstat.unevictable_pgs_rescued += pages;
}

/** SHM_LOCK keeps it in memory too. */
export function isOfLockedObject(mm: MemoryManager, frame: Pfn): boolean {
  const { flags, owner } = mm.frames;
  return (flags[frame] & PG_pagecache) !== 0 && mm.pageCache.fileById(owner[frame])?.isUnevictable === true;
}

/** mlock_vma_pages_range: the VMA's flags have changed, and the pages that are there follow. */
export function updateMlockedPages(mm: MemoryManager, vma: Vma, start: Vpn, end: Vpn): void {
  const { pageTables } = mm;
  const locked = (vma.flags & VM_LOCKED) !== 0;
  mm.mlockBatch.drain();
  let page = start;
  while (pageTables.seek(vma.space, page, end)) {
    page = (pageTables.foundVpn + pageTables.spanOf(pageTables.foundLevel)) as Vpn;
    const entry = pageTables.read(pageTables.foundSlot);
    if (!pageTables.isMapped(entry)) continue;
    if (locked) mlockPage(mm, pageTables.frameOf(entry));
    else munlockPage(mm, pageTables.frameOf(entry));
  }
  mm.mlockBatch.drain();
}
