import {
  EV_COW_COPY,
  EV_EXIT_MMAP,
  EV_MM_FORK,
  EV_PAGE_FAULT,
  EV_PAGE_MAP,
  EV_PAGE_MOVE,
  EV_PAGE_UNMAP,
  EV_PROCESS_EXEC,
  EV_PROCESS_FORK,
  EV_SCHED_SWITCH,
  EV_SWAP_IN,
  EV_WORKINGSET_REFAULT,
} from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { MissListener } from '../../machine/miss-listener.ts';
import type { Access, TranslationRoot } from '../../machine/mmu.ts';
import { PAGE_SIZE, type Vaddr } from '../../machine/units.ts';
import { type AddressSpace, FAULT_KINDS } from '../../mm/address-space.ts';
import type { CallStacks } from '../code/call-stacks.ts';
import { NO_STACK } from '../code/call-stacks.ts';
import { ForkShares, NO_FORK } from './fork-shares.ts';
import { MappingNames, NO_MAPPING } from './mapping-names.ts';
import { ProcessNames } from './process-names.ts';
import { ResidentPages } from './resident-pages.ts';
import { TaskStacks } from './task-stacks.ts';

/** What one call stack did to one mapping of one space. Sums of all rows are the kernel's counters. */
export interface AttributionRow {
  /** mm_id. */
  readonly space: number;
  /** Number of MappingNames. */
  readonly mapping: number;
  /** Number of CallStacks. */
  readonly stack: number;
  /** By FAULT_KINDS. */
  readonly faults: Float64Array;
  majorFaults: number;
  cowCopies: number;
  /** fork (number of Attribution.forks) -> copies of pages that it made shared. */
  readonly cowByFork: Map<number, number>;
  refaults: number;
  /** Pages read from swap, read-ahead included (pswpin and swpin_zero). */
  swapIns: number;
  tlbMisses: number;
  /** Pages. */
  resident: number;
  sincePeak: number;
}

/** Kinds of faults that were refused, with a signal: they brought no page, and count as neither minor nor major. */
export const REFUSED_KINDS: readonly number[] = [FAULT_KINDS.indexOf('segv'), FAULT_KINDS.indexOf('bus')];

/** As in min_flt. */
export function minorFaultsOf({ faults, majorFaults }: AttributionRow): number {
  return faults.reduce((sum, count, kind) => (REFUSED_KINDS.includes(kind) ? sum : sum + count), 0) - majorFaults;
}

export interface AttributionOptions {
  /** 'by code' makes each miss leave the translated code: a run with many of them takes several times as long. Default: 'by process'. */
  readonly tlbMisses?: 'by process' | 'by code';
}

export interface ForkNote {
  /** mm_id of both. */
  readonly parent: number;
  readonly child: number;
  readonly timeNs: number;
  /** Where fork was called. */
  readonly stack: number;
}

/**
 * Counts, for each call stack, mapping and space, what the events of the memory manager tell. A listener: it changes nothing.
 *
 * A page is resident for who mapped it (faultline:page_map): the instruction that faulted, with fault-around for all pages of the window;
 * in a child, until it is copied, for the call of fork. ForkShares says which fork a COW copy is put down to.
 */
export class Attribution implements MissListener {
  readonly rows: AttributionRow[] = [];
  readonly forks: ForkNote[] = [];
  readonly shares: ForkShares;
  readonly pages = new ResidentPages<AttributionRow>();
  readonly mappings: MappingNames;
  readonly processes: ProcessNames;
  private readonly kernel: Kernel;
  private readonly stacks: TaskStacks;
  /** stack -> mapping -> row, of a space. */
  private readonly known = new Map<number, Map<number, AttributionRow>>();
  private tlbMissesSeen: number;
  /** The process that has the CPU. */
  private running = 0;
  private lastSpace: AddressSpace | null = null;
  private missSpace: AddressSpace | null = null;
  /** Those of `missing`, by the numbers that it gave. */
  private readonly missRows: AttributionRow[] = [];
  private readonly end: () => void;

  constructor(kernel: Kernel, stacks: CallStacks, { tlbMisses: detail = 'by process' }: AttributionOptions = {}) {
    this.kernel = kernel;
    this.stacks = new TaskStacks(kernel, stacks);
    this.mappings = new MappingNames();
    this.processes = new ProcessNames(kernel);
    this.shares = new ForkShares(kernel);
    this.tlbMissesSeen = kernel.cpu.tlbMisses;
    const handlers: [number, (event: EventRecord) => void][] = [
      [EV_PAGE_FAULT, (event) => this.fault(event)],
      [EV_PAGE_MAP, (event) => this.mapped(event)],
      [EV_PAGE_UNMAP, ({ values: [space, address, , count] }) => this.pages.unmap(space, address / PAGE_SIZE, count)],
      [EV_PAGE_MOVE, ({ values: [space, from, to, count] }) => this.moved(space, from, to, count)],
      [EV_COW_COPY, (event) => this.copied(event)],
      [EV_MM_FORK, (event) => this.forked(event)],
      [EV_PROCESS_FORK, ({ values: [, child] }) => this.processes.started(child)],
      [EV_PROCESS_EXEC, ({ values: [pid] }) => this.executed(pid)],
      [EV_WORKINGSET_REFAULT, () => this.atFault().refaults++],
      [EV_SWAP_IN, () => this.atFault().swapIns++],
      [EV_SCHED_SWITCH, ({ values: [, next] }) => this.switched(next)],
      [EV_EXIT_MMAP, ({ values: [space] }) => this.ended(space)],
    ];
    const endings = handlers.map(([kind, handle]) => kernel.events.subscribe([kind], handle));
    this.end = () => {
      for (const end of endings) end();
      this.shares.close();
      if (detail === 'by code') kernel.cpu.setMissListener(null);
    };
    if (detail === 'by code') kernel.cpu.setMissListener(this);
  }

  /** What is still to be counted is, and no more is listened to. */
  close(): void {
    this.countTlbMisses();
    this.end();
  }

  /** Number of CallStacks, of what happens now. */
  currentStack(): number {
    return this.stacks.ofCurrent();
  }

  private fault({ timeNs, values }: EventRecord): void {
    const [pid, address, , kind, , major, user] = values;
    const space = this.kernel.mm.lastFaultSpace;
    const spaceId = space?.id ?? 0;
    const mapping = space === null ? NO_MAPPING : this.mappings.at(space, address);
    const row = this.row(spaceId, mapping, this.stacks.of(pid, user === 0 ? 'kernel' : 'user'));
    row.faults[kind]++;
    if (major !== 0) row.majorFaults++;
    this.pages.settle(timeNs);
  }

  private mapped({ timeNs, values: [spaceId, address, , count] }: EventRecord): void {
    const row = this.row(spaceId, this.mappingOf(spaceId, address), this.stacks.ofCurrent());
    this.pages.map(spaceId, address / PAGE_SIZE, count, row);
    this.pages.settle(timeNs);
  }

  private moved(space: number, from: number, to: number, count: number): void {
    this.pages.move(space, from / PAGE_SIZE, to / PAGE_SIZE, count);
  }

  private copied({ values: [spaceId, address] }: EventRecord): void {
    const row = this.row(spaceId, this.mappingOf(spaceId, address), this.stacks.ofCurrent());
    row.cowCopies++;
    const fork = this.shares.lastCopyFork;
    if (fork !== NO_FORK) row.cowByFork.set(fork, (row.cowByFork.get(fork) ?? 0) + 1);
  }

  private forked({ timeNs, values: [parent, child] }: EventRecord): void {
    this.forks.push({ parent, child, timeNs, stack: this.stacks.ofCurrent() });
  }

  private mappingOf(spaceId: number, address: number): number {
    if (this.lastSpace?.id !== spaceId)
      this.lastSpace = [...this.kernel.mm.spaces].find(({ id }) => id === spaceId) ?? null;
    return this.lastSpace === null ? NO_MAPPING : this.mappings.at(this.lastSpace, address);
  }

  /** The row of what the current task does now, at the address of its last fault. */
  private atFault(): AttributionRow {
    const { mm, events, tasks } = this.kernel;
    const space = tasks.get(events.currentPid)?.space ?? null;
    const mapping =
      space === null || tasks.get(events.currentPid)?.inSyscall ? NO_MAPPING : this.mappings.at(space, mm.faultAddress);
    return this.row(space?.id ?? 0, mapping, this.stacks.ofCurrent());
  }

  /** Its pages go after this. */
  private ended(space: number): void {
    if (this.lastSpace?.id === space) this.lastSpace = null;
  }

  private executed(pid: number): void {
    this.countTlbMisses();
    this.processes.started(pid);
  }

  private switched(next: number): void {
    this.countTlbMisses();
    const task = this.kernel.tasks.get(next);
    if (task !== undefined) this.running = task.tgid;
  }

  missing(root: TranslationRoot, address: Vaddr, _access: Access, mode: 'user' | 'kernel'): number {
    const { mm, running } = this.kernel;
    if (this.missSpace !== root) this.missSpace = [...mm.spaces].find((space) => space === root) ?? null;
    const space = this.missSpace;
    const stack =
      mode === 'user' && running !== null ? this.stacks.of(running.tid, 'user') : this.stacks.ofCurrent('kernel');
    const mapping = space === null ? NO_MAPPING : this.mappings.at(space, address);
    return this.missRows.push(this.row(space?.id ?? 0, mapping, stack)) - 1;
  }

  missed(which: number, count: number): void {
    this.missRows[which].tlbMisses += count;
    this.tlbMissesSeen += count;
  }

  /** Those since the last time that no code was told of are of the process that ran. */
  private countTlbMisses(): void {
    const { tlbMisses } = this.kernel.cpu;
    const count = tlbMisses - this.tlbMissesSeen;
    this.tlbMissesSeen = tlbMisses;
    if (count > 0) this.row(this.processes.lastSpaceOf(this.running), NO_MAPPING, NO_STACK).tlbMisses += count;
  }

  private row(space: number, mapping: number, stack: number): AttributionRow {
    const key = space * 2 ** 22 + mapping;
    let rows = this.known.get(key);
    if (rows === undefined) {
      rows = new Map();
      this.known.set(key, rows);
    }
    let row = rows.get(stack);
    if (row === undefined) {
      row = {
        space,
        mapping,
        stack,
        faults: new Float64Array(FAULT_KINDS.length),
        majorFaults: 0,
        cowCopies: 0,
        cowByFork: new Map(),
        refaults: 0,
        swapIns: 0,
        tlbMisses: 0,
        resident: 0,
        sincePeak: 0,
      };
      rows.set(stack, row);
      this.rows.push(row);
    }
    return row;
  }
}
