import { EBUSY, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { EV_KSM_ENTER, EV_KSM_EXIT, EV_KSM_REMOVE_RMAP_ITEM } from '../../base/event-kinds.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { KmemCache } from '../phys/slab.ts';
import { KsmSlot, KsmSlots } from './ksm-slots.ts';
import { type LeftBehind, leaveBehind, pruneLeftBehind } from './left-behind.ts';
import { checksumOf } from './page-content.ts';
import { IN_NO_TREE, IN_STABLE_TREE, IN_UNSTABLE_TREE, RmapItems } from './rmap-items.ts';
import { NO_ROW, RowTree } from './row-tree.ts';
import { StableNodes } from './stable-nodes.ts';
import { frameOfNode, removeNode } from './stable-tree.ts';

/** ksm_run: what is written to /sys/kernel/mm/ksm/run. */
export const KSM_RUN_STOP = 0;
export const KSM_RUN_MERGE = 1;
export const KSM_RUN_UNMERGE = 2;

/** sizeof(struct ksm_rmap_item): what a page that is looked at costs (general_profit). */
export const RMAP_ITEM_BYTES = 64;

/** What can be set in /sys/kernel/mm/ksm, with its defaults there (mm/ksm.c, 6.18). */
export class KsmKnobs {
  pagesToScan = 100;
  sleepMillisecs = 20;
  maxPageSharing = 256;
  stableNodeChainsPruneMillisecs = 2000;
  mergeAcrossNodes: 0 | 1 = 1;
  useZeroPages = false;
  smartScan = true;
  advisorMode: 'none' | 'scan-time' = 'none';
  advisorMaxCpu = 70;
  advisorMinPagesToScan = 500;
  advisorMaxPagesToScan = 30_000;
  advisorTargetScanTime = 200;
}

/** What the scan-time advisor remembers of the scan before (struct advisor_ctx). */
export class AdvisorState {
  startNs = 0;
  scanSeconds = 0;
  change = 0;
  cpuNs = 0;
}

/**
 * Kernel same-page merging (Linux 6.18, mm/ksm.c): anonymous pages of VM_MERGEABLE VMAs that have the same contents become one
 * page, write-protected, and a copy again for whoever writes. One a machine; ksmd (kernel/ksmd.ts) calls scanPages.
 *
 *   scan.ts         the next page, space after space            merge.ts     compares it, merges it
 *   stable-tree.ts  KSM pages by contents, with chains          unmerge.ts   takes merges back, and all of it with run = 2
 *   rmap-items.ts   a row a page looked at                      reverse.ts   from a KSM page to its entries, with left-behind.ts
 *
 * Machines have one NUMA node, so merge_across_nodes changes nothing but itself, and no page is ever on the list of migrated nodes.
 *
 * Invariants (checked by check-ksm.ts):
 *  K1 items holds the items of all slots; each slot's list rises by vpn; counts agree (count, space.ksmRmapItems).
 *  K2 An item with place STABLE is in the list of its node, which is no chain, and holds its AnonVma; pagesShared is the number
 *     of nodes with items, pagesSharing of their items beyond the first, space.ksmMergingPages of the space's.
 *  K3 length is the number of a node's items; the dups of a chain whose pages live have the same contents. (A chain that has lost
 *     its last dup goes when a search comes by.)
 *  K4 Both trees are balanced (Y1, Y2); live nodes of the stable tree rise by contents strictly.
 *  K5 PG_ksm: the frame is anonymous and not exclusive, its entries are read-only, and its node (FrameTable.owner; 0: none, after
 *     memory ran out) has the frame and leads to each entry. An entry may lie in a VMA that is not VM_MERGEABLE: a page that a
 *     process shares with its parent is merged for both.
 *  K6 pagesUnshared is the number of items with place UNSTABLE; those of this scan are in the unstable tree, and nobody else.
 *  K7 zeroPages and space.ksmZeroPages count the entries that map the zero page with DIRTY: those that ksmd put there.
 */
export class Ksm {
  readonly knobs = new KsmKnobs();
  readonly advisor = new AdvisorState();
  readonly slots = new KsmSlots();
  readonly items: RmapItems;
  readonly nodes: StableNodes;
  readonly stableTree = new RowTree(1);
  readonly unstableTree = new RowTree(1);
  /** By node. */
  readonly leftBehind = new Map<number, LeftBehind[]>();
  run: 0 | 1 | 2 = KSM_RUN_STOP;
  pagesShared = 0;
  pagesSharing = 0;
  pagesUnshared = 0;
  pagesSkipped = 0;
  pagesScanned = 0;
  zeroPages = 0;
  /** Full scans (ksm_scan.seqnr): 0 again after run = 2. */
  fullScans = 0;
  /** Rises with every new unstable tree: items of older ones are in none. */
  generation = 0;
  /** Virtual time that scanning took. */
  cpuNs = 0;
  /** The cursor (ksm_scan): the slot (null: a new scan begins), the next page there, and the item before it (NO_ROW: none). */
  cursorSlot: KsmSlot | null = null;
  cursorVpn = 0 as Vpn;
  cursorItem = NO_ROW;
  /** Results of liveFrame (stable-tree.ts): the row in the tree, and the node that was chosen of it. */
  foundNode = NO_ROW;
  foundDup = NO_ROW;
  readonly mm: MemoryManager;
  private readonly slotCache: KmemCache;
  private knownZeroChecksum = -1;

  constructor(mm: MemoryManager) {
    this.mm = mm;
    this.items = new RmapItems(mm.slab.cacheNamed('ksm_rmap_item'));
    this.nodes = new StableNodes(mm.slab.cacheNamed('ksm_stable_node'));
    this.slotCache = mm.slab.cacheNamed('ksm_mm_slot');
  }

  /** ksmd_should_run. */
  get shouldRun(): boolean {
    return this.run === KSM_RUN_MERGE && this.slots.first !== null;
  }

  /** ksm_pages_volatile: items that are nowhere, because their pages change, or were skipped. */
  get pagesVolatile(): number {
    return Math.max(0, this.items.count - this.pagesShared - this.pagesSharing - this.pagesUnshared);
  }

  /** The checksum of a page of zeroes. */
  get zeroChecksum(): number {
    if (this.knownZeroChecksum < 0) this.knownZeroChecksum = checksumOf(this.mm.ram, this.mm.zeroPage);
    return this.knownZeroChecksum;
  }

  /** __ksm_enter: the space is scanned from now on, behind those that the scan under way has yet to visit. 0 or -ENOMEM. */
  enter(space: AddressSpace): number {
    if (space.ksmSlot !== null) return 0;
    const memory = this.slotCache.alloc();
    if (memory === 0) return -ENOMEM;
    const slot = new KsmSlot(space, memory);
    this.slots.addBefore(slot, this.run === KSM_RUN_UNMERGE ? null : this.cursorSlot);
    space.ksmSlot = slot;
    if (this.mm.events.enabled[EV_KSM_ENTER] !== 0) this.mm.events.emit(EV_KSM_ENTER, space.id);
    return 0;
  }

  /** __ksm_exit: the space ends. What ksmd holds of it goes at once, or when ksmd comes by next. */
  exit(space: AddressSpace): void {
    const slot = space.ksmSlot;
    if (slot === null) return;
    slot.hasEnded = true;
    if (this.mm.events.enabled[EV_KSM_EXIT] !== 0) this.mm.events.emit(EV_KSM_EXIT, space.id);
    space.ksmSlot = null;
    if (slot === this.cursorSlot) return;
    if (slot.firstItem === NO_ROW) {
      this.freeSlot(slot);
      return;
    }
    this.slots.remove(slot);
    this.slots.addBehind(slot, this.cursorSlot);
  }

  /** The slot, without items, goes: its space has ended, or has nothing to merge. */
  freeSlot(slot: KsmSlot): void {
    this.slots.remove(slot);
    this.slotCache.free(slot.memory);
    slot.space.ksmSlot = null;
  }

  /** remove_rmap_item_from_tree. */
  removeFromTree(item: number): void {
    const { items } = this;
    if (items.place[item] === IN_STABLE_TREE) {
      const node = items.node[item];
      // Where the page is gone, its node goes with all its items.
      const frame = frameOfNode(this, node);
      if (frame < 0) return;
      if (this.mm.events.enabled[EV_KSM_REMOVE_RMAP_ITEM] !== 0)
        this.mm.events.emit(EV_KSM_REMOVE_RMAP_ITEM, frame, item, (items.slot[item] as KsmSlot).space.id);
      this.nodes.removeItem(items, item);
      if (this.nodes.length[node] > 0) this.pagesSharing--;
      else this.pagesShared--;
      pruneLeftBehind(this, node, frame as Pfn);
      const place = { anonVma: items.anonVma[item], index: items.index[item] };
      this.leaveStableTree(item, leaveBehind(this, node, frame as Pfn, place) ? 'keep' : 'drop');
    } else if (items.place[item] === IN_UNSTABLE_TREE) {
      if (items.generation[item] === this.generation) this.unstableTree.erase(item);
      this.pagesUnshared--;
      items.place[item] = IN_NO_TREE;
    }
  }

  /** The item is no longer in a node's list. Its AnonVma is let go of, or is kept for others. */
  leaveStableTree(item: number, anonVma: 'drop' | 'keep'): void {
    const { items } = this;
    const { space } = items.slot[item] as KsmSlot;
    space.ksmMergingPages--;
    if (anonVma === 'drop') this.mm.rmap.anonVmas.drop(items.anonVma[item]);
    items.place[item] = IN_NO_TREE;
  }

  /** remove_trailing_rmap_items: frees the slot's items behind `before` (NO_ROW: all). */
  freeItemsBehind(slot: KsmSlot, before: number): void {
    let item = this.itemBehind(slot, before);
    while (item !== NO_ROW) {
      const next = this.items.listNext[item];
      this.freeItem(item);
      item = next;
    }
    this.setItemBehind(slot, before, NO_ROW);
  }

  freeItem(item: number): void {
    this.removeFromTree(item);
    this.items.release(item);
  }

  itemBehind(slot: KsmSlot, before: number): number {
    return before === NO_ROW ? slot.firstItem : this.items.listNext[before];
  }

  setItemBehind(slot: KsmSlot, before: number, item: number): void {
    if (before === NO_ROW) slot.firstItem = item;
    else this.items.listNext[before] = item;
  }

  /** ksm_map_zero_page. */
  countZeroPage(space: AddressSpace): void {
    this.zeroPages++;
    space.ksmZeroPages++;
  }

  /** ksm_might_unmap_zero_page: an entry that mapped the zero page goes. */
  uncountZeroPage(space: AddressSpace, entry: number): void {
    if ((entry & this.mm.format.DIRTY) === 0) return;
    this.zeroPages--;
    space.ksmZeroPages--;
  }

  /** An attribute that shapes the stable tree is to change: 0, or -EBUSY while there are merged pages. */
  emptyStableTree(): number {
    if (this.pagesShared > 0) return -EBUSY;
    return removeAllNodes(this) ? 0 : -EBUSY;
  }

  /** max_page_sharing_store: a new KSM page is shared by two, so at least 2. 0, -EINVAL or -EBUSY. */
  setMaxPageSharing(value: number): number {
    if (value < 2) return -EINVAL;
    if (value === this.knobs.maxPageSharing) return 0;
    const result = this.emptyStableTree();
    if (result === 0) this.knobs.maxPageSharing = value;
    return result;
  }

  /** merge_across_nodes_store. 0, -EINVAL or -EBUSY. */
  setMergeAcrossNodes(value: number): number {
    if (value !== 0 && value !== 1) return -EINVAL;
    if (value === this.knobs.mergeAcrossNodes) return 0;
    const result = this.emptyStableTree();
    if (result === 0) this.knobs.mergeAcrossNodes = value;
    return result;
  }

  /** The machine ends, and no space is left: what ksmd would have freed later. */
  release(): void {
    for (let slot = this.slots.first; slot !== null; slot = this.slots.first) {
      this.freeItemsBehind(slot, NO_ROW);
      this.freeSlot(slot);
    }
    this.cursorSlot = null;
    removeAllNodes(this);
  }
}

/** remove_all_stable_nodes: false where a page is still mapped. */
export function removeAllNodes(ksm: Ksm): boolean {
  const { nodes, stableTree, mm } = ksm;
  const removeUnmapped = (node: number): boolean => {
    const frame = frameOfNode(ksm, node);
    if (frame < 0) return true;
    if (mm.frames.mapcount[frame] > 0) return false;
    mm.rmap.setKsmNode(frame as Pfn, NO_ROW);
    removeNode(ksm, node);
    return true;
  };
  while (stableTree.root !== NO_ROW) {
    const row = stableTree.root;
    if (!nodes.isChain(row)) {
      if (!removeUnmapped(row)) return false;
      continue;
    }
    while (nodes.first[row] !== NO_ROW) if (!removeUnmapped(nodes.first[row])) return false;
    stableTree.erase(row);
    nodes.release(row);
  }
  return true;
}
