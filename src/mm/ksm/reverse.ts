import type { Vpn } from '../../machine/units.ts';
import type { KsmReverse, RmapVma } from '../rmap/rmap-vma.ts';
import { pageAt } from '../rmap/rmap-vma.ts';
import type { Ksm } from './ksm.ts';
import { NO_ROW } from './row-tree.ts';

/**
 * From a KSM page to its entries (rmap_walk_ksm, mm/ksm.c, 6.18): each item knows an AnonVma and the page index in it, as an
 * anonymous page would, and so leads to its own entry and to those of the spaces that were forked from it. Linux looks at the same
 * address of all relatives, which misses a page that a relative had moved before it was merged.
 */
export class KsmWalk implements KsmReverse {
  private readonly ksm: Ksm;

  constructor(ksm: Ksm) {
    this.ksm = ksm;
  }

  /** As forEachCandidate of rmap/rmap-walk.ts; no page is visited twice, though a fork's child may have an item of its own besides its parent's. */
  forEachCandidate(node: number, visit: (vma: RmapVma, page: Vpn) => boolean): boolean {
    const { items, nodes, leftBehind } = this.ksm;
    const seen = new Map<number, Set<RmapVma>>();
    for (let item = nodes.first[node]; item !== NO_ROW; item = items.next[item])
      if (!this.visitPlace(items.anonVma[item], items.index[item], seen, visit)) return false;
    for (const { anonVma, index } of leftBehind.get(node) ?? [])
      if (!this.visitPlace(anonVma, index, seen, visit)) return false;
    return true;
  }

  private visitPlace(
    anonVma: number,
    index: number,
    seen: Map<number, Set<RmapVma>>,
    visit: (vma: RmapVma, page: Vpn) => boolean,
  ): boolean {
    const tree = this.ksm.mm.rmap.anonVmas.byId(anonVma)?.tree;
    if (tree === undefined) return true;
    return tree.forEachOverlap(index, index, ({ vma }) => {
      const page = pageAt(vma, index);
      const known = seen.get(page) ?? new Set();
      if (known.has(vma)) return true;
      seen.set(page, known.add(vma));
      return visit(vma, page);
    });
  }
}
