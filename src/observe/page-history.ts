import {
  EV_COW_COPY,
  EV_KSM_MERGE,
  EV_LRU_ACTIVATE,
  EV_LRU_DEACTIVATE,
  EV_LRU_GEN_MOVE,
  EV_PAGE_FAULT,
  EV_PAGE_FREE,
  EV_PAGE_MOVE,
  EV_PAGE_REFERENCED,
  EV_PAGE_YOUNG,
  EV_PROCESS_EXEC,
  EV_PROCESS_FORK,
  EV_RECLAIM_STEAL,
  EV_SWAP_UNMAP,
  EV_SYS_ENTER,
  EV_SYS_EXIT,
} from '../base/event-kinds.ts';
import type { EventRecord } from '../base/events.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { vmaName } from '../kernel/procfs/vma-name.ts';
import { nameOf } from '../kernel/syscalls/dispatch.ts';
import { type Vaddr, vaddr, vaddrOf, vpnOf } from '../machine/units.ts';
import type { Vma } from '../mm/vma.ts';
import { placeName } from './attribution/table.ts';
import { CallStacks, NO_STACK } from './code/call-stacks.ts';
import { CodeMap } from './code/code-map.ts';
import type { Decompress } from './code/elf-file.ts';
import { SourceFrames } from './code/source-frames.ts';
import { CodeNames } from './code-names.ts';
import { formatField } from './event-log/event-format.ts';
import { FaultDescriber } from './fault-trace.ts';
import { rightsOf } from './page-view.ts';
import { pidOfSpace } from './space-owner.ts';

/** One thing that happened to a page of a process. */
export interface PageEvent {
  readonly timeNs: number;
  readonly pid: number;
  /**
   * 'mapped', 'unmapped', 'changed' (the VMA), 'fork', 'fault', 'copied', 'merged', 'moved', 'swapped' (out), 'used' and 'aged' (as reclaim
   * sees a frame of it), 'reclaimed', 'freed' (a frame of it)
   */
  readonly what: string;
  readonly detail: string;
  /** Where in the program it came from, innermost first (`work file.c:12`); empty where no code did it. */
  readonly stack: readonly string[];
}

interface CallNote {
  readonly text: string;
  /** Number of CallStacks. */
  readonly stack: number;
}

/**
 * What happens to the page of an address, from the time that it is made on: who maps it, each of its faults, and the frames behind
 * it. It listens to all processes at that address, because a child's page was its parent's before the fork; `of` gives one's own line.
 */
export class PageHistory {
  private readonly kernel: Kernel;
  private readonly address: Vaddr;
  private readonly page: number;
  private readonly names: CodeNames;
  private readonly stacks: CallStacks;
  private readonly sources = new SourceFrames();
  private readonly events: PageEvent[] = [];
  /** pid -> the VMA at the address, in words; '' for none. */
  private readonly mappings = new Map<number, string>();
  /** tid -> the call that it is in, and from where. */
  private readonly calls = new Map<number, CallNote>();
  private readonly parents = new Map<number, { pid: number; timeNs: number }>();
  /** Frames that the page has had, with the process whose fault brought them. */
  private readonly frames = new Map<number, number>();
  private lastFreed = { frame: -1, pid: 0, timeNs: 0 };
  private readonly endings: (() => void)[];

  constructor(kernel: Kernel, address: number, decompress: Decompress = () => null) {
    this.kernel = kernel;
    this.address = vaddr(address);
    this.page = vpnOf(this.address);
    this.names = new CodeNames(kernel);
    this.stacks = new CallStacks(kernel, new CodeMap(kernel, decompress));
    const { events } = kernel;
    const faults = new FaultDescriber(kernel);
    this.endings = [
      events.subscribe([EV_SYS_ENTER], (event) => this.enter(event)),
      events.subscribe([EV_SYS_EXIT], (event) => this.leave(event)),
      events.subscribe([EV_PROCESS_EXEC], ({ timeNs, values: [pid] }) =>
        this.look(pid, timeNs, { text: 'execve', stack: NO_STACK }),
      ),
      events.subscribe([EV_PROCESS_FORK], (event) => this.fork(event)),
      faults.subscribe((fault) => {
        if (vpnOf(fault.address) !== this.page) return;
        const how = `${fault.access}${fault.mode === 'kernel' ? ' by the kernel' : ''}${fault.major ? ', major' : ''}`;
        const event = {
          timeNs: fault.timeNs,
          pid: fault.pid,
          what: 'fault',
          detail: `${fault.kind} [${fault.symbol}] ${how}`,
        };
        this.events.push({ ...event, stack: this.namesOf(this.stackOf(fault.pid)) });
      }),
      events.subscribe([EV_PAGE_FAULT], ({ values: [pid, at, , , pfn] }) => {
        if (vpnOf(vaddr(at)) === this.page && pfn > 0) this.frames.set(pfn, pid);
      }),
      events.subscribe([EV_PAGE_FREE], (event) => this.freed(event)),
      events.subscribe([EV_COW_COPY, EV_KSM_MERGE, EV_SWAP_UNMAP, EV_PAGE_MOVE], (event) => this.changed(event)),
      events.subscribe([EV_PAGE_REFERENCED, EV_PAGE_YOUNG], (event) => this.used(event)),
      events.subscribe([EV_LRU_GEN_MOVE, EV_LRU_ACTIVATE, EV_LRU_DEACTIVATE, EV_RECLAIM_STEAL], (event) =>
        this.judged(event),
      ),
    ];
  }

  close(): void {
    for (const end of this.endings) end();
  }

  /** What happened to the process's page, and to its ancestors' up to the fork, in order. */
  of(pid: number): PageEvent[] {
    const parent = this.parents.get(pid);
    const own = this.events.filter((event) => event.pid === pid);
    if (parent === undefined) return own;
    return [...this.of(parent.pid).filter(({ timeNs }) => timeNs <= parent.timeNs), ...own];
  }

  /** Another frame, or none, behind the address. */
  private changed({ kind, timeNs, values: [mm, address, from, to, offset] }: EventRecord): void {
    if (kind === EV_PAGE_MOVE && vpnOf(vaddr(from)) === this.page)
      this.add(timeNs, this.pidOf(mm), 'moved', `from 0x${address.toString(16)}`);
    if (vpnOf(vaddr(address)) !== this.page) return;
    const pid = this.pidOf(mm);
    if (kind === EV_PAGE_MOVE) {
      this.add(timeNs, pid, 'moved', `to 0x${from.toString(16)}`);
      return;
    }
    if (kind === EV_SWAP_UNMAP) {
      this.add(timeNs, pid, 'swapped', `frame ${from} -> slot ${offset} of swap area ${to}`);
      return;
    }
    this.add(timeNs, pid, kind === EV_COW_COPY ? 'copied' : 'merged', `frame ${from} -> frame ${to}`);
    this.frames.set(to, pid);
  }

  /** Reclaim has found that the page was accessed. */
  private used({ kind, timeNs, values }: EventRecord): void {
    if (kind === EV_PAGE_YOUNG) {
      if (vpnOf(vaddr(values[1])) === this.page)
        this.add(timeNs, this.pidOf(values[0]), 'used', `frame ${values[2]}: a walk found its entry accessed`);
      return;
    }
    const [pfn, referenced] = values;
    const pid = this.frames.get(pfn);
    if (pid !== undefined && referenced > 0)
      this.add(timeNs, pid, 'used', `frame ${pfn}: ${referenced} entries accessed`);
  }

  /** What reclaim makes of a frame. */
  private judged({ kind, timeNs, values: [pfn, first, second] }: EventRecord): void {
    // Reclaim tells of a frame that has become free just now.
    const { lastFreed } = this;
    const wasOurs = lastFreed.frame === pfn && lastFreed.timeNs === timeNs;
    const pid = this.frames.get(pfn) ?? (wasOurs ? lastFreed.pid : undefined);
    if (pid === undefined) return;
    if (kind === EV_RECLAIM_STEAL) this.add(timeNs, pid, 'reclaimed', `frame ${pfn} by ${formatField('by', first)}`);
    else if (kind === EV_LRU_ACTIVATE) this.add(timeNs, pid, 'aged', `frame ${pfn}: active`);
    else if (kind === EV_LRU_DEACTIVATE) this.add(timeNs, pid, 'aged', `frame ${pfn}: inactive`);
    else if (first >= 0) this.add(timeNs, pid, 'aged', `frame ${pfn}: generation ${first} -> ${second}`);
  }

  /** The process whose space it is; 0: nobody's. */
  private pidOf(mm: number): number {
    for (const space of this.kernel.mm.spaces) if (space.id === mm) return pidOfSpace(this.kernel, space);
    return 0;
  }

  private add(timeNs: number, pid: number, what: string, detail: string): void {
    this.events.push({ timeNs, pid, what, detail, stack: [] });
  }

  private enter({ values: [tid, nr] }: EventRecord): void {
    const task = this.kernel.tasks.get(tid);
    if (task === undefined) return;
    const text = `${nameOf(this.kernel, nr)} from [${this.names.ofTask(task)}]`;
    this.calls.set(tid, { text, stack: this.stackOf(tid) });
  }

  private leave({ timeNs, values: [tid] }: EventRecord): void {
    const task = this.kernel.tasks.get(tid);
    if (task !== undefined)
      this.look(task.tgid, timeNs, this.calls.get(tid) ?? { text: 'a system call', stack: NO_STACK });
  }

  private fork({ timeNs, values: [parent, child] }: EventRecord): void {
    const from = this.kernel.tasks.get(parent);
    const to = this.kernel.tasks.get(child);
    if (from === undefined || to === undefined || to.space === from.space) return;
    this.parents.set(to.tgid, { pid: from.tgid, timeNs });
    this.mappings.set(to.tgid, this.mappings.get(from.tgid) ?? '');
    this.add(timeNs, to.tgid, 'fork', `from process ${from.tgid}`);
  }

  private freed({ timeNs, values: [pfn, order] }: EventRecord): void {
    for (const [frame, pid] of this.frames) {
      if (frame < pfn || frame >= pfn + 2 ** order) continue;
      this.add(timeNs, pid, 'freed', `frame ${frame}`);
      this.frames.delete(frame);
      this.lastFreed = { frame, pid, timeNs };
    }
  }

  /** Has the VMA at the address become another one? */
  private look(pid: number, timeNs: number, cause: CallNote): void {
    const space = this.kernel.processes.get(pid)?.leader.space ?? null;
    if (space === null) return;
    const found = space.vmas.find(vpnOf(this.address));
    const now = found !== null && found.startVpn <= this.page ? describeVma(found) : '';
    const before = this.mappings.get(pid) ?? '';
    if (now === before) return;
    this.mappings.set(pid, now);
    const what = before === '' ? 'mapped' : now === '' ? 'unmapped' : 'changed';
    const detail = `${now === '' ? before : now} by ${cause.text}`;
    this.events.push({ timeNs, pid, what, detail, stack: this.namesOf(cause.stack) });
  }

  private stackOf(tid: number): number {
    const task = this.kernel.tasks.get(tid);
    return task === undefined || task.kind === 'driven' ? NO_STACK : this.stacks.take(task, null);
  }

  private namesOf(stack: number): string[] {
    return this.sources.ofStack(this.stacks.framesOf(stack)).map(placeName);
  }
}

/** As in /proc/PID/maps: range, rights, name. */
export function describeVma(vma: Vma): string {
  const range = `${vaddrOf(vma.startVpn).toString(16)}-${vaddrOf(vma.endVpn).toString(16)}`;
  return `${range} ${rightsOf(vma)} ${vmaName(vma) ?? 'anonymous'}`;
}
