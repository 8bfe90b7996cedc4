import {
  EV_EXIT_MMAP,
  EV_PAGE_MAP,
  EV_PAGE_UNMAP,
  EV_PROCESS_EXEC,
  EV_PROCESS_FORK,
  EV_RSS_STAT,
} from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { commandOf } from '../command-line.ts';
import { pidOfSpace } from '../space-owner.ts';

/** The most that an address space had resident: VmHWM, and when. */
export interface SpacePeak {
  /** mm_id. */
  readonly space: number;
  /** 0: of no process. */
  pid: number;
  cmdline: string;
  pages: number;
  timeNs: number;
}

/**
 * The moments at which most was resident: of each space, and of all together. Exact, from the events of each change: it listens from the
 * start of a run.
 */
export class ResidentPeaks {
  /** By mm_id. Those that have ended, too. */
  readonly spaces = new Map<number, SpacePeak>();
  /** All spaces: a page that two map counts twice, as in RSS. */
  peakPages = 0;
  peakNs = 0;
  /** The peak came with this faultline:page_map of the run, from 1; 0: there was none. */
  peakMap = 0;
  private readonly kernel: Kernel;
  private pages = 0;
  private maps = 0;
  private last: AddressSpace | null = null;
  private readonly end: (() => void)[];

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    const { events } = kernel;
    this.end = [
      events.subscribe([EV_RSS_STAT], ({ timeNs, values: [id] }) => this.changed(id, timeNs)),
      events.subscribe([EV_PAGE_MAP], ({ timeNs, values: [, , , count] }) => this.mapped(count, timeNs)),
      events.subscribe([EV_PAGE_UNMAP], ({ values: [, , , count] }) => {
        this.pages -= count;
      }),
      events.subscribe([EV_PROCESS_EXEC], ({ values: [pid] }) => this.nameOf(pid)),
      events.subscribe([EV_PROCESS_FORK], ({ values: [, child] }) => this.nameOf(child)),
      events.subscribe([EV_EXIT_MMAP], () => {
        this.last = null;
      }),
    ];
  }

  /** Of all spaces that a process had, the largest first. */
  list(): SpacePeak[] {
    for (const space of this.kernel.mm.spaces) this.nameSpace(space);
    return [...this.spaces.values()]
      .filter(({ pid }) => pid !== 0)
      .sort((a, b) => b.pages - a.pages || a.space - b.space);
  }

  close(): void {
    for (const end of this.end) end();
  }

  private mapped(count: number, timeNs: number): void {
    this.maps++;
    this.pages += count;
    if (this.pages <= this.peakPages) return;
    this.peakPages = this.pages;
    this.peakNs = timeNs;
    this.peakMap = this.maps;
  }

  private changed(id: number, timeNs: number): void {
    let peak = this.spaces.get(id);
    if (peak === undefined) this.spaces.set(id, (peak = { space: id, pid: 0, cmdline: '', pages: 0, timeNs }));
    const space = this.find(id);
    if (space === null || space.rssPages <= peak.pages) return;
    peak.pages = space.rssPages;
    peak.timeNs = timeNs;
    if (peak.pid === 0) this.nameSpace(space);
  }

  private find(id: number): AddressSpace | null {
    if (this.last?.id !== id) this.last = [...this.kernel.mm.spaces].find((space) => space.id === id) ?? null;
    return this.last;
  }

  private nameOf(tid: number): void {
    const space = this.kernel.tasks.get(tid)?.space ?? null;
    if (space !== null) this.nameSpace(space);
  }

  /** Whose it is, while it is somebody's: before exec a space has no process yet, and after exit none any more. */
  private nameSpace(space: AddressSpace): void {
    const peak = this.spaces.get(space.id);
    const pid = peak === undefined ? 0 : pidOfSpace(this.kernel, space);
    if (peak === undefined || pid === 0) return;
    peak.pid = pid;
    peak.cmdline = commandOf(this.kernel, space, pid);
  }
}
