import type { Vpn } from '../../machine/units.ts';
import type { KsmReverse, RmapVma } from '../rmap/rmap-vma.ts';
import type { Ksm } from './ksm.ts';
import type { KsmSlot } from './ksm-slots.ts';
import { NO_ROW } from './row-tree.ts';

/**
 * From a KSM page to its entries (rmap_walk_ksm, mm/ksm.c, 6.18): the page of each item in the item's own space, and the same
 * address in the spaces that were forked from it since, which are in the tree of the AnonVma that the item holds.
 */
export class KsmWalk implements KsmReverse {
  private readonly ksm: Ksm;

  constructor(ksm: Ksm) {
    this.ksm = ksm;
  }

  /** As Rmap.forEachCandidate; no page of a space is visited twice, though the child of a fork may have an item of its own. */
  forEachCandidate(node: number, visit: (vma: RmapVma, page: Vpn) => boolean): boolean {
    if (node === NO_ROW) return true;
    const seen = new Map<number, Set<RmapVma>>();
    return this.visitSpaces(node, 'own', seen, visit) && this.visitSpaces(node, 'forked', seen, visit);
  }

  private visitSpaces(
    node: number,
    which: 'own' | 'forked',
    seen: Map<number, Set<RmapVma>>,
    visit: (vma: RmapVma, page: Vpn) => boolean,
  ): boolean {
    const { items, nodes, mm } = this.ksm;
    for (let item = nodes.first[node]; item !== NO_ROW; item = items.next[item]) {
      const page = items.vpn[item] as Vpn;
      const { space } = items.slot[item] as KsmSlot;
      const anonVma = mm.rmap.anonVmaById(items.anonVma[item]);
      const at = seen.get(page) ?? new Set();
      seen.set(page, at);
      const goesOn = anonVma?.tree.forEachOverlap(0, Number.MAX_SAFE_INTEGER, ({ vma }) => {
        if (page < vma.startVpn || page >= vma.endVpn || at.has(vma)) return true;
        if ((vma.space === space) !== (which === 'own')) return true;
        at.add(vma);
        return visit(vma, page);
      });
      if (goesOn === false) return false;
    }
    return true;
  }
}
