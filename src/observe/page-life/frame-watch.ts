import {
  EV_COLLAPSE_HUGE_PAGE,
  EV_COW_COPY,
  EV_KSM_MERGE,
  EV_LAZYFREE,
  EV_LAZYFREED,
  EV_LRU_ACTIVATE,
  EV_LRU_DEACTIVATE,
  EV_LRU_GEN_MOVE,
  EV_PAGE_FREE,
  EV_PAGE_MAP,
  EV_PAGE_MOVE,
  EV_PAGE_REFERENCED,
  EV_PAGE_UNMAP,
  EV_PAGE_YOUNG,
  EV_RECLAIM_STEAL,
  EV_SWAP_UNMAP,
  EV_SYS_EXIT,
  EV_THP_SPLIT_PAGE,
  EV_THP_SPLIT_PMD,
  EV_UFFD_FILL,
} from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { nameOf } from '../../kernel/syscalls/dispatch.ts';
import { PAGE_SIZE, type Vpn, vaddr, vpnOf } from '../../machine/units.ts';
import { formatField } from '../event-log/event-format.ts';
import type { PageView } from '../page-view.ts';
import { pidOfSpace } from '../space-owner.ts';
import type { CodePlaces } from './code-places.ts';
import type { PageStepKind, PageSteps } from './page-steps.ts';

/** Calls that take pages away: others lose them to reclaim alone. */
const TAKING: ReadonlySet<string> = new Set(
  'madvise process_madvise truncate ftruncate fallocate openat munmap mmap mremap brk shmdt'.split(' '),
);

/** The frames behind the page in each process: how one comes in place of another, what reclaim makes of them, and when they are given back. */
export class FrameWatch {
  readonly endings: readonly (() => void)[];
  private readonly kernel: Kernel;
  private readonly page: Vpn;
  private readonly places: CodePlaces;
  private readonly steps: PageSteps;
  /** Frames that the page has had and that were not given back since, and in which processes. */
  private readonly frames = new Map<number, Set<number>>();
  /** Reclaim tells of a frame when it is free already. */
  private lastFreed = { frame: -1, pids: new Set<number>(), timeNs: 0 };
  /** pid -> the frame that its entry has lost in what the kernel does now. */
  private readonly lost = new Map<number, number>();

  constructor(kernel: Kernel, page: Vpn, places: CodePlaces, steps: PageSteps) {
    this.kernel = kernel;
    this.page = page;
    this.places = places;
    this.steps = steps;
    const handlers: readonly [number, (event: EventRecord) => void][] = [
      [EV_PAGE_MAP, (event) => this.came(event)],
      [EV_PAGE_UNMAP, (event) => this.went(event)],
      [EV_COW_COPY, (event) => this.replaced(event, 'copied')],
      [EV_KSM_MERGE, (event) => this.replaced(event, 'merged')],
      [EV_PAGE_MOVE, (event) => this.moved(event)],
      [EV_SWAP_UNMAP, (event) => this.swapped(event)],
      [EV_COLLAPSE_HUGE_PAGE, (event) => this.collapsed(event)],
      [EV_THP_SPLIT_PMD, (event) => this.entrySplit(event)],
      [EV_THP_SPLIT_PAGE, ({ timeNs, values: [head, count] }) => this.pageSplit(timeNs, head, count)],
      [EV_UFFD_FILL, (event) => this.filled(event)],
      [EV_PAGE_YOUNG, (event) => this.young(event)],
      [
        EV_PAGE_REFERENCED,
        ({ timeNs, values: [pfn, entries] }) => {
          if (entries > 0) this.tell(timeNs, pfn, 'used', `${entries} entries accessed`);
        },
      ],
      [EV_LRU_ACTIVATE, ({ timeNs, values: [pfn] }) => this.tell(timeNs, pfn, 'aged', 'active')],
      [EV_LRU_DEACTIVATE, ({ timeNs, values: [pfn] }) => this.tell(timeNs, pfn, 'aged', 'inactive')],
      [
        EV_LRU_GEN_MOVE,
        ({ timeNs, values: [pfn, from, to] }) => {
          if (from >= 0) this.tell(timeNs, pfn, 'aged', `generation ${from} -> ${to}`);
        },
      ],
      [EV_LAZYFREE, ({ timeNs, values: [pfn] }) => this.tell(timeNs, pfn, 'aged', 'may be dropped (MADV_FREE)')],
      [EV_LAZYFREED, ({ timeNs, values: [pfn] }) => this.tell(timeNs, pfn, 'reclaimed', 'dropped (MADV_FREE)')],
      [
        EV_RECLAIM_STEAL,
        ({ timeNs, values: [pfn, by] }) => this.tell(timeNs, pfn, 'reclaimed', `by ${formatField('by', by)}`),
      ],
      [EV_PAGE_FREE, (event) => this.freed(event)],
      [EV_SYS_EXIT, ({ timeNs, values: [tid, nr] }) => this.leftCall(timeNs, tid, nameOf(kernel, nr))],
    ];
    this.endings = handlers.map(([kind, handle]) => kernel.events.subscribe([kind], handle));
  }

  /** What the kernel did is done; `pages`: of the processes that had steps in it. */
  settle(pages: ReadonlyMap<number, PageView | null>): void {
    this.lost.clear();
    for (const [pid, page] of pages) {
      const frame = page?.frame ?? null;
      if (frame !== null && frame.pfn !== this.kernel.mm.zeroPage) this.own(frame.pfn, pid);
    }
  }

  private covers(address: number, count: number): boolean {
    const first = vpnOf(vaddr(address));
    return first <= this.page && this.page < first + count;
  }

  /** The process whose space it is; 0: nobody's. */
  private pidOf(mm: number): number {
    for (const space of this.kernel.mm.spaces) if (space.id === mm) return pidOfSpace(this.kernel, space);
    return 0;
  }

  private own(frame: number, pid: number): void {
    const pids = this.frames.get(frame) ?? new Set();
    this.frames.set(frame, pids.add(pid));
  }

  private came({ values: [mm, address, pfn, count] }: EventRecord): void {
    if (!this.covers(address, count)) return;
    const pid = this.pidOf(mm);
    this.own(pfn + (this.page - vpnOf(vaddr(address))), pid);
    this.lost.delete(pid);
  }

  private went({ values: [mm, address, pfn, count] }: EventRecord): void {
    if (this.covers(address, count)) this.lost.set(this.pidOf(mm), pfn + (this.page - vpnOf(vaddr(address))));
  }

  /** Another frame is behind the address. */
  private replaced({ timeNs, values: [mm, address, from, to] }: EventRecord, what: 'copied' | 'merged'): void {
    if (!this.covers(address, 1)) return;
    const pid = this.pidOf(mm);
    this.steps.add({ timeNs, pid, what, detail: `${this.nameOf(from)} -> ${this.nameOf(to)}` });
    this.frames.get(from)?.delete(pid);
    if (to !== this.kernel.mm.zeroPage) this.own(to, pid);
    this.lost.delete(pid);
  }

  private nameOf(frame: number): string {
    return frame === this.kernel.mm.zeroPage ? `the zero page (frame ${frame})` : `frame ${frame}`;
  }

  private moved({ timeNs, values: [mm, from, to, count] }: EventRecord): void {
    const pid = this.pidOf(mm);
    const beyond = (address: number, base: number): string =>
      `0x${(address + (this.page * PAGE_SIZE - base)).toString(16)}`;
    if (this.covers(to, count)) this.steps.add({ timeNs, pid, what: 'moved', detail: `from ${beyond(from, to)}` });
    if (!this.covers(from, count)) return;
    this.steps.add({ timeNs, pid, what: 'moved', detail: `to ${beyond(to, from)}` });
    for (const pids of this.frames.values()) pids.delete(pid);
  }

  private swapped({ timeNs, values: [mm, address, pfn, area, slot] }: EventRecord): void {
    if (!this.covers(address, 1)) return;
    const detail = `frame ${pfn} -> slot ${slot} of swap area ${area}`;
    this.steps.add({ timeNs, pid: this.pidOf(mm), what: 'swapped', detail });
  }

  private collapsed({ timeNs, values: [mm, address, pfn, status] }: EventRecord): void {
    const { pages } = this.kernel.mm.thp;
    if (status !== 1 || !this.covers(address, pages)) return;
    const frame = pfn + (this.page - vpnOf(vaddr(address)));
    const pid = this.pidOf(mm);
    this.steps.add({
      timeNs,
      pid,
      what: 'collapsed',
      detail: `frame ${frame}, of a huge page of ${pages} from ${pfn} on`,
    });
    this.own(frame, pid);
    this.lost.delete(pid);
  }

  private entrySplit({ timeNs, values: [mm, address] }: EventRecord): void {
    if (!this.covers(address, this.kernel.mm.thp.pages)) return;
    this.steps.add({ timeNs, pid: this.pidOf(mm), what: 'split', detail: 'its huge entry is a table of small ones' });
  }

  private pageSplit(timeNs: number, head: number, count: number): void {
    for (const [frame, pids] of this.frames) {
      if (frame < head || frame >= head + count) continue;
      const detail = `frame ${frame}: its huge page is ${count} small ones`;
      for (const pid of pids) this.steps.add({ timeNs, pid, what: 'split', detail });
    }
  }

  private filled({ timeNs, values: [mm, address, fill] }: EventRecord): void {
    if (!this.covers(address, 1)) return;
    const detail = `by a userfaultfd: ${formatField('uffd_fill', fill)}`;
    this.steps.add({ timeNs, pid: this.pidOf(mm), what: 'filled', detail });
  }

  private young({ timeNs, values: [mm, address, pfn] }: EventRecord): void {
    if (!this.covers(address, 1)) return;
    const detail = `frame ${pfn}: a walk found its entry accessed`;
    this.steps.add({ timeNs, pid: this.pidOf(mm), what: 'used', detail });
  }

  /** Something about a frame. Of a huge page its first frame is told of. */
  private tell(timeNs: number, pfn: number, what: PageStepKind, detail: string): void {
    const { lastFreed } = this;
    const { frames } = this.kernel.mm;
    const wasOurs = lastFreed.frame === pfn && lastFreed.timeNs === timeNs;
    for (const [frame, pids] of this.frames)
      if (frames.headOf(frame as Parameters<typeof frames.headOf>[0]) === pfn)
        for (const pid of pids) this.steps.add({ timeNs, pid, what, detail: `frame ${frame}: ${detail}` });
    if (!wasOurs || this.frames.has(pfn)) return;
    for (const pid of lastFreed.pids) this.steps.add({ timeNs, pid, what, detail: `frame ${pfn}: ${detail}` });
  }

  private freed({ timeNs, values: [pfn, order] }: EventRecord): void {
    for (const [frame, pids] of this.frames) {
      if (frame < pfn || frame >= pfn + 2 ** order) continue;
      for (const pid of pids) this.steps.add({ timeNs, pid, what: 'freed', detail: `frame ${frame}` });
      this.frames.delete(frame);
      this.lastFreed = { frame, pids, timeNs };
    }
  }

  /** Did the call take the page away? Where nothing else that it did says so, this does. */
  private leftCall(timeNs: number, tid: number, call: string): void {
    if (!TAKING.has(call)) return;
    const caller = this.kernel.tasks.get(tid)?.tgid ?? 0;
    this.marked(timeNs, tid, caller, call);
    for (const [pid, frame] of this.lost) {
      if (this.steps.hasNow(pid, ['swapped', 'reclaimed', 'moved'])) continue;
      this.frames.get(frame)?.delete(pid);
      if (this.steps.hasNow(pid, ['unmapped', 'mapped', 'changed'])) continue;
      const whose = pid === caller ? '' : ` of process ${caller}`;
      const detail = `frame ${frame} by ${call}${whose} from [${this.places.symbolOf(tid)}]`;
      this.steps.add({ timeNs, pid, what: 'dropped', detail, stack: this.places.stackOf(tid) });
    }
    this.lost.clear();
  }

  /** Has the call left a mark in the entry (MADV_GUARD_INSTALL), or taken it away? */
  private marked(timeNs: number, tid: number, pid: number, call: string): void {
    const before = this.steps.lastPage(pid)?.markers.join(' ') ?? '';
    const now = this.steps.pageOf(pid)?.markers.join(' ') ?? '';
    if (now === before || this.steps.hasNow(pid, ['unmapped', 'mapped', 'changed'])) return;
    const detail = `by ${call} from [${this.places.symbolOf(tid)}]`;
    this.steps.add({ timeNs, pid, what: 'changed', detail, stack: this.places.stackOf(tid) });
  }
}
