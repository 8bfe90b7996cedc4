import { assert } from '../../base/assert.ts';
import type { Pfn } from '../../machine/units.ts';
import { NO_FRAME } from '../phys/frame-table.ts';
import type { KmemCache } from '../phys/slab.ts';
import type { ShadowNodes } from './shadow-nodes.ts';

/** XA_CHUNK_SHIFT: 64 slots a node. */
const SHIFT = 6;
export const SLOTS = 64;
/** Twelve levels would be 2^72 pages; nine hold every index below 2^53. */
const MAX_LEVELS = 9;

/**
 * One node of the tree. Level 0 holds frames (`pages`), higher levels hold nodes (`children`); `dirty` has one bit a slot: the
 * page is dirty, or something below it is.
 */
interface IndexNode {
  readonly level: number;
  /** Address of its object in the radix_tree_node slab. */
  readonly slot: number;
  readonly pages: Int32Array | null;
  readonly children: (IndexNode | null)[] | null;
  /** Slots in use. */
  count: number;
  dirtyLow: number;
  dirtyHigh: number;
  /** Of a leaf: what pages that were evicted left behind, 0 where nothing; null: none ever did. */
  shadows: Float64Array | null;
  shadowCount: number;
  /** Its number in ShadowNodes, 0: it is not there. */
  shadowId: number;
}

/**
 * Page index -> frame of one file, with a dirty mark (Linux: the xarray address_space.i_pages and PAGECACHE_TAG_DIRTY): a radix
 * tree of 64-way nodes, as high as the greatest index needs, each node an object of the radix_tree_node slab. Quick for dense
 * files (the last leaf is remembered) and for sparse ones; a range's dirty pages are found without looking at clean ones.
 *
 * Invariants:
 *  X1 A node has at least one slot in use, by a page, a shadow entry or a node; count says how many. A slot has a page or a shadow
 *     entry; a leaf that has shadow entries alone is in ShadowNodes.
 *  X2 A dirty bit of an inner node is set exactly when the child has one set.
 *  X3 count of the tree is the number of pages; the root is as low as the greatest index allows.
 */
export class PageIndex {
  /** Pages in the index, and shadow entries. */
  count = 0;
  shadowCount = 0;
  private readonly nodes: KmemCache;
  private readonly shadowNodes: ShadowNodes;
  private root: IndexNode | null = null;
  private lastLeaf: IndexNode | null = null;
  private lastLeafStart = -1;

  constructor(nodes: KmemCache, shadowNodes: ShadowNodes) {
    this.nodes = nodes;
    this.shadowNodes = shadowNodes;
  }

  /** The frame at `index`, or NO_FRAME. */
  find(index: number): Pfn | -1 {
    const leaf = this.findLeaf(index);
    return leaf === null ? NO_FRAME : ((leaf.pages as Int32Array)[index & (SLOTS - 1)] as Pfn | -1);
  }

  /** The frames of the 64 pages around `index`, NO_FRAME in holes; null where none of them has one. For looking, until the index changes. */
  framesAround(index: number): Int32Array | null {
    const leaf = this.findLeaf(index);
    return leaf === null ? null : leaf.pages;
  }

  /** What the page that was evicted from here left behind, or 0. */
  shadowAt(index: number): number {
    return this.shadowCount === 0 ? 0 : (this.findLeaf(index)?.shadows?.[index & (SLOTS - 1)] ?? 0);
  }

  /**
   * Enters a frame at an index that has none; a shadow entry there goes. False when there is no memory for nodes. Allocating a node may reclaim and so
   * change this very tree; nodes are therefore got first and the tree is walked after (radix_tree_preload).
   */
  insert(index: number, frame: Pfn): boolean {
    const leaf = this.findLeaf(index);
    if (leaf !== null) {
      this.enter(leaf, index, frame);
      return true;
    }
    const reserve: number[] = [];
    let enough = true;
    while (enough && reserve.length < this.nodesNeeded(index)) {
      const slot = this.nodes.alloc();
      if (slot === 0) enough = false;
      else reserve.push(slot);
    }
    if (enough) this.insertWith(index, frame, reserve);
    for (const slot of reserve) this.nodes.free(slot);
    return enough;
  }

  /** The same for `count` frames in a row: all of them, or none. */
  insertRun(index: number, frame: Pfn, count: number): boolean {
    for (let i = 0; i < count; i++) {
      if (this.insert(index + i, (frame + i) as Pfn)) continue;
      while (i-- > 0) this.remove(index + i);
      return false;
    }
    return true;
  }

  /** Another frame takes the place of the page at `index`, which is there and clean. */
  replace(index: number, frame: Pfn): void {
    const leaf = this.findLeaf(index);
    assert(
      leaf !== null && this.find(index) !== NO_FRAME && !this.isDirty(index),
      'mm/page-cache/page-index.ts: a page that is replaced is there',
    );
    (leaf.pages as Int32Array)[index & (SLOTS - 1)] = frame;
  }

  /** Takes the page at `index` out; there must be one. Its dirty mark goes too. `shadow` (not 0) stays in its place. */
  remove(index: number, shadow = 0): void {
    const leaf = this.findLeaf(index);
    assert(
      leaf !== null && this.find(index) !== NO_FRAME,
      'mm/page-cache/page-index.ts: a page that is removed is there',
    );
    if (hasDirty(leaf, index & (SLOTS - 1))) this.clearDirty(index);
    (leaf.pages as Int32Array)[index & (SLOTS - 1)] = NO_FRAME;
    this.count--;
    if (shadow === 0) leaf.count--;
    else {
      leaf.shadows ??= new Float64Array(SLOTS);
      leaf.shadows[index & (SLOTS - 1)] = shadow;
      leaf.shadowCount++;
      this.shadowCount++;
    }
    this.noteShadows(leaf, index);
    if (leaf.count === 0) this.dropEmpty(index);
  }

  /** Shadow entries of [first, end) go: what they stood for exists no more (clear_shadow_entries). */
  dropShadows(first: number, end: number): void {
    for (let at = first; this.shadowCount > 0 && at < end; ) {
      const { leaf, start } = this.nextLeaf(at);
      if (leaf === null || start >= end) return;
      for (let index = Math.max(at, start); index < Math.min(end, start + SLOTS); index++)
        dropShadow(this, leaf, index);
      this.noteShadows(leaf, start);
      if (leaf.count === 0) this.dropEmpty(start);
      at = start + SLOTS;
    }
  }

  /** workingset_update_node: a leaf with shadow entries alone is known to who gives these back. */
  private noteShadows(leaf: IndexNode, index: number): void {
    const isShadow = leaf.shadowCount > 0 && leaf.shadowCount === leaf.count;
    if (isShadow && leaf.shadowId === 0) leaf.shadowId = this.shadowNodes.add(this, index - (index & (SLOTS - 1)));
    else if (!isShadow && leaf.shadowId !== 0) {
      this.shadowNodes.remove(leaf.shadowId);
      leaf.shadowId = 0;
    }
  }

  /** The leaf that holds `from`, or the first behind it. */
  private nextLeaf(from: number): { leaf: IndexNode | null; start: number } {
    let at = from - (from & (SLOTS - 1));
    while (this.root !== null && at < spanOf(this.root.level + 1)) {
      let node: IndexNode | null = this.root;
      let missing = 0;
      while (node !== null && node.children !== null) {
        missing = spanOf(node.level);
        node = node.children[slotAt(at, node.level)];
      }
      if (node !== null) return { leaf: node, start: at };
      at = at - (at % missing) + missing;
    }
    return { leaf: null, start: at };
  }

  /** The leaf of `index` has nothing any more: it goes, and all above it that have nothing then. */
  private dropEmpty(index: number): void {
    const path = this.pathTo(index);
    for (let depth = path.length - 1; depth >= 0 && path[depth].count === 0; depth--) {
      const node = path[depth];
      if (node === this.lastLeaf) this.forgetLeaf();
      this.nodes.free(node.slot);
      if (depth === 0) this.root = null;
      else {
        const parent = path[depth - 1];
        (parent.children as (IndexNode | null)[])[slotAt(index, parent.level)] = null;
        parent.count--;
      }
    }
    this.lowerRoot();
  }

  isDirty(index: number): boolean {
    const leaf = this.findLeaf(index);
    return leaf !== null && hasDirty(leaf, index & (SLOTS - 1));
  }

  markDirty(index: number): void {
    for (let node = this.root; node !== null; ) {
      const slot = slotAt(index, node.level);
      setDirty(node, slot);
      node = node.children === null ? null : node.children[slot];
    }
  }

  clearDirty(index: number): void {
    const path = this.pathTo(index);
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const node = path[depth];
      unsetDirty(node, slotAt(index, node.level));
      if ((node.dirtyLow | node.dirtyHigh) !== 0) return;
    }
  }

  /** The least index >= `from` that has a page (any, or a dirty one), or -1. */
  next(from: number, which: 'any' | 'dirty'): number {
    if (this.root === null || from >= spanOf(this.root.level + 1)) return -1;
    const leaf = which === 'any' ? this.findLeaf(from) : null;
    if (leaf !== null) {
      const pages = leaf.pages as Int32Array;
      const start = from & (SLOTS - 1);
      for (let slot = start; slot < SLOTS; slot++) if (pages[slot] !== NO_FRAME) return from + (slot - start);
    }
    return nextUnder(this.root, 0, from, which);
  }

  /** What is broken (X1 to X3), or null. */
  findBroken(): string | null {
    const { root } = this;
    if (root === null) return this.count + this.shadowCount === 0 ? null : 'X3: count of an empty tree';
    if (root.level > 0 && (root.children as (IndexNode | null)[]).every((child, slot) => slot === 0 || child === null))
      return 'X3: root too high';
    const tally = { pages: 0, shadows: 0 };
    const broken = checkUnder(root, tally);
    return broken ?? (tally.pages === this.count && tally.shadows === this.shadowCount ? null : 'X3: count');
  }

  private findLeaf(index: number): IndexNode | null {
    const start = index - (index & (SLOTS - 1));
    if (start === this.lastLeafStart) return this.lastLeaf;
    let node = this.root;
    if (node === null || index >= spanOf(node.level + 1)) return null;
    while (node !== null && node.children !== null) node = node.children[slotAt(index, node.level)];
    if (node !== null) {
      this.lastLeaf = node;
      this.lastLeafStart = start;
    }
    return node;
  }

  private forgetLeaf(): void {
    this.lastLeaf = null;
    this.lastLeafStart = -1;
  }

  /** Nodes from the root to the leaf that covers `index`; the leaf must be there. */
  private pathTo(index: number): IndexNode[] {
    const path: IndexNode[] = [];
    for (let node = this.root; node !== null; ) {
      path.push(node);
      node = node.children === null ? null : node.children[slotAt(index, node.level)];
    }
    return path;
  }

  private nodesNeeded(index: number): number {
    const { root } = this;
    if (root === null) return levelsFor(index);
    const raised = Math.max(0, levelsFor(index) - (root.level + 1));
    if (raised > 0) return raised + levelsFor(index) - 1;
    let node: IndexNode | null = root;
    while (node !== null && node.children !== null) {
      const child: IndexNode | null = node.children[slotAt(index, node.level)];
      if (child === null) return node.level;
      node = child;
    }
    return 0;
  }

  private insertWith(index: number, frame: Pfn, reserve: number[]): void {
    this.forgetLeaf();
    if (this.root === null) this.root = makeNode(levelsFor(index) - 1, reserve.pop() as number);
    while (this.root.level + 1 < levelsFor(index)) {
      const raised = makeNode(this.root.level + 1, reserve.pop() as number);
      (raised.children as (IndexNode | null)[])[0] = this.root;
      raised.count = 1;
      if ((this.root.dirtyLow | this.root.dirtyHigh) !== 0) setDirty(raised, 0);
      this.root = raised;
    }
    let node = this.root;
    while (node.children !== null) {
      const slot = slotAt(index, node.level);
      let child = node.children[slot];
      if (child === null) {
        child = makeNode(node.level - 1, reserve.pop() as number);
        node.children[slot] = child;
        node.count++;
      }
      node = child;
    }
    this.enter(node, index, frame);
  }

  private enter(leaf: IndexNode, index: number, frame: Pfn): void {
    const pages = leaf.pages as Int32Array;
    assert(pages[index & (SLOTS - 1)] === NO_FRAME, 'mm/page-cache/page-index.ts: a page is entered once');
    dropShadow(this, leaf, index);
    pages[index & (SLOTS - 1)] = frame;
    leaf.count++;
    this.count++;
    this.noteShadows(leaf, index);
  }

  /** xas_shrink: a root whose only child is the first is not needed. */
  private lowerRoot(): void {
    while (this.root !== null && this.root.children !== null && this.root.count === 1) {
      const only = this.root.children[0];
      if (only === null) return;
      this.nodes.free(this.root.slot);
      this.root = only;
    }
  }
}

function makeNode(level: number, slot: number): IndexNode {
  return {
    level,
    slot,
    pages: level === 0 ? new Int32Array(SLOTS).fill(NO_FRAME) : null,
    children: level === 0 ? null : new Array(SLOTS).fill(null),
    count: 0,
    dirtyLow: 0,
    dirtyHigh: 0,
    shadows: null,
    shadowCount: 0,
    shadowId: 0,
  };
}

function dropShadow(tree: PageIndex, leaf: IndexNode, index: number): void {
  if (leaf.shadows === null || leaf.shadows[index & (SLOTS - 1)] === 0) return;
  leaf.shadows[index & (SLOTS - 1)] = 0;
  leaf.shadowCount--;
  leaf.count--;
  tree.shadowCount--;
}

/** Pages that one slot of a node of each level spans. */
const SPANS = Array.from({ length: MAX_LEVELS + 1 }, (_, level) => 2 ** (SHIFT * level));

function spanOf(level: number): number {
  return SPANS[level];
}

function slotAt(index: number, level: number): number {
  if (level === 0) return index & (SLOTS - 1);
  if (level < 5 && index < 0x8000_0000) return (index >>> (SHIFT * level)) & (SLOTS - 1);
  return Math.floor(index / spanOf(level)) & (SLOTS - 1);
}

function levelsFor(index: number): number {
  let levels = 1;
  while (levels < MAX_LEVELS && index >= spanOf(levels)) levels++;
  return levels;
}

function hasDirty(node: IndexNode, slot: number): boolean {
  return ((slot < 32 ? node.dirtyLow >>> slot : node.dirtyHigh >>> (slot - 32)) & 1) !== 0;
}

function setDirty(node: IndexNode, slot: number): void {
  if (slot < 32) node.dirtyLow |= 1 << slot;
  else node.dirtyHigh |= 1 << (slot - 32);
}

function unsetDirty(node: IndexNode, slot: number): void {
  if (slot < 32) node.dirtyLow &= ~(1 << slot);
  else node.dirtyHigh &= ~(1 << (slot - 32));
}

function nextUnder(node: IndexNode, base: number, from: number, which: 'any' | 'dirty'): number {
  const span = spanOf(node.level);
  const firstSlot = from <= base ? 0 : Math.floor((from - base) / span);
  for (let slot = firstSlot; slot < SLOTS; slot++) {
    if (which === 'dirty' && !hasDirty(node, slot)) continue;
    if (node.pages !== null) {
      if (node.pages[slot] !== NO_FRAME) return base + slot;
      continue;
    }
    const child = (node.children as (IndexNode | null)[])[slot];
    if (child === null) continue;
    const found = nextUnder(child, base + slot * span, from, which);
    if (found >= 0) return found;
  }
  return -1;
}

function checkUnder(node: IndexNode, tally: { pages: number; shadows: number }): string | null {
  let used = 0;
  let shadows = 0;
  for (let slot = 0; slot < SLOTS; slot++) {
    if (node.pages !== null) {
      const hasShadow = (node.shadows?.[slot] ?? 0) !== 0;
      if (hasShadow) shadows++;
      if (node.pages[slot] === NO_FRAME) {
        if (hasDirty(node, slot)) return 'X2: dirty hole';
        if (!hasShadow) continue;
      } else if (hasShadow) return 'X1: a page and a shadow entry';
      else tally.pages++;
    } else {
      const child = (node.children as (IndexNode | null)[])[slot];
      if (child === null ? hasDirty(node, slot) : hasDirty(node, slot) !== ((child.dirtyLow | child.dirtyHigh) !== 0))
        return 'X2: dirty bit';
      if (child === null) continue;
      const below = checkUnder(child, tally);
      if (below !== null) return below;
    }
    used++;
  }
  if (used !== node.count || used === 0) return 'X1: slots in use';
  if (shadows !== node.shadowCount || (shadows === used && shadows > 0) !== (node.shadowId !== 0))
    return 'X1: shadow entries';
  tally.shadows += shadows;
  return null;
}
