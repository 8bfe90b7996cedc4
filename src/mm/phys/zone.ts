import { assert } from '../../base/assert.ts';
import { Buddy } from './buddy.ts';
import type { FrameTable } from './frame-table.ts';

/** Linux's enum zone_type, lowest first. A machine has some of them. */
export const ZONE_NAMES = ['DMA', 'DMA32', 'Normal', 'HighMem', 'Movable'] as const;
export type ZoneName = (typeof ZONE_NAMES)[number];
export const ZONE_DMA = 0;
export const ZONE_DMA32 = 1;
export const ZONE_NORMAL = 2;
export const ZONE_HIGHMEM = 3;
export const ZONE_MOVABLE = 4;

export interface ZoneConfig {
  readonly name: ZoneName;
  readonly startPfn: number;
  /** One past the last frame. */
  readonly endPfn: number;
}

export const WMARK_MIN = 0;
export const WMARK_LOW = 1;
export const WMARK_HIGH = 2;
export const WMARK_PROMO = 3;

/** A range of frames that serves the same kinds of request (Linux: struct zone). */
export class Zone {
  readonly name: ZoneName;
  /** ZONE_*: index in ZONE_NAMES. */
  readonly type: number;
  readonly startPfn: number;
  readonly endPfn: number;
  readonly buddy: Buddy;
  /** Frames that the buddy system got at boot: present minus reserved. */
  managedPages = 0;
  /** Free pages at WMARK_MIN, LOW, HIGH, PROMO (watermarks.ts). */
  readonly watermarks = new Int32Array(4);
  /** By zone type: frames kept from requests that could have come from that higher zone (lowmem_reserve). */
  readonly lowmemReserve = new Int32Array(ZONE_NAMES.length);
  /** Frames given and taken back since boot (pgalloc of the zone, pgfree). */
  pgalloc = 0;
  pgfree = 0;
  /** Frames that compressed pages lie in [zram]. */
  nr_zspages = 0;

  constructor(frames: FrameTable, config: ZoneConfig) {
    assert(config.startPfn < config.endPfn, 'mm/phys/zone.ts: a zone has frames');
    assert(config.endPfn <= frames.frameCount, 'mm/phys/zone.ts: a zone lies in RAM');
    this.name = config.name;
    this.type = ZONE_NAMES.indexOf(config.name);
    this.startPfn = config.startPfn;
    this.endPfn = config.endPfn;
    this.buddy = new Buddy(frames, config.startPfn, config.endPfn);
  }

  get freePages(): number {
    return this.buddy.freePages;
  }

  get presentPages(): number {
    return this.endPfn - this.startPfn;
  }

  /** Not directly mapped, or only for movable pages: kernel objects never come from here. */
  get isHighOrMovable(): boolean {
    return this.type >= ZONE_HIGHMEM;
  }
}
