import {
  EV_EXIT_MMAP,
  EV_PAGE_FAULT,
  EV_PAGE_MAP,
  EV_PAGE_UNMAP,
  EV_RECLAIM_STEAL,
  EV_SWAP_UNMAP,
} from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { ReferenceStream } from '../../machine/reference-stream.ts';
import { PAGE_SIZE, type Vpn } from '../../machine/units.ts';
import { type AddressSpace, MM_ANONPAGES } from '../../mm/address-space.ts';
import { type Mapping, MappingNames } from '../attribution/mapping-names.ts';

import { SpacesByAsid } from '../references/spaces-by-asid.ts';
import { bandsOf, type HeatBand } from './bands.ts';
import { HeatCells, type HeatCount } from './cells.ts';

/** Rows of a space while it is listened to. */
const MOST_ROWS = 2048;

/** A page that a space does not map any more: evicted, if reclaim frees its frame next. */
interface Unmapped {
  readonly id: number;
  readonly address: number;
}

/**
 * Where each space is referenced, faults and loses pages to reclaim, by columns of time. The run must stop at the end of each column and say
 * so (`endColumns`). Memory: a bounded number of cells for each space, and the pages that it touched.
 */
export class HeatMaps implements ReferenceStream {
  /** Runs of pages that it was told of. */
  references = 0;
  private readonly kernel: Kernel;
  private readonly columns: number;
  private column = 0;
  private readonly spaces: SpacesByAsid;
  private readonly names = new MappingNames();
  /** By mm_id. */
  private readonly maps = new Map<number, HeatCells>();
  private readonly living = new Map<number, AddressSpace>();
  private readonly unmapped = new Map<number, Unmapped[]>();
  private last: AddressSpace | null = null;
  private lastCells: HeatCells | null = null;
  private readonly end: (() => void)[];

  /** Listens from now on. The machine has one listener of this kind (--reclaim lru is one). */
  constructor(kernel: Kernel, columns: number) {
    this.kernel = kernel;
    this.columns = columns;
    this.spaces = new SpacesByAsid(kernel);
    kernel.mm.mmu.setReferenceStream(this);
    const { events } = kernel;
    this.end = [
      events.subscribe([EV_PAGE_FAULT], ({ values: [tid, address, , , , major] }) => {
        const space = kernel.tasks.get(tid)?.space ?? null;
        if (space === null) return;
        this.mark(space, address, 'faults');
        if (major !== 0) this.mark(space, address, 'majorFaults');
      }),
      events.subscribe([EV_SWAP_UNMAP], ({ values: [id, address] }) => this.evicted({ id, address })),
      events.subscribe([EV_PAGE_UNMAP], ({ values: [id, address, pfn, count, member] }) => {
        // Those have an event of their own, swap_unmap.
        if (member === MM_ANONPAGES) return;
        for (let at = 0; at < count; at++) {
          const all = this.unmapped.get(pfn + at) ?? [];
          this.unmapped.set(pfn + at, all);
          all.push({ id, address: address + at * PAGE_SIZE });
        }
      }),
      events.subscribe([EV_PAGE_MAP], ({ values: [, , pfn, count] }) => {
        for (let at = 0; at < count; at++) this.unmapped.delete(pfn + at);
      }),
      events.subscribe([EV_RECLAIM_STEAL], ({ values: [pfn] }) => {
        for (const each of this.unmapped.get(pfn) ?? []) this.evicted(each);
        this.unmapped.delete(pfn);
      }),
      events.subscribe([EV_EXIT_MMAP], ({ values: [id] }) => {
        this.living.delete(id);
        this.last = null;
      }),
    ];
  }

  referenced(asid: number, at: Vpn): void {
    this.references++;
    const space = this.spaces.find(asid);
    if (space === null) return;
    if (space !== this.last || this.lastCells === null) {
      this.last = space;
      this.lastCells = this.cellsOf(space);
    }
    this.lastCells.addReference(at, this.column, this.mappingOf);
  }

  /** The run has stopped where a column ends, or behind it: so many are over. What goes on in the page that it was in counts in the next one, too. */
  endColumns(over: number): void {
    this.column = Math.min(over, this.columns - 1);
    this.kernel.mm.mmu.setReferenceStream(this);
  }

  /** By address; none of a space that was never referenced. */
  bandsOf(spaceId: number, mostRows: number): HeatBand<Mapping>[] {
    const cells = this.maps.get(spaceId);
    return cells === undefined ? [] : bandsOf(cells.list(), (mapping) => this.names.of(mapping), isLandmark, mostRows);
  }

  close(): void {
    for (const end of this.end) end();
    this.spaces.close();
    this.kernel.mm.mmu.setReferenceStream(null);
  }

  private readonly mappingOf = (page: number): number =>
    this.last === null ? 0 : this.names.at(this.last, page * PAGE_SIZE);

  private mark(space: AddressSpace, address: number, count: HeatCount): void {
    this.last = space;
    this.lastCells = this.cellsOf(space);
    this.lastCells.add(Math.floor(address / PAGE_SIZE), this.column, count, this.mappingOf);
  }

  private evicted({ id, address }: Unmapped): void {
    const space = this.living.get(id);
    if (space !== undefined) this.mark(space, address, 'evictions');
  }

  private cellsOf(space: AddressSpace): HeatCells {
    let cells = this.maps.get(space.id);
    if (cells === undefined) this.maps.set(space.id, (cells = new HeatCells(this.columns, MOST_ROWS)));
    this.living.set(space.id, space);
    return cells;
  }
}

function isLandmark({ name }: Mapping): boolean {
  return name === '[heap]' || name === '[stack]';
}
