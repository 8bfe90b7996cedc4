import type { FrameAllocator } from './phys/alloc.ts';
import { WMARK_HIGH, WMARK_LOW, WMARK_MIN, WMARK_PROMO, ZONE_HIGHMEM, ZONE_MOVABLE } from './phys/zone.ts';
import { collectNodeStats, type VmstatRow } from './vmstat-rows.ts';

/** One zone of /proc/zoneinfo, in pages (zoneinfo_show_print, mm/vmstat.c). */
export interface ZoneinfoRow {
  readonly zone: string;
  readonly free: number;
  readonly min: number;
  readonly low: number;
  readonly high: number;
  readonly promo: number;
  readonly spanned: number;
  readonly present: number;
  readonly managed: number;
  readonly cma: number;
  /** lowmem_reserve by zone type that the machine's kernel knows. */
  readonly protection: readonly number[];
  readonly startPfn: number;
}

export interface Zoneinfo {
  /** Printed under the first zone that has pages. */
  readonly nodeStats: readonly VmstatRow[];
  readonly zones: readonly ZoneinfoRow[];
}

export function collectZoneinfo(alloc: FrameAllocator): Zoneinfo {
  const lowest = alloc.zones[0].type;
  const hasHighmem = alloc.zones.some((zone) => zone.type === ZONE_HIGHMEM);
  return {
    nodeStats: collectNodeStats(alloc),
    zones: alloc.zones.map((zone) => ({
      zone: zone.name,
      free: zone.freePages,
      min: zone.watermarks[WMARK_MIN],
      low: zone.watermarks[WMARK_LOW],
      high: zone.watermarks[WMARK_HIGH],
      promo: zone.watermarks[WMARK_PROMO],
      spanned: zone.presentPages,
      present: zone.presentPages,
      managed: zone.managedPages,
      cma: 0,
      protection: Array.from(zone.lowmemReserve).filter(
        (_, type) => type >= lowest && type <= ZONE_MOVABLE && (type !== ZONE_HIGHMEM || hasHighmem),
      ),
      startPfn: zone.startPfn,
    })),
  };
}
