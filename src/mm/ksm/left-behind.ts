import type { Pfn } from '../../machine/units.ts';
import type { AddressSpace } from '../address-space.ts';
import type { RmapVma } from '../rmap/rmap-vma.ts';
import { pageAt } from '../rmap/rmap-vma.ts';
import type { Ksm } from './ksm.ts';
import { NO_ROW } from './row-tree.ts';

/**
 * What still leads to entries of a KSM page when its item has gone: a parent was merged, forked, and wrote its page or ended before
 * ksmd came to the child. Linux loses sight of the child's entry until then, and the page can be neither evicted nor told from
 * a locked one meanwhile; here nothing is lost. Rare, so lists in a map and no rows.
 */
export interface LeftBehind {
  /** Held, as an item's. */
  readonly anonVma: number;
  readonly index: number;
}

/** The item is about to let go of its AnonVma: true if entries are left that nothing else leads to, and it is kept for them. */
export function leaveBehind(ksm: Ksm, node: number, frame: Pfn, place: LeftBehind): boolean {
  if (ksm.mm.frames.mapcount[frame] === 0 || !isNeeded(ksm, node, frame, place)) return false;
  const list = ksm.leftBehind.get(node) ?? [];
  list.push(place);
  ksm.leftBehind.set(node, list);
  return true;
}

/** The node has a new item, or has lost one: what others lead to by now is let go. */
export function pruneLeftBehind(ksm: Ksm, node: number, frame: Pfn): void {
  const list = ksm.leftBehind.get(node);
  if (list === undefined) return;
  const kept: LeftBehind[] = [];
  for (const place of list) {
    if (isNeeded(ksm, node, frame, place)) kept.push(place);
    else ksm.mm.rmap.anonVmas.drop(place.anonVma);
  }
  if (kept.length > 0) ksm.leftBehind.set(node, kept);
  else ksm.leftBehind.delete(node);
}

/** The node goes. */
export function dropLeftBehind(ksm: Ksm, node: number): void {
  for (const { anonVma } of ksm.leftBehind.get(node) ?? []) ksm.mm.rmap.anonVmas.drop(anonVma);
  ksm.leftBehind.delete(node);
}

/** Some entry that maps the page is where `place` leads to and no item of its own space leads. */
function isNeeded(ksm: Ksm, node: number, frame: Pfn, place: LeftBehind): boolean {
  const { rmap } = ksm.mm;
  const { index } = place;
  const tree = rmap.anonVmas.byId(place.anonVma)?.tree;
  if (tree === undefined) return false;
  return !tree.forEachOverlap(index, index, ({ vma }) => {
    const page = pageAt(vma, index);
    return rmap.editor.frameAt(vma, page) !== frame || hasItem(ksm, node, vma, index);
  });
}

/** An item of the space leads to the entry. One of the same address may not: it stands for a page that mremap has moved over. */
function hasItem(ksm: Ksm, node: number, vma: RmapVma, index: number): boolean {
  const { items, nodes } = ksm;
  for (let item = nodes.first[node]; item !== NO_ROW; item = items.next[item])
    if (
      items.index[item] === index &&
      items.slot[item]?.space === (vma.space as AddressSpace) &&
      leadsTo(ksm, item, vma)
    )
      return true;
  return false;
}

function leadsTo(ksm: Ksm, item: number, vma: RmapVma): boolean {
  return vma.anonVmaChain.some(({ anonVma }) => anonVma.id === ksm.items.anonVma[item]);
}
