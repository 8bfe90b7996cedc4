import type { Vpn } from '../../machine/units.ts';
import type { Vma } from '../vma.ts';

/** A node of the list that Linux kept until 2.4.9 under every index: vm_next, by rising address. */
interface Linked<Node> {
  readonly vma: Vma;
  readonly next: Node | null;
}

/** First fit of get_unmapped_area (2.2, mm/mmap.c): VmaIndex.gapBottomUp, from the first node that ends above `low`. */
export function firstGap<Node extends Linked<Node>>(
  first: Node | null,
  low: Vpn,
  high: Vpn,
  sizePages: number,
): Vpn | -1 {
  let from: number = low;
  for (let node = first; node !== null; node = node.next) {
    const { startVpn, endVpn } = node.vma;
    if (high - from < sizePages) return -1;
    if (startVpn - from >= sizePages) return from as Vpn;
    if (endVpn > from) from = endVpn;
  }
  return high - from >= sizePages ? (from as Vpn) : -1;
}

/** Those kernels searched from the bottom up only; VmaIndex.gapTopDown is the same walk, which remembers the last hole that fits. */
export function lastGap<Node extends Linked<Node>>(
  first: Node | null,
  low: Vpn,
  high: Vpn,
  sizePages: number,
): Vpn | -1 {
  let from: number = low;
  let found = -1;
  for (let node = first; node !== null && from < high; node = node.next) {
    const { startVpn, endVpn } = node.vma;
    const end = Math.min(high, startVpn);
    if (end - from >= sizePages) found = end - sizePages;
    if (endVpn > from) from = endVpn;
  }
  if (high - from >= sizePages) found = high - sizePages;
  return found as Vpn | -1;
}

/** X1 and X2 of both indexes: the list rises and is the VMAs' own, the cache is null or in it; and the count. */
export function findBrokenList<Node extends Linked<Node>>(
  head: Node | null,
  cache: Node | null,
  count: number,
): string | null {
  let counted = 0;
  let end = -1;
  let isCacheThere = cache === null;
  for (let node = head; node !== null; node = node.next) {
    const { vma } = node;
    if (vma.startVpn < end || vma.startVpn >= vma.endVpn) return 'X1: order';
    if ((vma.indexNode as unknown) !== node) return 'X1: indexNode';
    if (node === cache) isCacheThere = true;
    end = vma.endVpn;
    counted++;
  }
  if (counted !== count) return 'count';
  return isCacheThere ? null : 'X2: cache';
}
