import { PAGE_SIZE, type Pfn, type Vpn } from '../machine/units.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import type { MemoryManager } from '../mm/memory-manager.ts';

/** One step of a page-table walk: the entry that was read, and what it says. */
export interface WalkStep {
  /** 0 is the leaf table of 4 KiB pages. */
  readonly level: number;
  /** Frame of the table that holds the entry, and the entry's number in it. */
  readonly tableFrame: Pfn;
  readonly index: number;
  /** The entry as the hardware reads it (its high word, where there is one, is 0 but of a swap entry). */
  readonly entry: number;
  readonly present: boolean;
  readonly leaf: boolean;
  /** Flags by name, such as 'READ', 'WRITE', 'USER', 'ACCESSED', 'DIRTY'. */
  readonly flags: readonly string[];
  /** What the entry points to: the next table or the page; -1 where it is not present. */
  readonly frame: number;
}

const FLAG_NAMES = ['READ', 'WRITE', 'EXEC', 'USER', 'ACCESSED', 'DIRTY'] as const;

/**
 * The walk that the MMU would make for a page, read from the same bytes, without setting Accessed. Ends at the first entry that is not a
 * table. Of a page above those of programs it has no step: the MMU refuses the address before it reads an entry.
 */
export function walkPage(mm: MemoryManager, space: AddressSpace, page: Vpn): WalkStep[] {
  const { format, ram } = mm;
  const steps: WalkStep[] = [];
  if (page >= space.taskSize) return steps;
  const entries = 2 ** format.bitsPerLevel;
  let tableFrame = space.rootFrame;
  for (let level = format.levels - 1; level >= 0; level--) {
    const index = Math.floor(page / entries ** level) % entries;
    const entry = mm.pageTables.read((ram.ramBase + tableFrame * PAGE_SIZE + index * format.entryBytes) / 4);
    const present = (entry & format.PRESENT) !== 0;
    const leaf = present && (level === 0 || format.isLeaf(entry));
    const frame = present ? format.frameOf(entry) : (-1 as Pfn);
    const flags = FLAG_NAMES.filter((name) => (entry & format[name]) !== 0);
    steps.push({ level, tableFrame, index, entry, present, leaf, flags, frame });
    if (!present || leaf) break;
    tableFrame = frame;
  }
  return steps;
}
