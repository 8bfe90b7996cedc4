import {
  EV_COW_COPY,
  EV_DIRECT_RECLAIM_BEGIN,
  EV_DIRECT_RECLAIM_END,
  EV_EXIT_MMAP,
  EV_KSWAPD_SLEEP,
  EV_KSWAPD_WAKE,
  EV_MEMCG_RECLAIM_BEGIN,
  EV_MEMCG_RECLAIM_END,
  EV_MM_FORK,
  EV_PAGE_FAULT,
  EV_PROCESS_EXEC,
  EV_PROCESS_FORK,
  EV_RSS_STAT,
} from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import {
  type AddressSpace,
  FAULT_KINDS,
  MM_ANONPAGES,
  MM_FILEPAGES,
  MM_SHMEMPAGES,
  MM_SWAPENTS,
} from '../../mm/address-space.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import { REFUSED_KINDS } from '../attribution/attribution.ts';
import { NO_FORK } from '../attribution/fork-shares.ts';
import { TaskStacks } from '../attribution/task-stacks.ts';
import {
  ANNOTATION,
  EVENT,
  PACKET,
  PROCESS,
  PROCESS_TREE,
  SEQ_INCREMENTAL_STATE_CLEARED,
  SEQ_NEEDS_INCREMENTAL_STATE,
  STATS,
  THREAD,
  TRACK,
  TRACK_THREAD,
  TYPE_INSTANT,
  TYPE_SLICE_BEGIN,
  TYPE_SLICE_END,
} from './perfetto-fields.ts';
import { PerfettoStacks } from './perfetto-stacks.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

const SEQUENCE = 1;
const PAGE_KIB = 4;
const COUNTERS: readonly { readonly field: number; readonly pages: (space: AddressSpace) => number }[] = [
  { field: STATS.virt, pages: ({ totalVm }) => totalVm },
  { field: STATS.rss, pages: ({ rssPages }) => rssPages },
  { field: STATS.anon, pages: ({ rss }) => rss[MM_ANONPAGES] },
  { field: STATS.file, pages: ({ rss }) => rss[MM_FILEPAGES] },
  { field: STATS.shmem, pages: ({ rss }) => rss[MM_SHMEMPAGES] },
  { field: STATS.swap, pages: ({ rss }) => rss[MM_SWAPENTS] },
  { field: STATS.watermark, pages: ({ hiwaterRssPages }) => hiwaterRssPages },
];

/** A copy on write whose fault is still to be told. */
interface PendingCopy {
  readonly tid: number;
  readonly address: number;
  readonly fork: number;
  readonly flow: number;
  readonly timeNs: number;
}

/**
 * A run as a Perfetto trace, made while it goes on. For each process the counters of its memory at each change; on the track of each thread
 * its faults as instants with their call stacks, its forks, with a flow to each page that is copied because of them (one chain through the parent's
 * copies, one through the child's), and reclaim as slices, kswapd's on a track of its own. Times are virtual. `parts` takes pieces of the file in
 * order.
 */
export class PerfettoTrace {
  private readonly kernel: Kernel;
  private readonly run: AttributedRun;
  private readonly taskStacks: TaskStacks;
  private readonly stacks: PerfettoStacks;
  private readonly put: (bytes: Uint8Array) => void;
  private readonly end: (() => void)[];
  /** mm_id -> pids of the processes that have it. */
  private readonly owners = new Map<number, Set<number>>();
  /** pid -> what its counters are, in the order of COUNTERS. */
  private readonly values = new Map<number, readonly number[]>();
  /** tid -> uuid. */
  private readonly tracks = new Map<number, number>();
  private nextTrack = 1;
  private copy: PendingCopy | null = null;

  constructor(kernel: Kernel, run: AttributedRun, put: (bytes: Uint8Array) => void) {
    this.kernel = kernel;
    this.run = run;
    this.taskStacks = new TaskStacks(kernel, run.stacks);
    this.stacks = new PerfettoStacks(run.stacks, run.sources);
    this.put = put;
    this.packet(new ProtobufWriter().number(PACKET.flags, SEQ_INCREMENTAL_STATE_CLEARED));
    const handlers: [number, (event: EventRecord) => void][] = [
      [EV_MM_FORK, (event) => this.memoryForked(event)],
      [EV_PROCESS_FORK, (event) => this.forked(event)],
      [EV_PROCESS_EXEC, ({ timeNs, values: [pid] }) => this.started(pid, timeNs)],
      [EV_RSS_STAT, ({ timeNs, values: [space] }) => this.counted(space, timeNs)],
      [EV_PAGE_FAULT, (event) => this.fault(event)],
      [EV_COW_COPY, (event) => this.copied(event)],
      [EV_EXIT_MMAP, ({ timeNs, values: [space] }) => this.exited(space, timeNs)],
      [EV_DIRECT_RECLAIM_BEGIN, (event) => this.begin(event, 'direct reclaim', null)],
      [EV_DIRECT_RECLAIM_END, (event) => this.finish(event, ['nr_reclaimed', event.values[0]])],
      [EV_MEMCG_RECLAIM_BEGIN, (event) => this.begin(event, 'memcg reclaim', ['memcg_id', event.values[0]])],
      [EV_MEMCG_RECLAIM_END, (event) => this.finish(event, ['nr_reclaimed', event.values[1]])],
      [EV_KSWAPD_WAKE, (event) => this.begin(event, 'kswapd', ['nr_missing', event.values[0]])],
      [EV_KSWAPD_SLEEP, (event) => this.finish(event, ['nr_still_missing', event.values[0]])],
    ];
    this.end = handlers.map(([kind, handle]) => kernel.events.subscribe([kind], handle));
  }

  close(): void {
    this.flushCopy();
    for (const end of this.end) end();
  }

  /** A process has a program, or is its parent's copy: what it is called, and its memory so far. */
  private started(tid: number, timeNs: number): void {
    const task = this.kernel.tasks.get(tid);
    const space = task?.space ?? null;
    if (task === undefined || space === null) return;
    const { tgid, comm } = task;
    for (const pids of this.owners.values()) pids.delete(tgid);
    const pids = this.owners.get(space.id);
    if (pids === undefined) this.owners.set(space.id, new Set([tgid]));
    else pids.add(tgid);
    const parent = this.kernel.processes.get(tgid)?.parent?.pid ?? 0;
    const process = new ProtobufWriter()
      .number(PROCESS.pid, tgid)
      .number(PROCESS.ppid, parent)
      .text(PROCESS.cmdline, comm);
    const thread = new ProtobufWriter().number(THREAD.tid, tid).number(THREAD.tgid, tgid).text(THREAD.name, comm);
    const tree = new ProtobufWriter().message(PROCESS_TREE.processes, process).message(PROCESS_TREE.threads, thread);
    this.packet(this.at(timeNs).message(PACKET.processTree, tree));
    this.counters(tgid, space, timeNs);
  }

  private counted(spaceId: number, timeNs: number): void {
    for (const pid of this.owners.get(spaceId) ?? []) {
      const space = this.kernel.processes.get(pid)?.leader.space ?? null;
      // A space that a program is being put in is not the process's yet, or not any more.
      if (space?.id === spaceId) this.counters(pid, space, timeNs);
    }
  }

  /** Those that have changed. null: it has no memory any more. */
  private counters(pid: number, space: AddressSpace | null, timeNs: number): void {
    const before = this.values.get(pid) ?? [];
    const values = COUNTERS.map(({ pages }) => (space === null ? 0 : pages(space)));
    this.values.set(pid, values);
    if (values.every((value, at) => value === before[at])) return;
    const process = new ProtobufWriter().number(STATS.pid, pid);
    for (const [at, { field }] of COUNTERS.entries())
      if (values[at] !== before[at]) process.numberAlways(field, values[at] * PAGE_KIB);
    const stats = new ProtobufWriter().message(STATS.processes, process);
    this.packet(this.at(timeNs).message(PACKET.processStats, stats));
  }

  private exited(spaceId: number, timeNs: number): void {
    for (const pid of this.owners.get(spaceId) ?? []) {
      const space = this.kernel.processes.get(pid)?.leader.space ?? null;
      if (space === null || space.id === spaceId) this.counters(pid, null, timeNs);
    }
    this.owners.delete(spaceId);
  }

  /** The memory is copied; the child itself is not there yet. */
  private memoryForked({ pid, timeNs }: EventRecord): void {
    const { forks } = this.run.attribution;
    const fork = forks.length - 1;
    const event = this.event(TYPE_INSTANT, pid, 'fork', 'fork');
    for (const flow of [parentFlow(fork), childFlow(fork)]) event.fixed64(EVENT.flow, flow);
    this.write(event, forks[fork].stack, timeNs);
  }

  private forked({ timeNs, values: [, child] }: EventRecord): void {
    this.tracks.delete(child);
    this.started(child, timeNs);
    const { forks } = this.run.attribution;
    // A thread, or a child of vfork, has its parent's memory.
    if (this.kernel.tasks.get(child)?.space?.id !== forks.at(-1)?.child) return;
    const event = this.event(TYPE_INSTANT, child, 'fork', 'forked').fixed64(EVENT.flow, childFlow(forks.length - 1));
    this.write(event, 0, timeNs);
  }

  private copied({ timeNs, pid, values: [spaceId, address] }: EventRecord): void {
    this.flushCopy();
    const { forks, shares } = this.run.attribution;
    const fork = shares.lastCopyFork;
    if (fork === NO_FORK) return;
    const flow = forks[fork].child === spaceId ? childFlow(fork) : parentFlow(fork);
    this.copy = { tid: pid, address, fork, flow, timeNs };
  }

  private fault({ timeNs, values }: EventRecord): void {
    const [tid, address, , kind, , major, user] = values;
    const { copy } = this;
    const isOfCopy = copy !== null && copy.tid === tid && pageOf(copy.address) === pageOf(address);
    if (!isOfCopy) this.flushCopy();
    const { mappings } = this.run.attribution;
    const space = this.kernel.mm.lastFaultSpace;
    const mapping = space === null ? '' : mappings.of(mappings.at(space, address)).name;
    const category = REFUSED_KINDS.includes(kind) ? 'refused-fault' : major === 0 ? 'minor-fault' : 'major-fault';
    const event = this.event(TYPE_INSTANT, tid, category, FAULT_KINDS[kind]);
    event.message(EVENT.annotation, annotation('address').numberAlways(ANNOTATION.pointer, address));
    event.message(EVENT.annotation, annotation('mapping').text(ANNOTATION.string, mapping));
    if (isOfCopy) {
      this.copy = null;
      event.fixed64(EVENT.flow, copy.flow);
    }
    this.write(event, this.taskStacks.of(tid, user === 0 ? 'kernel' : 'user'), timeNs);
  }

  /** A page that was copied without a fault, as by ptrace, is told by itself. */
  private flushCopy(): void {
    const { copy } = this;
    if (copy === null) return;
    this.copy = null;
    const event = this.event(TYPE_INSTANT, copy.tid, 'fork', 'cow_copy').fixed64(EVENT.flow, copy.flow);
    event.message(EVENT.annotation, annotation('address').numberAlways(ANNOTATION.pointer, copy.address));
    this.write(event, 0, copy.timeNs);
  }

  private begin({ pid, timeNs }: EventRecord, name: string, value: readonly [string, number] | null): void {
    const event = this.event(TYPE_SLICE_BEGIN, pid, 'reclaim', name);
    if (value !== null) event.message(EVENT.annotation, annotation(value[0]).numberAlways(ANNOTATION.uint, value[1]));
    this.write(event, this.taskStacks.of(pid, 'kernel'), timeNs);
  }

  private finish({ pid, timeNs }: EventRecord, [name, value]: readonly [string, number]): void {
    const event = new ProtobufWriter().number(EVENT.type, TYPE_SLICE_END).number(EVENT.track, this.trackOf(pid));
    event.message(EVENT.annotation, annotation(name).numberAlways(ANNOTATION.uint, value));
    this.packet(this.at(timeNs).message(PACKET.trackEvent, event));
  }

  private event(type: number, tid: number, category: string, name: string): ProtobufWriter {
    return new ProtobufWriter()
      .number(EVENT.type, type)
      .number(EVENT.track, this.trackOf(tid))
      .text(EVENT.categories, category)
      .text(EVENT.name, name);
  }

  private write(event: ProtobufWriter, stack: number, timeNs: number): void {
    const callstack = this.stacks.idOf(stack);
    if (callstack > 0) event.number(EVENT.callstack, callstack);
    const packet = this.at(timeNs).message(PACKET.trackEvent, event);
    const interned = this.stacks.takeNew();
    if (interned !== null) packet.message(PACKET.interned, interned);
    this.packet(packet.number(PACKET.flags, SEQ_NEEDS_INCREMENTAL_STATE));
  }

  /** Of a task, which is told of the first time; kernel threads are processes of their own. */
  private trackOf(tid: number): number {
    let uuid = this.tracks.get(tid);
    if (uuid !== undefined) return uuid;
    uuid = this.nextTrack++;
    this.tracks.set(tid, uuid);
    const task = this.kernel.tasks.get(tid);
    const thread = new ProtobufWriter()
      .number(TRACK_THREAD.pid, task?.tgid ?? tid)
      .number(TRACK_THREAD.tid, tid)
      .text(TRACK_THREAD.name, task?.comm ?? '[kernel]');
    this.packet(
      new ProtobufWriter().message(
        PACKET.track,
        new ProtobufWriter().number(TRACK.uuid, uuid).message(TRACK.thread, thread),
      ),
    );
    return uuid;
  }

  private at(timeNs: number): ProtobufWriter {
    return new ProtobufWriter().numberAlways(PACKET.timestamp, timeNs);
  }

  private packet(packet: ProtobufWriter): void {
    packet.number(PACKET.sequence, SEQUENCE);
    this.put(new ProtobufWriter().message(1, packet).finish());
  }
}

function annotation(name: string): ProtobufWriter {
  return new ProtobufWriter().text(ANNOTATION.name, name);
}

function pageOf(address: number): number {
  return Math.floor(address / 4096);
}

/** The two chains of a fork; 0 is none. */
function parentFlow(fork: number): number {
  return 2 * fork + 1;
}

function childFlow(fork: number): number {
  return 2 * fork + 2;
}
