import { EV_KSM_START_SCAN, EV_KSM_STOP_SCAN } from '../../base/event-kinds.ts';
import { COST_KSM_LOOK_NS } from '../../machine/cost-model.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import { PG_anon, PG_ksm } from '../phys/page-flags.ts';
import { VM_MERGEABLE } from '../vm-flags.ts';
import type { Vma } from '../vma.ts';
import { adviseScanTime, startScanTime } from './advisor.ts';
import type { Ksm } from './ksm.ts';
import type { KsmSlot } from './ksm-slots.ts';
import { mergePage } from './merge.ts';
import { MAX_AGE } from './rmap-items.ts';
import { NO_ROW } from './row-tree.ts';

/** ksm_do_scan: looks at up to `pages` pages, and stops where a full scan ends. */
export function scanPages(ksm: Ksm, pages: number): void {
  const { mm } = ksm;
  const before = mm.clock.nowNs;
  for (let left = pages; left > 0; left--) {
    const item = nextItem(ksm);
    if (item === NO_ROW) break;
    mergePage(ksm, scannedFrame(ksm, item), item);
    ksm.pagesScanned++;
  }
  ksm.cpuNs += mm.clock.nowNs - before;
}

/** The page that nextItem has just found. */
function scannedFrame(ksm: Ksm, item: number): Pfn {
  const { pageTables } = ksm.mm;
  const page = ksm.items.vpn[item] as Vpn;
  const slot = pageTables.findEntry((ksm.items.slot[item] as KsmSlot).space, page);
  return pageTables.frameWithin(pageTables.read(slot), pageTables.foundLevel, page);
}

/**
 * scan_get_next_rmap_item: the item of the next anonymous page of a VM_MERGEABLE VMA, made where there is none. NO_ROW: the full
 * scan has ended, or there was no memory for an item.
 */
function nextItem(ksm: Ksm): number {
  const { slots } = ksm;
  if (slots.first === null) return NO_ROW;
  if (ksm.cursorSlot === null) {
    if (ksm.mm.events.enabled[EV_KSM_START_SCAN] !== 0)
      ksm.mm.events.emit(EV_KSM_START_SCAN, ksm.fullScans, ksm.items.count);
    startScanTime(ksm);
    ksm.unstableTree.clear();
    ksm.generation++;
    enterSlot(ksm, slots.first);
  }
  for (let slot = ksm.cursorSlot as KsmSlot | null; slot !== null; slot = ksm.cursorSlot) {
    if (!slot.hasEnded) {
      const found = nextItemOf(ksm, slot);
      if (found !== 'end') return found;
    } else {
      ksm.cursorVpn = 0 as Vpn;
      ksm.cursorItem = NO_ROW;
    }
    ksm.freeItemsBehind(slot, ksm.cursorItem);
    const next = slot.next;
    // The cursor has met no VM_MERGEABLE VMA: the space needs no visits.
    if (ksm.cursorVpn === 0) ksm.freeSlot(slot);
    enterSlot(ksm, next);
  }
  adviseScanTime(ksm);
  if (ksm.mm.events.enabled[EV_KSM_STOP_SCAN] !== 0)
    ksm.mm.events.emit(EV_KSM_STOP_SCAN, ksm.fullScans, ksm.items.count);
  ksm.fullScans++;
  return NO_ROW;
}

function enterSlot(ksm: Ksm, slot: KsmSlot | null): void {
  ksm.cursorSlot = slot;
  ksm.cursorVpn = 0 as Vpn;
  ksm.cursorItem = NO_ROW;
}

/** The next item of the cursor's space; NO_ROW: no memory for it; 'end': the space has no more. */
function nextItemOf(ksm: Ksm, slot: KsmSlot): number | 'end' {
  const { space } = slot;
  for (let vma = space.vmas.find(ksm.cursorVpn); vma !== null; vma = space.vmas.next(vma)) {
    if ((vma.flags & VM_MERGEABLE) === 0) continue;
    if (ksm.cursorVpn < vma.startVpn) ksm.cursorVpn = vma.startVpn;
    if (vma.anonVma === null) ksm.cursorVpn = vma.endVpn;
    while (findAnonPage(ksm, vma)) {
      ksm.mm.clock.charge(COST_KSM_LOOK_NS);
      const page = ksm.cursorVpn;
      const item = ensureItem(ksm, slot, page);
      if (item === NO_ROW) return NO_ROW;
      ksm.cursorItem = item;
      ksm.cursorVpn = (page + 1) as Vpn;
      if (!shouldSkip(ksm, item)) return item;
    }
  }
  return 'end';
}

/** Moves the cursor to the next anonymous page of the VMA; false: to its end. */
function findAnonPage(ksm: Ksm, vma: Vma): boolean {
  const { pageTables, frames } = ksm.mm;
  while (pageTables.seek(vma.space, ksm.cursorVpn, vma.endVpn)) {
    // A huge leaf may begin before the page that was asked for.
    const page = Math.max(ksm.cursorVpn, pageTables.foundVpn) as Vpn;
    const entry = pageTables.read(pageTables.foundSlot);
    ksm.cursorVpn = page;
    if (pageTables.isMapped(entry)) {
      const head = frames.headOf(pageTables.frameOf(entry));
      if ((frames.flags[head] & PG_anon) !== 0) return true;
    }
    ksm.cursorVpn = (page + 1) as Vpn;
  }
  ksm.cursorVpn = vma.endVpn;
  return false;
}

/** get_next_rmap_item: frees the items of pages before this one that are not there any more. */
function ensureItem(ksm: Ksm, slot: KsmSlot, page: Vpn): number {
  const { items } = ksm;
  let item = ksm.itemBehind(slot, ksm.cursorItem);
  while (item !== NO_ROW && items.vpn[item] < page) {
    const next = items.listNext[item];
    ksm.setItemBehind(slot, ksm.cursorItem, next);
    ksm.freeItem(item);
    item = next;
  }
  if (item !== NO_ROW && items.vpn[item] === page) return item;
  const fresh = items.alloc(slot, page);
  if (fresh === NO_ROW) return NO_ROW;
  items.listNext[fresh] = item;
  ksm.setItemBehind(slot, ksm.cursorItem, fresh);
  return fresh;
}

/** should_skip_rmap_item: a page that was often looked at in vain is passed over for some scans. */
function shouldSkip(ksm: Ksm, item: number): boolean {
  if (!ksm.knobs.smartScan) return false;
  const { items, mm } = ksm;
  if ((mm.frames.flags[scannedFrame(ksm, item)] & PG_ksm) !== 0) return false;
  const age = items.age[item];
  if (age !== MAX_AGE) items.age[item]++;
  if (age < 3) return false;
  if (items.skips[item] === 0) {
    items.skips[item] = skipsAt(age);
    return false;
  }
  ksm.pagesSkipped++;
  items.skips[item]--;
  ksm.removeFromTree(item);
  return true;
}

/** skip_age. */
function skipsAt(age: number): number {
  if (age <= 3) return 1;
  if (age <= 5) return 2;
  return age <= 8 ? 4 : 8;
}
