import type { Kernel } from '../../kernel/kernel.ts';
import { COST_FAULT_NS, COST_PAGE_ZERO_NS } from '../../machine/cost-model.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import { noSums, RANGE_PAGES, type RangeSums } from './huge-range.ts';
import type { HugeMapping, HugeRanges, HugeSample } from './huge-ranges.ts';
import type { HugeEvent, HugeTally } from './huge-tally.ts';

/** A mapping of a process. Sums are numbers of pages of 4 KiB, of huge pages and of faults (RangeSums). */
export interface HugeRow extends RangeSums {
  readonly process: string;
  readonly mapping: string;
  /** Anonymous memory at the mapping's peak, and how much of it was huge. */
  readonly peakBytes: number;
  readonly peakHugeBytes: number;
}

/** Walks of page tables that a processor of our day would have had (TLB_SHAPES), with pages of each size. */
export interface HugeWalks {
  readonly references: number;
  readonly actual: number;
  readonly small: number;
  readonly huge: number;
  /** Huge where `always` could have made it so at the first touch. */
  readonly could: number;
}

export interface HugeReport {
  readonly nowNs: number;
  readonly enabled: string;
  /** False: the run's policy listens to the references itself; bloat, faults that huge pages saved, and walks are not known. */
  readonly knowsReferences: boolean;
  readonly total: RangeSums & {
    readonly faults: number;
    /** Most AnonHugePages at a time, and now; ShmemPmdMapped now. Pages of files other than shmem are never huge. */
    readonly peakHugeBytes: number;
    readonly hugeBytes: number;
    readonly shmemHugeBytes: number;
    /** What the kernel has cleared for huge pages of faults. */
    readonly zeroedBytes: number;
    /** By `always`: the time of the faults saved, less that of clearing what nobody touches. May be negative. */
    readonly couldSaveNs: number;
  };
  readonly walks: HugeWalks;
  readonly khugepaged: { readonly scanned: number; readonly worth: number };
  readonly rows: readonly HugeRow[];
  readonly events: readonly HugeEvent[];
  readonly samples: readonly HugeSample[];
}

const HUGE_BYTES = RANGE_PAGES * PAGE_SIZE;

export function makeHugeReport(kernel: Kernel, run: AttributedRun, ranges: HugeRanges, tally: HugeTally): HugeReport {
  const rows = [...ranges.mappings.values()]
    .map((mapping) => rowOf(run, mapping, ranges.listens ? 'known' : 'unknown'))
    .sort((a, b) => b.peakBytes - a.peakBytes || b.couldRanges - a.couldRanges);
  const sums = noSums();
  for (const row of rows) for (const name of Object.keys(sums) as (keyof RangeSums)[]) sums[name] += row[name];
  return {
    nowNs: kernel.clock.nowNs,
    enabled: kernel.mm.thp.wanted,
    knowsReferences: ranges.listens,
    total: {
      ...sums,
      faults: run.tables.by('process').total.faults,
      peakHugeBytes: ranges.peakHugeBytes,
      hugeBytes: ranges.hugeBytes,
      shmemHugeBytes: ranges.shmemHugeBytes,
      zeroedBytes: sums.faulted * HUGE_BYTES,
      couldSaveNs: ranges.listens ? sums.couldSave * COST_FAULT_NS - sums.couldBloat * COST_PAGE_ZERO_NS : 0,
    },
    walks: { references: ranges.tlbs.references, ...ranges.tlbs.walks },
    khugepaged: { scanned: tally.scanned, worth: tally.worth },
    rows,
    events: tally.list(),
    samples: ranges.samples,
  };
}

/** Without the references of the run nothing is known of what was touched: 0. */
function rowOf(run: AttributedRun, mapping: HugeMapping, touched: 'known' | 'unknown'): HugeRow {
  const { space, mapping: number, residentBytes: _resident, hugeBytes: _huge, ...rest } = mapping;
  const unknown = touched === 'known' ? {} : { saved: 0, bloat: 0, couldBloat: 0 };
  return { process: run.tables.processOf(space), mapping: run.tables.mappingOf(number), ...rest, ...unknown };
}
