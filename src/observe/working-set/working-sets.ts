import { EV_EXIT_MMAP } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { PSS_UNIT, sizesOfSpace } from '../../kernel/procfs/smaps.ts';
import type { ReferenceStream } from '../../machine/reference-stream.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { SpacesByAsid } from '../references/spaces-by-asid.ts';
import { PageNumbers } from '../traces/page-numbers.ts';
import { type WindowUse, WorkingSetWindows } from './windows.ts';

const WORD = 2 ** 32;

/** Of a space, from its first reference until its end (or until now). */
export interface SpaceWorkingSet {
  /** mm_id. */
  readonly space: number;
  readonly startNs: number;
  readonly endNs: number;
  /** At the end; bytes. */
  readonly rss: number;
  readonly pss: number;
  /** Windows end there. */
  readonly windows: readonly WindowUse[];
  readonly course: Course;
}

/** At the end of each tick, the first of them behind startNs; pages. */
export interface Course {
  readonly tickNs: number;
  /** Of the window that is followed. */
  readonly workingSet: readonly number[];
  readonly resident: readonly number[];
}

interface LiveSpace {
  readonly space: AddressSpace;
  readonly windows: WorkingSetWindows;
  readonly pages: PageNumbers;
  /** Of the run: the first one of its windows. */
  readonly firstTick: number;
  readonly workingSet: number[];
  readonly resident: number[];
}

export interface WorkingSetTicks {
  /** Where the first tick ends, and how long the others are: virtual time. */
  readonly firstNs: number;
  readonly tickNs: number;
  /** The course of the window of so many ticks is kept. */
  readonly followedTicks: number;
}

/**
 * Which pages are referenced, in ticks of virtual time: of each space its pages, of the machine its frames. Exact: that a page was
 * referenced in a tick is what its accessed bit would say had all been cleared when the tick began.
 *
 * The run must stop where each tick ends, and say so (`endTick`), because virtual time stands still while the CPU runs. Memory: the pages
 * that were touched, and the ticks.
 */
export class WorkingSets implements ReferenceStream {
  readonly machine: WorkingSetWindows;
  private readonly kernel: Kernel;
  private readonly ticks: WorkingSetTicks;
  private readonly spaces: SpacesByAsid;
  private readonly living = new Map<AddressSpace, LiveSpace>();
  private readonly ended: SpaceWorkingSet[] = [];
  private tick = 0;
  private nextTickNs: number;
  private last: LiveSpace | null = null;
  private readonly end: () => void;

  /** Listens from now on. The machine has one listener of this kind (--reclaim lru is one). */
  constructor(kernel: Kernel, ticks: WorkingSetTicks) {
    this.kernel = kernel;
    this.ticks = ticks;
    this.nextTickNs = ticks.firstNs;
    this.machine = new WorkingSetWindows(ticks.followedTicks);
    this.spaces = new SpacesByAsid(kernel);
    kernel.mm.mmu.setReferenceStream(this, 'pages');
    this.end = kernel.events.subscribe([EV_EXIT_MMAP], ({ values: [id] }) => {
      for (const live of this.living.values()) if (live.space.id === id) this.finish(live);
    });
  }

  referenced(asid: number, at: Vpn, frame: Pfn): void {
    if (this.kernel.clock.nowNs >= this.nextTickNs) this.advance();
    this.machine.reference(frame);
    const space = this.spaces.find(asid);
    if (space === null) return;
    if (this.last?.space !== space) this.last = this.living.get(space) ?? this.start(space);
    const { windows, pages } = this.last;
    windows.reference(pages.numberOf(Math.floor(at / WORD), at >>> 0));
  }

  /** The run has stopped where a tick ends. What goes on in the page that it was in counts for the next one, too. */
  endTick(): void {
    this.advance();
    this.kernel.mm.mmu.setReferenceStream(this, 'pages');
  }

  /** Those that have ended first. The last tick may be shorter than the others. */
  list(): SpaceWorkingSet[] {
    for (const live of this.living.values()) this.finish(live);
    if (this.endOf(this.machine.tick) < this.kernel.clock.nowNs) this.machine.endTick();
    return this.ended;
  }

  close(): void {
    this.end();
    this.spaces.close();
    this.kernel.mm.mmu.setReferenceStream(null);
  }

  private start(space: AddressSpace): LiveSpace {
    const windows = new WorkingSetWindows(this.ticks.followedTicks);
    const live = { space, windows, pages: new PageNumbers(), firstTick: this.tick, workingSet: [], resident: [] };
    this.living.set(space, live);
    return live;
  }

  private advance(): void {
    const { tickNs } = this.ticks;
    const over = this.kernel.clock.nowNs - this.nextTickNs;
    if (over < 0) return;
    const ticks = 1 + Math.floor(over / tickNs);
    this.nextTickNs += ticks * tickNs;
    this.tick += ticks;
    while (this.machine.tick < this.tick) this.machine.endTick();
    for (const live of this.living.values()) while (live.firstTick + live.windows.tick < this.tick) endTickOf(live);
  }

  /** Its last tick is the one under way. */
  private finish(live: LiveSpace): void {
    const { space, windows, firstTick, workingSet, resident } = live;
    const { nowNs } = this.kernel.clock;
    if (this.endOf(firstTick + windows.tick) < nowNs || windows.tick === 0) endTickOf(live);
    const { rss, pss } = sizesOfSpace(this.kernel.mm, space);
    this.ended.push({
      space: space.id,
      startNs: this.endOf(firstTick),
      endNs: nowNs,
      rss,
      pss: pss / PSS_UNIT,
      windows: windows.list(),
      course: { tickNs: this.ticks.tickNs, workingSet, resident },
    });
    this.living.delete(space);
    if (this.last === live) this.last = null;
  }

  /** When so many ticks of the run are over. */
  private endOf(ticks: number): number {
    return ticks === 0 ? 0 : this.ticks.firstNs + (ticks - 1) * this.ticks.tickNs;
  }
}

function endTickOf({ space, windows, workingSet, resident }: LiveSpace): void {
  windows.endTick();
  workingSet.push(windows.followedPages);
  resident.push(space.rssPages);
}
