import { EV_EXIT_MMAP } from '../base/event-kinds.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { collectTabledPages, compareLevels, type LevelsRow } from './page-table-levels.ts';

/** What an address space had in page tables when it ended, and what it would have had with other numbers of levels. */
export interface LevelsReport {
  /** The process whose space it was; 0 where no process ran. */
  readonly pid: number;
  /** Name of the format in force. */
  readonly format: string;
  /** mm_pgtables_bytes and the root's page. */
  readonly tableBytes: number;
  readonly pages: number;
  /** Stretches of pages without a hole. */
  readonly runs: number;
  readonly rows: readonly LevelsRow[];
}

/** Reports each address space just before it is torn down (at exit and exec). Returns the function that ends it. */
export function reportLevelsAtExit(kernel: Kernel, listener: (report: LevelsReport) => void): () => void {
  const { mm } = kernel;
  return kernel.events.subscribe([EV_EXIT_MMAP], ({ values }) => {
    for (const space of mm.spaces) {
      if (space.id !== values[0]) continue;
      const ranges = collectTabledPages(mm, space);
      listener({
        pid: kernel.current?.process.pid ?? 0,
        format: mm.format.name,
        tableBytes: space.pgtablesBytes + 2 ** mm.format.bitsPerLevel * mm.format.entryBytes,
        pages: ranges.reduce((sum, { start, end }) => sum + end - start, 0),
        runs: ranges.length,
        rows: compareLevels(ranges, mm.format),
      });
    }
  });
}
