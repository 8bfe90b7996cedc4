import { EV_EXIT_MMAP, EV_PAGE_FAULT, EV_PROCESS_EXEC, EV_PROCESS_FORK, EV_RSS_STAT } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { FAULT_KINDS, MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, MM_SWAPENTS } from '../../mm/address-space.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import { TaskStacks } from '../attribution/task-stacks.ts';
import type { CodeFrame } from '../code/call-stacks.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/**
 * Field numbers of perfetto.protos (github.com/google/perfetto, protos/perfetto/trace: trace_packet.proto, ps/process_tree.proto,
 * ps/process_stats.proto, track_event/, interned_data/, profiling/profile_common.proto).
 */
const PACKET = {
  processTree: 2,
  timestamp: 8,
  processStats: 9,
  sequence: 10,
  trackEvent: 11,
  interned: 12,
  flags: 13,
  track: 60,
};
const INTERNED = { functionNames: 5, frames: 6, callstacks: 7, sourcePaths: 18 };
const EVENT = { categories: 22, name: 23, type: 9, track: 11, callstack: 56, annotation: 4 };
const ANNOTATION = { name: 10, uint: 3, pointer: 7, string: 6 };
const TYPE_INSTANT = 3;
const SEQ_INCREMENTAL_STATE_CLEARED = 1;
const SEQ_NEEDS_INCREMENTAL_STATE = 2;
const SEQUENCE = 1;
/** ProcessStats.Process by rss_stat's members; trace_processor makes of them mem.rss.anon, mem.rss.file, mem.rss.shmem and mem.swap. */
const STAT_FIELDS = { [MM_ANONPAGES]: 4, [MM_FILEPAGES]: 5, [MM_SHMEMPAGES]: 6, [MM_SWAPENTS]: 7 } as const;
const RSS_FIELD = 3;
const PAGE_BYTES = 4096;

/**
 * A run as a Perfetto trace, made while it goes on: for each process the counters of its memory at each change, and each fault as an
 * instant with its call stack. Times are virtual. `parts` takes pieces of the file in order.
 *
 * Interned data is written the first time that it is used, in the packet before.
 */
export class PerfettoTrace {
  private readonly kernel: Kernel;
  private readonly run: AttributedRun;
  private readonly stacks: TaskStacks;
  private readonly put: (bytes: Uint8Array) => void;
  private readonly end: (() => void)[];
  private readonly processes = new Map<number, number>();
  private readonly tracks = new Set<number>();
  private readonly names = new Map<string, number>();
  private readonly paths = new Map<string, number>();
  private readonly frames = new Map<CodeFrame, readonly number[]>();
  private readonly callstacks = new Set<number>();
  private nextFrame = 1;
  private interned = new ProtobufWriter();
  private hasInterned = false;

  constructor(kernel: Kernel, run: AttributedRun, put: (bytes: Uint8Array) => void) {
    this.kernel = kernel;
    this.run = run;
    this.stacks = new TaskStacks(kernel, run.stacks);
    this.put = put;
    this.packet(new ProtobufWriter().number(PACKET.flags, SEQ_INCREMENTAL_STATE_CLEARED));
    const { events } = kernel;
    this.end = [
      events.subscribe([EV_PROCESS_FORK], ({ timeNs, values: [, child] }) => this.started(child, timeNs)),
      events.subscribe([EV_PROCESS_EXEC], ({ timeNs, values: [pid] }) => this.started(pid, timeNs)),
      events.subscribe([EV_RSS_STAT], ({ timeNs, values: [space, member, bytes] }) =>
        this.counted(space, { member, bytes, timeNs }),
      ),
      events.subscribe([EV_PAGE_FAULT], ({ timeNs, values: [pid, address, , kind, , major, user] }) =>
        this.fault(pid, { address, kind, isMajor: major !== 0, mode: user === 0 ? 'kernel' : 'user', timeNs }),
      ),
      events.subscribe([EV_EXIT_MMAP], ({ values: [space] }) => this.processes.delete(space)),
    ];
  }

  close(): void {
    for (const end of this.end) end();
  }

  /** A process has a program, or is its parent's copy: what it is called, and its memory so far. */
  private started(tid: number, timeNs: number): void {
    const task = this.kernel.tasks.get(tid);
    const space = task?.space ?? null;
    if (task === undefined || space === null) return;
    const { tgid, comm } = task;
    this.processes.set(space.id, tgid);
    const process = new ProtobufWriter().number(1, tgid).text(3, comm);
    const thread = new ProtobufWriter().number(1, tid).number(3, tgid).text(2, comm);
    const tree = new ProtobufWriter().message(1, process).message(2, thread);
    this.packet(new ProtobufWriter().numberAlways(PACKET.timestamp, timeNs).message(PACKET.processTree, tree));
    if (!this.tracks.has(tgid)) {
      this.tracks.add(tgid);
      const descriptor = new ProtobufWriter()
        .number(1, tgid)
        .message(4, new ProtobufWriter().number(1, tgid).number(2, tgid).text(5, comm));
      this.packet(new ProtobufWriter().message(PACKET.track, descriptor));
    }
    for (let member = 0; member < space.rss.length; member++)
      this.counted(space.id, { member, bytes: space.rss[member] * PAGE_BYTES, timeNs });
  }

  private counted(space: number, { member, bytes, timeNs }: { member: number; bytes: number; timeNs: number }): void {
    const pid = this.processes.get(space);
    const field = (STAT_FIELDS as Readonly<Record<number, number>>)[member];
    if (pid === undefined || field === undefined) return;
    const process = new ProtobufWriter().number(1, pid).numberAlways(field, bytes / 1024);
    const owner = this.kernel.processes.get(pid)?.leader.space ?? null;
    if (owner?.id === space) process.numberAlways(RSS_FIELD, owner.rssPages * 4);
    const stats = new ProtobufWriter().message(1, process);
    this.packet(new ProtobufWriter().numberAlways(PACKET.timestamp, timeNs).message(PACKET.processStats, stats));
  }

  private fault(
    tid: number,
    fault: { address: number; kind: number; isMajor: boolean; mode: 'user' | 'kernel'; timeNs: number },
  ): void {
    const stack = this.stacks.of(tid, fault.mode);
    const callstack = this.callstack(stack);
    const space = this.kernel.mm.lastFaultSpace;
    const mapping =
      space === null
        ? ''
        : this.run.attribution.mappings.of(this.run.attribution.mappings.at(space, fault.address)).name;
    const annotate = (name: string): ProtobufWriter => new ProtobufWriter().text(ANNOTATION.name, name);
    const event = new ProtobufWriter()
      .number(EVENT.type, TYPE_INSTANT)
      .number(EVENT.track, this.kernel.tasks.get(tid)?.tgid ?? tid)
      .text(EVENT.categories, fault.isMajor ? 'major-fault' : 'minor-fault')
      .text(EVENT.name, FAULT_KINDS[fault.kind])
      .message(EVENT.annotation, annotate('address').numberAlways(ANNOTATION.pointer, fault.address))
      .message(EVENT.annotation, annotate('mapping').text(ANNOTATION.string, mapping));
    if (callstack > 0) event.number(EVENT.callstack, callstack);
    const packet = new ProtobufWriter().numberAlways(PACKET.timestamp, fault.timeNs).message(PACKET.trackEvent, event);
    if (this.hasInterned) packet.message(PACKET.interned, this.interned);
    this.interned = new ProtobufWriter();
    this.hasInterned = false;
    this.packet(packet.number(PACKET.flags, SEQ_NEEDS_INCREMENTAL_STATE));
  }

  /** Its iid, which is the stack's number; 0: there are no frames. */
  private callstack(stack: number): number {
    if (stack === 0 || this.callstacks.has(stack)) return stack;
    this.callstacks.add(stack);
    const frames = this.run.stacks.framesOf(stack).flatMap((frame) => this.framesOf(frame));
    // The outermost frame first.
    const message = new ProtobufWriter().number(1, stack);
    for (const frame of frames.reverse()) message.number(2, frame);
    this.intern(INTERNED.callstacks, message);
    return stack;
  }

  /** Innermost first: of inlined functions, each has a frame. */
  private framesOf(frame: CodeFrame): readonly number[] {
    let numbers = this.frames.get(frame);
    if (numbers !== undefined) return numbers;
    numbers = this.run.sources.of(frame).map(({ symbol, file, line }) => {
      const message = new ProtobufWriter().number(1, this.nextFrame).number(2, this.name(symbol));
      if (file !== '') message.number(5, this.path(file)).number(6, line);
      this.intern(INTERNED.frames, message);
      return this.nextFrame++;
    });
    this.frames.set(frame, numbers);
    return numbers;
  }

  private name(text: string): number {
    return this.string(this.names, INTERNED.functionNames, text);
  }

  private path(text: string): number {
    return this.string(this.paths, INTERNED.sourcePaths, text);
  }

  private string(known: Map<string, number>, field: number, text: string): number {
    let iid = known.get(text);
    if (iid === undefined) {
      iid = known.size + 1;
      known.set(text, iid);
      this.intern(field, new ProtobufWriter().number(1, iid).text(2, text));
    }
    return iid;
  }

  private intern(field: number, message: ProtobufWriter): void {
    this.interned.message(field, message);
    this.hasInterned = true;
  }

  private packet(packet: ProtobufWriter): void {
    packet.number(PACKET.sequence, SEQUENCE);
    this.put(new ProtobufWriter().message(1, packet).finish());
  }
}
