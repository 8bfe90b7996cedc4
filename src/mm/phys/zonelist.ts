import { __GFP_DMA, __GFP_DMA32, __GFP_HIGHMEM, __GFP_MOVABLE } from './gfp.ts';
import { ZONE_DMA, ZONE_DMA32, ZONE_HIGHMEM, ZONE_MOVABLE, ZONE_NAMES, ZONE_NORMAL, type Zone } from './zone.ts';

/** Which zones a request may come from, and how far down it may take each of them (Linux: zonelist, __zone_watermark_ok). */

/** By the highest zone type allowed: the zones to try, highest first (ZONELIST_FALLBACK). `zones` is lowest first. */
export function buildZonelists(zones: readonly Zone[]): readonly (readonly Zone[])[] {
  return ZONE_NAMES.map((_, highest) => zones.filter((zone) => zone.type <= highest).reverse());
}

/** gfp_zone: the highest zone that the request may come from. */
export function gfpZone(gfp: number): number {
  if ((gfp & __GFP_DMA) !== 0) return ZONE_DMA;
  if ((gfp & __GFP_HIGHMEM) !== 0) return (gfp & __GFP_MOVABLE) !== 0 ? ZONE_MOVABLE : ZONE_HIGHMEM;
  return (gfp & __GFP_DMA32) !== 0 ? ZONE_DMA32 : ZONE_NORMAL;
}

/** How far below the mark a request may go: ALLOC_MIN_RESERVE, with ALLOC_NON_BLOCK, ALLOC_NO_WATERMARKS. */
export type Depth = 'none' | 'high' | 'atomic' | 'all';

/** __zone_watermark_ok (6.18). */
export function isWatermarkOk(zone: Zone, highest: number, order: number, mark: number, depth: Depth): boolean {
  if (depth === 'all') return true;
  let min = zone.watermarks[mark];
  if (depth !== 'none') min -= Math.floor(min / 2);
  if (depth === 'atomic') min -= Math.floor(min / 4);
  const free = zone.buddy.freePages - ((1 << order) - 1);
  if (free <= min + zone.lowmemReserve[highest]) return false;
  return order === 0 || zone.buddy.hasBlock(order);
}
