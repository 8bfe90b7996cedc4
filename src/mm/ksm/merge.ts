import {
  EV_KSM_MERGE,
  EV_KSM_MERGE_ONE_PAGE,
  EV_KSM_MERGE_WITH_KSM_PAGE,
  EV_PAGE_MAP,
  EV_PAGE_UNMAP,
} from '../../base/event-kinds.ts';
import { COST_PAGE_HASH_NS } from '../../machine/cost-model.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { type AddressSpace, MM_ANONPAGES } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { mlockPage, munlockPage } from '../mlock-pages.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_anon, PG_anon_exclusive, PG_dirty, PG_ksm, PG_swapcache } from '../phys/page-flags.ts';
import type { AnonVma } from '../rmap/anon-vma.ts';
import { splitHugePage } from '../thp/split-page.ts';
import { VM_LOCKED, VM_MERGEABLE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import type { Ksm } from './ksm.ts';
import type { KsmSlot } from './ksm-slots.ts';
import { checksumOf } from './page-content.ts';
import { IN_UNSTABLE_TREE } from './rmap-items.ts';
import { NO_ROW } from './row-tree.ts';
import { appendItem, compareContents, insertStableNode, searchStableTree } from './stable-tree.ts';
import { breakKsm } from './unmerge.ts';

/**
 * What ksmd does with one page, which `item` stands for (cmp_and_merge_page, mm/ksm.c, 6.18). A page that is part of a huge one is
 * split from it when it is merged.
 *
 *   changed since last time ------------------------> remember the checksum, next page
 *   zeroes, and use_zero_pages ---------------------> the zero page, marked DIRTY
 *   a KSM page has these contents ------------------> its entry maps that page (replaceEntry); the item joins the node
 *   a page in the unstable tree has these contents -> this page becomes a KSM page, the other one's entry maps it; a new node
 *   else -------------------------------------------> into the unstable tree
 */
export function mergePage(ksm: Ksm, frame: Pfn, item: number): void {
  const { mm, items } = ksm;
  const isMergedAlready = (mm.frames.flags[frame] & PG_ksm) !== 0;
  const node = isMergedAlready ? mm.frames.owner[frame] : NO_ROW;
  if (isMergedAlready) {
    if (node === NO_ROW) takeApart(ksm, item);
    if (node === NO_ROW || items.node[item] === node) return;
  } else {
    ksm.removeFromTree(item);
    mm.clock.charge(COST_PAGE_HASH_NS);
    const checksum = checksumOf(mm.ram, frame);
    if (items.checksum[item] !== checksum) {
      items.checksum[item] = checksum;
      return;
    }
    if (ksm.knobs.useZeroPages && checksum === ksm.zeroChecksum && mergeWithZeroPage(ksm, item, frame)) return;
  }
  mergeWithOther(ksm, frame, item, node);
}

/** By the trees; `node` is that of the page itself, if it is a KSM page. */
function mergeWithOther(ksm: Ksm, frame: Pfn, item: number, node: number): void {
  const { mm, items } = ksm;
  const merged = searchStableTree(ksm, frame);
  if (merged === frame && items.node[item] === node) return;
  ksm.removeFromTree(item);
  if (merged >= 0) {
    if (mergeInto(ksm, item, frame, merged)) appendItem(ksm, item, mm.frames.owner[merged]);
    return;
  }
  const other = findInUnstableTree(ksm, item, frame);
  if (other === NO_ROW) return;
  if (!mergeTwo(ksm, item, frame, other, mergeablePage(ksm, other) as Pfn)) return;
  // Held, so that it is there still when memory for its node has been found.
  mm.alloc.getFrame(frame);
  const fresh = insertStableNode(ksm, frame);
  mm.alloc.putFrame(frame);
  if (fresh === NO_ROW) {
    // Two entries map a KSM page that no node leads to.
    undoMerge(ksm, other);
    undoMerge(ksm, item);
    return;
  }
  appendItem(ksm, other, fresh);
  appendItem(ksm, item, fresh);
}

/** find_mergeable_vma: the VMA of a page that KSM may still touch, or null. */
function findMergeableVma(space: AddressSpace, page: Vpn): Vma | null {
  const vma = space.vmas.find(page);
  if (vma === null || vma.startVpn > page) return null;
  return (vma.flags & VM_MERGEABLE) === 0 || vma.anonVma === null ? null : vma;
}

function vmaOf(ksm: Ksm, item: number): Vma | null {
  const slot = ksm.items.slot[item] as KsmSlot;
  return slot.hasEnded ? null : findMergeableVma(slot.space, ksm.items.vpn[item] as Vpn);
}

/** get_mergeable_page: the anonymous page that the item stands for now, or NO_FRAME. */
function mergeablePage(ksm: Ksm, item: number): Pfn | -1 {
  const vma = vmaOf(ksm, item);
  return vma === null ? NO_FRAME : anonFrameAt(ksm.mm, vma, ksm.items.vpn[item] as Vpn);
}

function anonFrameAt(mm: MemoryManager, vma: Vma, page: Vpn): Pfn | -1 {
  const { pageTables, frames } = mm;
  const slot = pageTables.findEntry(vma.space, page);
  const entry = slot === -1 ? 0 : pageTables.read(slot);
  if (!pageTables.isMapped(entry)) return NO_FRAME;
  const frame = pageTables.frameWithin(entry, pageTables.foundLevel, page);
  return (frames.flags[frames.headOf(frame)] & PG_anon) !== 0 ? frame : NO_FRAME;
}

/** try_to_merge_with_zero_page: true where there is nothing more to do for the page. */
function mergeWithZeroPage(ksm: Ksm, item: number, frame: Pfn): boolean {
  const vma = vmaOf(ksm, item);
  const page = ksm.items.vpn[item] as Vpn;
  if (vma === null) return true;
  const isMerged = splitHuge(ksm.mm, frame) && mergeEntry(ksm, vma, page, frame, ksm.mm.zeroPage);
  const { events } = ksm.mm;
  if (events.enabled[EV_KSM_MERGE_ONE_PAGE] !== 0)
    events.emit(EV_KSM_MERGE_ONE_PAGE, frame, item, vma.space.id, isMerged ? 0 : 1);
  return isMerged;
}

/** try_to_merge_with_ksm_page: the item's entry maps `merged`, or (NO_FRAME) its page becomes a KSM page. */
function mergeInto(ksm: Ksm, item: number, frame: Pfn, merged: Pfn | -1): boolean {
  const vma = vmaOf(ksm, item);
  if (vma === null) return false;
  const { items } = ksm;
  const { frames, rmap } = ksm.mm;
  const page = items.vpn[item] as Vpn;
  if (!splitHuge(ksm.mm, frame)) return false;
  // A page that becomes a KSM page may be mapped by relatives too: its own AnonVma and index lead to all of them.
  const owner = merged < 0 ? rmap.anonVmas.byId(frames.owner[frame]) : vma.anonVma;
  const index = merged < 0 ? frames.index[frame] : vma.pgoff + (page - vma.startVpn);
  const isMerged = mergeEntry(ksm, vma, page, frame, merged);
  const { events } = ksm.mm;
  if (events.enabled[EV_KSM_MERGE_WITH_KSM_PAGE] !== 0)
    events.emit(EV_KSM_MERGE_WITH_KSM_PAGE, merged, frame, item, vma.space.id, isMerged ? 0 : 1);
  if (!isMerged) return false;
  ksm.removeFromTree(item);
  items.anonVma[item] = rmap.anonVmas.hold(owner as AnonVma);
  items.index[item] = index;
  return true;
}

/** try_to_merge_two_pages: `frame` becomes a KSM page, and the other item's entry maps it too. */
function mergeTwo(ksm: Ksm, item: number, frame: Pfn, other: number, otherFrame: Pfn): boolean {
  if (!mergeInto(ksm, item, frame, NO_FRAME)) return false;
  if (mergeInto(ksm, other, otherFrame, frame)) return true;
  undoMerge(ksm, item);
  return false;
}

/** break_cow: the item's entry gets a page of its own again; without memory a later scan tries again. */
function undoMerge(ksm: Ksm, item: number): void {
  ksm.mm.rmap.anonVmas.drop(ksm.items.anonVma[item]);
  takeApart(ksm, item);
}

function takeApart(ksm: Ksm, item: number): void {
  const vma = vmaOf(ksm, item);
  if (vma !== null) breakKsm(ksm.mm, vma, ksm.items.vpn[item] as Vpn);
}

/** Small pages alone are merged (split_huge_page): false where somebody holds the huge one. */
function splitHuge(mm: MemoryManager, frame: Pfn): boolean {
  return !mm.frames.isLarge(frame) || splitHugePage(mm, mm.frames.headOf(frame));
}

/** try_to_merge_one_page: false where the page is in use elsewhere, or has changed. */
function mergeEntry(ksm: Ksm, vma: Vma, page: Vpn, frame: Pfn, merged: Pfn | -1): boolean {
  const { mm } = ksm;
  if (frame === merged) return true; // a KSM page that fork has shared
  const slot = mm.pageTables.findLeaf(vma.space, page);
  if (slot === -1 || !isMapping(mm, slot, frame) || !writeProtect(mm, vma, page, slot, frame)) return false;
  if (merged < 0) {
    mm.rmap.makeKsm(frame);
    mm.alloc.lru.markAccessed(frame);
    // Reclaim drops a clean page: one without DIRTY in any entry would be lost.
    mm.frames.set(frame, PG_dirty);
    return true;
  }
  if (compareContents(ksm, frame, merged as Pfn) !== 0) return false;
  replaceEntry(ksm, vma, page, slot, frame, merged as Pfn);
  return true;
}

function isMapping(mm: MemoryManager, slot: number, frame: Pfn): boolean {
  const entry = mm.pageTables.read(slot);
  return mm.pageTables.isMapped(entry) && mm.pageTables.frameOf(entry) === frame;
}

/**
 * write_protect_page: the entry loses WRITE and DIRTY, the page its exclusivity. A page with more references than entries is in
 * use by input or output: false, and nothing has changed.
 */
function writeProtect(mm: MemoryManager, vma: Vma, page: Vpn, slot: number, frame: Pfn): boolean {
  const { pageTables, frames, format } = mm;
  const entry = pageTables.read(slot);
  const flags = frames.flags[frame];
  if ((entry & (format.WRITE | format.DIRTY)) === 0 && (flags & PG_anon_exclusive) === 0) return true;
  const swapped = (flags & PG_swapcache) !== 0 ? 1 : 0;
  if (frames.mapcount[frame] + swapped !== frames.refcount[frame]) return false;
  frames.clear(frame, PG_anon_exclusive);
  if ((entry & format.DIRTY) !== 0) frames.set(frame, PG_dirty);
  pageTables.set(slot, (entry & ~(format.WRITE | format.DIRTY)) >>> 0);
  mm.flushPage(vma.space, page);
  return true;
}

/** replace_page: the entry maps `merged`, which has the same contents, read-only; the page loses an entry. */
function replaceEntry(ksm: Ksm, vma: Vma, page: Vpn, slot: number, frame: Pfn, merged: Pfn): void {
  const { mm } = ksm;
  const { pageTables, format } = mm;
  const isLocked = (vma.flags & VM_LOCKED) !== 0;
  let state = format.ACCESSED;
  if (merged === mm.zeroPage) {
    state |= format.DIRTY;
    ksm.countZeroPage(vma.space);
    mm.addRss(vma.space, MM_ANONPAGES, -1);
  } else {
    mm.alloc.getFrame(merged);
    mm.rmap.dupAnonRmap(merged);
    if (isLocked) mlockPage(mm, merged);
  }
  if (mm.events.enabled[EV_KSM_MERGE] !== 0)
    mm.events.emit(EV_KSM_MERGE, vma.space.id, page * PAGE_SIZE, frame, merged);
  if (mm.events.enabled[EV_PAGE_UNMAP] !== 0)
    mm.events.emit(EV_PAGE_UNMAP, vma.space.id, page * PAGE_SIZE, frame, 1, MM_ANONPAGES);
  if (merged !== mm.zeroPage && mm.events.enabled[EV_PAGE_MAP] !== 0)
    mm.events.emit(EV_PAGE_MAP, vma.space.id, page * PAGE_SIZE, merged, 1, MM_ANONPAGES);
  const entry = pageTables.makeEntry(merged, vma.flags, 'readonly', state);
  pageTables.set(slot, pageTables.isUffdWp(pageTables.read(slot)) ? pageTables.withUffdWp(entry) : entry);
  mm.flushPage(vma.space, page);
  mm.rmap.removeRmap(frame);
  if (isLocked) munlockPage(mm, frame);
  mm.alloc.putFrame(frame);
  mm.swap.dropUnused(frame);
}

/**
 * unstable_tree_search_insert: the item in the unstable tree whose page has the contents of `frame`; where there is none, the
 * item goes into the tree, and NO_ROW. The order of the tree may be broken: a page that is missed is found in another scan.
 */
function findInUnstableTree(ksm: Ksm, item: number, frame: Pfn): number {
  const { unstableTree, items } = ksm;
  let above = NO_ROW;
  let side: 'left' | 'right' = 'left';
  for (let row = unstableTree.root; row !== NO_ROW; ) {
    const other = mergeablePage(ksm, row);
    if (other < 0 || other === frame) return NO_ROW;
    const order = compareContents(ksm, frame, other as Pfn);
    if (order === 0) return row;
    above = row;
    side = order < 0 ? 'left' : 'right';
    row = order < 0 ? unstableTree.left[row] : unstableTree.right[row];
  }
  if (unstableTree.left.length < items.capacity) unstableTree.grow(items.capacity);
  items.place[item] = IN_UNSTABLE_TREE;
  items.generation[item] = ksm.generation;
  unstableTree.link(item, above, side);
  ksm.pagesUnshared++;
  return NO_ROW;
}
