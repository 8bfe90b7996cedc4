import { assert, panic } from '../../base/assert.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { PG_anon, PG_anon_exclusive, PG_ksm } from '../phys/page-flags.ts';
import type { Vma } from '../vma.ts';
import type { Ksm } from './ksm.ts';
import { compareFrames } from './page-content.ts';
import { IN_STABLE_TREE, IN_UNSTABLE_TREE } from './rmap-items.ts';
import { NO_ROW } from './row-tree.ts';

/** The part of checkInvariants that recomputes K1 to K7. Costs nothing where nothing is merged. */
export function checkKsm(ksm: Ksm): void {
  if (ksm.slots.first === null && ksm.items.count === 0 && ksm.nodes.count === 0) {
    assert(ksm.zeroPages === sumOfZeroPages(ksm.mm), 'mm/ksm/ksm.ts: K7 zeroPages');
    return;
  }
  checkItems(ksm);
  checkNodes(ksm);
  checkFrames(ksm);
  assert(ksm.zeroPages === sumOfZeroPages(ksm.mm), 'mm/ksm/ksm.ts: K7 zeroPages');
}

function sumOfZeroPages(mm: MemoryManager): number {
  let sum = 0;
  for (const space of mm.spaces) sum += space.ksmZeroPages;
  return sum;
}

/** K1, K2, K6: what the items say. */
function checkItems(ksm: Ksm): void {
  const { items, nodes, unstableTree, mm } = ksm;
  const held = new Map<number, number>();
  let count = 0;
  let stable = 0;
  let unstable = 0;
  const inTree = new Set<number>();
  for (let row = unstableTree.first(); row !== NO_ROW; row = unstableTree.next(row)) inTree.add(row);
  const broken = unstableTree.findBroken();
  if (broken !== null) panic(`mm/ksm/ksm.ts: K4 unstable tree ${broken}`);
  for (let slot = ksm.slots.first; slot !== null; slot = slot.next) {
    const { space } = slot;
    assert(slot.hasEnded || space.ksmSlot === slot, 'mm/ksm/ksm.ts: K1 a space has one slot');
    let before = -1;
    let own = 0;
    let merging = 0;
    for (let item = slot.firstItem; item !== NO_ROW; item = items.listNext[item]) {
      own++;
      assert(items.slot[item] === slot, 'mm/ksm/ksm.ts: K1 an item is in the list of its slot');
      assert(items.vpn[item] > before, 'mm/ksm/ksm.ts: K1 the items of a slot rise');
      before = items.vpn[item];
      const place = items.place[item];
      const isNow = place === IN_UNSTABLE_TREE && items.generation[item] === ksm.generation;
      assert(isNow === inTree.delete(item), 'mm/ksm/ksm.ts: K6 the unstable tree holds the items of this scan');
      if (place === IN_UNSTABLE_TREE) unstable++;
      if (place !== IN_STABLE_TREE) continue;
      stable++;
      merging++;
      assert(nodes.isLive(items.node[item]), 'mm/ksm/ksm.ts: K2 a merged item has a node');
      held.set(items.anonVma[item], (held.get(items.anonVma[item]) ?? 0) + 1);
    }
    assert(own === space.ksmRmapItems, 'mm/ksm/ksm.ts: K1 ksmRmapItems');
    assert(merging === space.ksmMergingPages, 'mm/ksm/ksm.ts: K2 ksmMergingPages');
    count += own;
  }
  assert(inTree.size === 0, 'mm/ksm/ksm.ts: K6 the unstable tree holds items of slots');
  assert(count === ksm.items.count, 'mm/ksm/ksm.ts: K1 count of items');
  assert(stable === ksm.pagesShared + ksm.pagesSharing, 'mm/ksm/ksm.ts: K2 pagesShared and pagesSharing');
  assert(unstable === ksm.pagesUnshared, 'mm/ksm/ksm.ts: K6 pagesUnshared');
  for (const { anonVma } of [...ksm.leftBehind.values()].flat()) held.set(anonVma, (held.get(anonVma) ?? 0) + 1);
  for (const [id, times] of held)
    assert(mm.rmap.anonVmas.byId(id)?.held === times, 'mm/ksm/ksm.ts: K2 a merged item holds its AnonVma');
}

/** K2 to K4: what the nodes say. */
function checkNodes(ksm: Ksm): void {
  const { nodes, stableTree, mm } = ksm;
  const broken = stableTree.findBroken();
  if (broken !== null) panic(`mm/ksm/ksm.ts: K4 stable tree ${broken}`);
  let count = 0;
  let chains = 0;
  let dups = 0;
  let shared = 0;
  let before: Pfn | -1 = -1;
  for (let row = stableTree.first(); row !== NO_ROW; row = stableTree.next(row)) {
    count++;
    assert(nodes.isLive(row) && !nodes.isDup(row), 'mm/ksm/ksm.ts: K4 the tree holds nodes and chains');
    let frame: Pfn | -1 = -1;
    if (nodes.isChain(row)) {
      chains++;
      for (let dup = nodes.first[row]; dup !== NO_ROW; dup = nodes.dupNext[dup]) {
        count++;
        dups++;
        assert(nodes.chain[dup] === row, 'mm/ksm/ksm.ts: K3 a dup knows its chain');
        shared += checkNode(ksm, dup);
        const page = livePage(ksm, dup);
        const same = page < 0 || frame < 0 || compareFrames(mm.ram, page as Pfn, frame as Pfn) === 0;
        assert(same, 'mm/ksm/ksm.ts: K3 the dups of a chain have the same contents');
        if (page >= 0) frame = page;
      }
    } else {
      shared += checkNode(ksm, row);
      frame = livePage(ksm, row);
    }
    if (frame < 0) continue;
    const rises = before < 0 || compareFrames(mm.ram, before as Pfn, frame as Pfn) < 0;
    assert(rises, 'mm/ksm/ksm.ts: K4 the stable tree rises by contents');
    before = frame;
  }
  const sums = count === nodes.count && chains === nodes.chains && dups === nodes.dups;
  assert(sums, 'mm/ksm/ksm.ts: K3 counts of nodes, chains and dups');
  assert(shared === ksm.pagesShared, 'mm/ksm/ksm.ts: K2 pagesShared');
}

/** The items of one node; 1 if it has any. */
function checkNode(ksm: Ksm, node: number): 0 | 1 {
  const { nodes, items } = ksm;
  let length = 0;
  let before = NO_ROW;
  for (let item = nodes.first[node]; item !== NO_ROW; item = items.next[item]) {
    length++;
    const linked = items.node[item] === node && items.prev[item] === before && items.place[item] === IN_STABLE_TREE;
    assert(linked, 'mm/ksm/ksm.ts: K2 an item is in the list of its node');
    before = item;
  }
  assert(length === nodes.length[node], "mm/ksm/ksm.ts: K3 length of a node's list");
  return length > 0 ? 1 : 0;
}

function livePage(ksm: Ksm, node: number): Pfn | -1 {
  const { frames } = ksm.mm;
  const frame = ksm.nodes.pfn[node] as Pfn;
  return (frames.flags[frame] & PG_ksm) !== 0 && frames.owner[frame] === node ? frame : -1;
}

/** K5 of the frames. */
function checkFrames(ksm: Ksm): void {
  const { frames } = ksm.mm;
  const { flags, owner, frameCount } = frames;
  for (let frame = 0; frame < frameCount; frame++) {
    if ((flags[frame] & PG_ksm) === 0) continue;
    const kind = flags[frame] & (PG_anon | PG_anon_exclusive);
    assert(kind === PG_anon, 'mm/ksm/ksm.ts: K5 a KSM page is anonymous and not exclusive');
    const node = owner[frame];
    const known = node === NO_ROW || (ksm.nodes.isLive(node) && ksm.nodes.pfn[node] === frame);
    assert(known, 'mm/ksm/ksm.ts: K5 the node of a KSM page has the page');
  }
}

/** K5 of an entry that maps a KSM page: check-entries.ts calls it for each. */
export function checkKsmEntry(mm: MemoryManager, vma: Vma, page: Vpn, frame: Pfn): void {
  const { items, nodes } = mm.ksm;
  const { pageTables, format } = mm;
  const entry = pageTables.read(pageTables.findLeaf(vma.space, page));
  assert((entry & format.WRITE) === 0, 'mm/ksm/ksm.ts: K5 a KSM page is not written');
  const node = mm.frames.owner[frame];
  if (node === NO_ROW) return;
  for (let item = nodes.first[node]; item !== NO_ROW; item = items.next[item]) {
    if (items.index[item] !== vma.pgoff + (page - vma.startVpn)) continue;
    if (vma.anonVmaChain.some((chain) => chain.anonVma.id === items.anonVma[item])) return;
  }
  for (const { anonVma, index } of mm.ksm.leftBehind.get(node) ?? [])
    if (index === vma.pgoff + (page - vma.startVpn) && vma.anonVmaChain.some((chain) => chain.anonVma.id === anonVma))
      return;
  panic('mm/ksm/ksm.ts: K5 the node of a KSM page leads to its entries');
}
