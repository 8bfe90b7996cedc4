import type { Vpn } from '../../machine/units.ts';
import type { Vma } from '../vma.ts';

/**
 * The ordered set of a space's VMAs (Linux: mm_mt). Keys are startVpn; ranges never overlap. Implementations keep no copy of
 * a bound that could go stale: bounds change through `resize` alone. contract.ts tests every implementation.
 */
export interface VmaIndex {
  readonly count: number;
  /** The first VMA with endVpn > page (find_vma): it holds `page` or lies above. */
  find(page: Vpn): Vma | null;
  /** The last VMA with startVpn < page that does not hold `page`... the one before find(page) (find_vma_prev's prev). */
  findPrev(page: Vpn): Vma | null;
  first(): Vma | null;
  last(): Vma | null;
  next(vma: Vma): Vma | null;
  prev(vma: Vma): Vma | null;
  insert(vma: Vma): void;
  erase(vma: Vma): void;
  /** Sets the bounds of a VMA that stays in its place in the order; the caller sees to pgoff. */
  resize(vma: Vma, startVpn: Vpn, endVpn: Vpn): void;
  /** Lowest page g in [low, high - size] such that [g, g + size) is free, or -1 (mas_empty_area). */
  gapBottomUp(low: Vpn, high: Vpn, sizePages: number): Vpn | -1;
  /** Highest such page, or -1 (mas_empty_area_rev). */
  gapTopDown(low: Vpn, high: Vpn, sizePages: number): Vpn | -1;
  /** What is broken in the structure itself, or null. */
  findBroken(): string | null;
}
