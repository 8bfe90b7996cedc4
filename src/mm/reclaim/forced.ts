import { EV_RECLAIM_CHOICE, EV_RECLAIM_FORCED } from '../../base/event-kinds.ts';
import type { EventSink } from '../../base/events.ts';
import type { Pfn } from '../../machine/units.ts';
import type { PageCache } from '../page-cache/page-cache.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import { PG_swapbacked } from '../phys/page-flags.ts';
import { type ForcedWhy, whyNumber } from './why.ts';

/** What is told of pages that go because somebody asked for it, and not for want of memory. */
interface Told {
  readonly frames: FrameTable;
  readonly events: EventSink;
}

/** Before the page goes, or is found to stay. */
export function tellForced({ frames, events }: Told, page: Pfn, why: ForcedWhy): void {
  if (events.enabled[EV_RECLAIM_CHOICE] !== 0)
    events.emit(EV_RECLAIM_CHOICE, page, 0, frames.memcg[page], whyNumber(why), 0);
}

/** It has gone; `flags` it had before. */
export function tellForcedGone({ events }: Told, page: Pfn, why: ForcedWhy, flags: number): void {
  if (events.enabled[EV_RECLAIM_FORCED] !== 0)
    events.emit(EV_RECLAIM_FORCED, page, whyNumber(why), (flags & PG_swapbacked) !== 0 ? 1 : 0, flags >>> 0);
}

/** Drops a page that is droppable. */
export function dropForced(cache: PageCache, page: Pfn, why: ForcedWhy): void {
  const flags = cache.frames.flags[page];
  tellForced(cache.allocator, page, why);
  cache.dropPage(page);
  tellForcedGone(cache.allocator, page, why, flags);
}
