import { EV_KSM_REMOVE_KSM_PAGE } from '../../base/event-kinds.ts';
import { COST_PAGE_COMPARE_NS } from '../../machine/cost-model.ts';
import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import { PG_ksm } from '../phys/page-flags.ts';
import type { Ksm } from './ksm.ts';
import type { KsmSlot } from './ksm-slots.ts';
import { dropLeftBehind, pruneLeftBehind } from './left-behind.ts';
import { compareFrames } from './page-content.ts';
import { IN_STABLE_TREE } from './rmap-items.ts';
import { NO_ROW } from './row-tree.ts';

/** KSM pages by contents (mm/ksm.c, 6.18): finding, entering, and what goes when a page has gone. */

/**
 * The node's page, or NO_FRAME if the frame is no longer its own: then the node is gone (ksm_get_folio). A node holds no
 * reference, so that its page is free as soon as nobody maps it.
 */
export function frameOfNode(ksm: Ksm, node: number): Pfn | -1 {
  const { frames } = ksm.mm;
  const frame = ksm.nodes.pfn[node] as Pfn;
  if ((frames.flags[frame] & PG_ksm) !== 0 && frames.owner[frame] === node) return frame;
  removeNode(ksm, node);
  return NO_FRAME;
}

/** remove_node_from_stable_tree: the node, which is no chain, and its items' places in it. */
export function removeNode(ksm: Ksm, node: number): void {
  const { nodes, items } = ksm;
  for (let item = nodes.first[node]; item !== NO_ROW; item = nodes.first[node]) {
    if (items.next[item] !== NO_ROW) ksm.pagesSharing--;
    else ksm.pagesShared--;
    nodes.removeItem(items, item);
    ksm.leaveStableTree(item, 'drop');
  }
  if (ksm.mm.events.enabled[EV_KSM_REMOVE_KSM_PAGE] !== 0) ksm.mm.events.emit(EV_KSM_REMOVE_KSM_PAGE, nodes.pfn[node]);
  dropLeftBehind(ksm, node);
  if (nodes.isDup(node)) nodes.removeDup(node);
  else ksm.stableTree.erase(node);
  nodes.release(node);
}

/** is_page_sharing_candidate: somebody maps the page, and `offset` more items than one fit under max_page_sharing. */
function canShare(ksm: Ksm, node: number, offset = 0): boolean {
  const length = ksm.nodes.length[node];
  return length > 0 && length + offset < ksm.knobs.maxPageSharing;
}

/** Negative, 0 or positive, as compareFrames; takes its time. */
export function compareContents(ksm: Ksm, a: Pfn, b: Pfn): number {
  ksm.mm.clock.charge(COST_PAGE_COMPARE_NS);
  return compareFrames(ksm.mm.ram, a, b);
}

/**
 * The page to compare with at a row of the tree, or NO_FRAME when the tree has changed and the walk begins again. Sets foundNode, the
 * row (another one if a chain of one dup gave way to it), and foundDup, the node whose page it is (chain, chain_prune).
 */
function liveFrame(ksm: Ksm, row: number, prune: 'prune' | 'keep'): Pfn | -1 {
  if (ksm.nodes.isChain(row)) return pickDup(ksm, row, prune);
  ksm.foundNode = row;
  ksm.foundDup = row;
  return frameOfNode(ksm, row);
}

/** stable_node_dup: the dup that more pages may join, the fullest such when all are looked through. */
function pickDup(ksm: Ksm, chain: number, prune: 'prune' | 'keep'): Pfn | -1 {
  const { nodes, stableTree, knobs } = ksm;
  const nowNs = ksm.mm.clock.nowNs;
  const looksAtAll = prune === 'prune' && nowNs >= nodes.prunedNs[chain] + knobs.stableNodeChainsPruneMillisecs * 1e6;
  if (looksAtAll) nodes.prunedNs[chain] = nowNs;
  let found = NO_ROW;
  let frame: Pfn | -1 = NO_FRAME;
  for (let dup = nodes.first[chain]; dup !== NO_ROW; ) {
    const after = nodes.dupNext[dup];
    const page = frameOfNode(ksm, dup);
    if (page >= 0 && (found === NO_ROW || isBetter(ksm, dup, found))) {
      found = dup;
      frame = page;
      if (!looksAtAll && canShare(ksm, found)) break;
    }
    dup = after;
  }
  ksm.foundNode = chain;
  ksm.foundDup = found;
  if (found === NO_ROW) {
    stableTree.erase(chain);
    nodes.release(chain);
    return NO_FRAME;
  }
  if (nodes.first[chain] === found && nodes.dupNext[found] === NO_ROW) {
    // The last dup takes the place of its chain.
    nodes.removeDup(found);
    stableTree.replace(chain, found);
    nodes.release(chain);
    ksm.foundNode = found;
  } else if (nodes.first[chain] !== found && canShare(ksm, found, 1)) {
    nodes.removeDup(found);
    nodes.addDup(found, chain);
  }
  return frame;
}

function isBetter(ksm: Ksm, dup: number, found: number): boolean {
  if (!canShare(ksm, dup)) return false;
  return !canShare(ksm, found) || ksm.nodes.length[dup] > ksm.nodes.length[found];
}

/**
 * stable_tree_search: a KSM page with the contents of `frame` that one more page may join, or NO_FRAME. A page that is a KSM page
 * already (of a parent, after fork) is its own answer.
 */
export function searchStableTree(ksm: Ksm, frame: Pfn): Pfn | -1 {
  const { frames } = ksm.mm;
  if ((frames.flags[frame] & PG_ksm) !== 0 && frames.owner[frame] !== NO_ROW) return frame;
  const { stableTree } = ksm;
  let row = stableTree.root;
  while (row !== NO_ROW) {
    const other = liveFrame(ksm, row, 'prune');
    if (other < 0) {
      row = stableTree.root;
      continue;
    }
    const order = compareContents(ksm, frame, other as Pfn);
    if (order === 0) return canShare(ksm, ksm.foundDup) ? other : NO_FRAME;
    row = order < 0 ? stableTree.left[ksm.foundNode] : stableTree.right[ksm.foundNode];
  }
  return NO_FRAME;
}

/**
 * stable_tree_insert: the node of a new KSM page, a dup where the tree has a full page with these contents. NO_ROW without memory.
 */
export function insertStableNode(ksm: Ksm, frame: Pfn): number {
  const { stableTree, nodes } = ksm;
  let above = NO_ROW;
  let side: 'left' | 'right' = 'left';
  let same = NO_ROW;
  for (let row = stableTree.root; row !== NO_ROW; ) {
    const other = liveFrame(ksm, row, 'keep');
    if (other < 0) {
      above = NO_ROW;
      row = stableTree.root;
      continue;
    }
    above = ksm.foundNode;
    const order = compareContents(ksm, frame, other as Pfn);
    if (order === 0) {
      same = above;
      break;
    }
    side = order < 0 ? 'left' : 'right';
    row = order < 0 ? stableTree.left[above] : stableTree.right[above];
  }
  const node = nodes.allocNode(frame);
  if (node === NO_ROW) return NO_ROW;
  if (stableTree.left.length < nodes.capacity) stableTree.grow(nodes.capacity);
  if (same === NO_ROW) stableTree.link(node, above, side);
  else {
    const chain = nodes.isChain(same) ? same : makeChain(ksm, same);
    if (chain === NO_ROW) {
      nodes.release(node);
      return NO_ROW;
    }
    nodes.addDup(node, chain);
  }
  ksm.mm.rmap.setKsmNode(frame, node);
  return node;
}

/** alloc_stable_node_chain: a chain takes the node's place in the tree, and the node hangs on it. */
function makeChain(ksm: Ksm, node: number): number {
  const { nodes, stableTree } = ksm;
  const chain = nodes.allocChain(ksm.mm.clock.nowNs);
  if (chain === NO_ROW) return NO_ROW;
  if (stableTree.left.length < nodes.capacity) stableTree.grow(nodes.capacity);
  stableTree.replace(node, chain);
  nodes.addDup(node, chain);
  return chain;
}

/** stable_tree_append: the item, which holds its AnonVma, joins the node's list. */
export function appendItem(ksm: Ksm, item: number, node: number): void {
  const { nodes, items } = ksm;
  nodes.addItem(items, node, item);
  items.place[item] = IN_STABLE_TREE;
  if (nodes.length[node] > 1) ksm.pagesSharing++;
  else ksm.pagesShared++;
  (items.slot[item] as KsmSlot).space.ksmMergingPages++;
  pruneLeftBehind(ksm, node, nodes.pfn[node] as Pfn);
}
