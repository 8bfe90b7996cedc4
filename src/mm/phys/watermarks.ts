import { WMARK_HIGH, WMARK_LOW, WMARK_MIN, WMARK_PROMO, ZONE_NAMES, type Zone } from './zone.ts';

/** What the watermarks follow from, besides the zones. */
export class WatermarkSettings {
  minFreeKbytes: number;
  /** vm.watermark_scale_factor: the distance between two marks is at least so many 10,000ths of the zone. */
  scaleFactor = 10;
  /** vm.lowmem_reserve_ratio by zone type (sysctl_lowmem_reserve_ratio, mm/page_alloc.c): DMA, DMA32, Normal, HighMem, Movable. */
  readonly lowmemReserveRatio = [256, 256, 32, 0, 0];

  constructor(minFreeKbytes: number) {
    this.minFreeKbytes = minFreeKbytes;
  }
}

const SWAP_CLUSTER_MAX = 32;

/** vm.min_free_kbytes as Linux computes it at boot (calculate_min_free_kbytes): 4 * sqrt(lowmem in KiB), 128 KiB to 256 MiB. */
export function calculateMinFreeKbytes(zones: readonly Zone[]): number {
  const lowmemKbytes = lowmemPages(zones) * 4;
  return Math.min(262144, Math.max(128, Math.floor(Math.sqrt(lowmemKbytes * 16))));
}

/** __setup_per_zone_wmarks: shares min_free_kbytes out by zone size and puts low and high above it. */
export function setupPerZoneWatermarks(zones: readonly Zone[], settings: WatermarkSettings): void {
  const pagesMin = Math.floor(settings.minFreeKbytes / 4);
  const lowmem = Math.max(1, lowmemPages(zones));
  for (const zone of zones) {
    const managed = zone.managedPages;
    const share = Math.floor((pagesMin * managed) / lowmem);
    const min = zone.isHighOrMovable ? Math.min(128, Math.max(SWAP_CLUSTER_MAX, Math.floor(managed / 1024))) : share;
    const gap = Math.max(Math.floor(share / 4), Math.floor((managed * settings.scaleFactor) / 10000));
    zone.watermarks[WMARK_MIN] = min;
    zone.watermarks[WMARK_LOW] = min + gap;
    zone.watermarks[WMARK_HIGH] = min + 2 * gap;
    zone.watermarks[WMARK_PROMO] = min + 3 * gap;
  }
}

/**
 * setup_per_zone_lowmem_reserve: a low zone keeps frames from requests that a higher zone could serve, 1/ratio of the sizes of
 * the zones between.
 */
export function setupLowmemReserve(zones: readonly Zone[], settings: WatermarkSettings): void {
  for (const zone of zones) {
    const ratio = settings.lowmemReserveRatio[zone.type];
    let above = 0;
    for (let type = 0; type < ZONE_NAMES.length; type++) {
      if (type <= zone.type) {
        zone.lowmemReserve[type] = 0;
        continue;
      }
      above += zones.find((other) => other.type === type)?.managedPages ?? 0;
      zone.lowmemReserve[type] = ratio === 0 || zone.managedPages === 0 ? 0 : Math.floor(above / ratio);
    }
  }
}

/** totalreserve_pages: what the kernel never counts as available (calculate_totalreserve_pages). */
export function totalReservePages(zones: readonly Zone[]): number {
  let total = 0;
  for (const zone of zones) {
    let reserve = 0;
    for (const each of zone.lowmemReserve) if (each > reserve) reserve = each;
    total += Math.min(zone.managedPages, reserve + zone.watermarks[WMARK_HIGH]);
  }
  return total;
}

function lowmemPages(zones: readonly Zone[]): number {
  return zones.reduce((sum, zone) => (zone.isHighOrMovable ? sum : sum + zone.managedPages), 0);
}
