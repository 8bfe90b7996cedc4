import type { Access } from './mmu.ts';
import type { Pfn, Vpn } from './units.ts';

/**
 * What a stream is told: 'runs', each change of page, or 'pages', what is used at all: each page that is used after setReferenceStream at
 * least once, which hardly costs time.
 */
export type ReferenceDetail = 'runs' | 'pages';

/**
 * Told of every access to user memory in its order, instruction fetches, loads, stores, atomics and the kernel's own alike, as runs: the same
 * frame is not told twice in a row. Between an instruction and the next the page of the code counts as fetched again, so that code
 * which works on data is as young as its data.
 *
 * Costs nothing while nobody listens; a listener makes each change of page a miss of the TLB. It must not touch memory or tables.
 */
export interface ReferenceStream {
  referenced(asid: number, page: Vpn, frame: Pfn, access: Access): void;
}
