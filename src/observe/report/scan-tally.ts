import { EVENT_VALUE_NAMES } from '../../base/event-fields.ts';
import {
  EV_RECLAIM_CHOICE,
  EV_RECLAIM_KEEP,
  EV_RECLAIM_SCAN,
  EV_RECLAIM_STEAL,
  EV_SHRINK_INACTIVE,
} from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PG_dirty, PG_writeback } from '../../mm/phys/page-flags.ts';
import { isForced } from '../../mm/reclaim/why.ts';

/** What reclaim's looks at pages came to. Every look is one of the rest. */
export interface ScanCounts {
  /** pgscan_*. */
  scanned: number;
  /** pgsteal_*. */
  reclaimed: number;
  /** Made active by shrink_inactive_list. */
  activated: number;
  /** Used since the last look, so that they stay. */
  refKeep: number;
  /** Chosen, and kept: dirty pages that were not to be written now, pages on their way to a device, and others: locked, held by somebody, no slot of swap free. */
  dirty: number;
  writeback: number;
  otherKeep: number;
}

export type ScanBy = (typeof EVENT_VALUE_NAMES.by)[number];

/** The columns of vmscan's tracepoints, by who reclaims. Listens from the start of a run. */
export class ScanTally {
  private readonly counts = EVENT_VALUE_NAMES.by.map(
    (): ScanCounts => ({
      scanned: 0,
      reclaimed: 0,
      activated: 0,
      refKeep: 0,
      dirty: 0,
      writeback: 0,
      otherKeep: 0,
    }),
  );
  private readonly end: () => void;

  constructor({ events }: Kernel) {
    const { counts } = this;
    const endings = [
      events.subscribe([EV_RECLAIM_SCAN], ({ values: [, by] }) => {
        counts[by].scanned++;
        counts[by].refKeep++;
      }),
      events.subscribe([EV_RECLAIM_CHOICE], ({ values: [, by, , why] }) => {
        if (!isForced(why)) counts[by].refKeep--;
      }),
      events.subscribe([EV_RECLAIM_STEAL], ({ values: [, by] }) => counts[by].reclaimed++),
      events.subscribe([EV_RECLAIM_KEEP], ({ values: [, by, , flags] }) => {
        if ((flags & PG_writeback) !== 0) counts[by].writeback++;
        else if ((flags & PG_dirty) !== 0) counts[by].dirty++;
        else counts[by].otherKeep++;
      }),
      events.subscribe([EV_SHRINK_INACTIVE], ({ values: [, , , , activated, , by] }) => {
        counts[by].activated += activated;
        counts[by].refKeep -= activated;
      }),
    ];
    this.end = () => {
      for (const each of endings) each();
    };
  }

  /** Of those that have looked at something. */
  list(): ({ readonly by: ScanBy } & ScanCounts)[] {
    return EVENT_VALUE_NAMES.by
      .map((by, at) => ({ by, ...this.counts[at] }))
      .filter(({ scanned, reclaimed }) => scanned + reclaimed > 0);
  }

  close(): void {
    this.end();
  }
}
