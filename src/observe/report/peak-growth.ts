import { EV_PAGE_MAP, EV_PAGE_UNMAP } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import type { AttributionRow } from '../attribution/attribution.ts';
import { placeName } from '../attribution/table.ts';

/** What a function (by line, where that is known) made resident of a mapping of a process. */
export interface Growth {
  readonly process: string;
  readonly mapping: string;
  /** `function file.c:12` */
  readonly place: string;
  readonly grownBytes: number;
  readonly peakBytes: number;
}

/**
 * What made the peak: how much each mapping, and the code that touched it, has grown from the last moment at which no more than half
 * of the peak was resident. Listens while an AttributedRun does, which must have been made before.
 */
export class PeakGrowth {
  /** When it was half, and how much that was; 0: it never was less. */
  sinceNs = 0;
  sincePages = 0;
  private readonly run: AttributedRun;
  private readonly before = new Map<AttributionRow, number>();
  private wasAbove = false;
  private readonly end: () => void;

  /** `peakPages`: of all spaces together, as ResidentPeaks found it. */
  constructor(kernel: Kernel, run: AttributedRun, peakPages: number) {
    this.run = run;
    const { attribution } = run;
    this.end = kernel.events.subscribe([EV_PAGE_MAP, EV_PAGE_UNMAP], ({ timeNs }) => {
      const isAbove = attribution.pages.pages > peakPages / 2;
      if (isAbove && !this.wasAbove) this.keep(timeNs);
      this.wasAbove = isAbove;
    });
  }

  close(): void {
    this.end();
  }

  /** Those that have grown or shrunk, the most grown first. The sum of grownBytes is what the peak is above sincePages. */
  list(): Growth[] {
    const groups = new Map<string, { -readonly [name in keyof Growth]: Growth[name] }>();
    for (const row of this.run.attribution.rows) {
      const peak = row.resident - row.sincePeak;
      const grown = peak - (this.before.get(row) ?? 0);
      if (grown === 0) continue;
      const process = this.run.tables.processOf(row.space);
      const mapping = this.run.tables.mappingOf(row.mapping);
      const places = this.run.sources.ofStack(this.run.stacks.framesOf(row.stack));
      const innermost = places.find(({ line }) => line > 0) ?? places[0];
      const place = innermost === undefined ? '[not by code]' : placeName(innermost);
      const key = [process, mapping, place].join('\n');
      const group = groups.get(key) ?? { process, mapping, place, grownBytes: 0, peakBytes: 0 };
      group.grownBytes += grown * PAGE_SIZE;
      group.peakBytes += peak * PAGE_SIZE;
      groups.set(key, group);
    }
    return [...groups.values()].sort((a, b) => b.grownBytes - a.grownBytes);
  }

  private keep(timeNs: number): void {
    this.sinceNs = timeNs;
    this.sincePages = this.run.attribution.pages.pages;
    this.before.clear();
    for (const row of this.run.attribution.rows) if (row.resident !== 0) this.before.set(row, row.resident);
  }
}
