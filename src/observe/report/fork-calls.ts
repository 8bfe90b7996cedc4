import {
  EV_PROCESS_EXEC,
  EV_PROCESS_EXIT,
  EV_PROCESS_FORK,
  EV_SYS_ENTER,
  EV_SYS_EXIT,
} from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import type { ForkShare } from '../attribution/fork-share.ts';

/** A call of fork, or of vfork and posix_spawn, where the child borrows its parent's memory. */
export interface ForkCall {
  readonly parentPid: number;
  readonly childPid: number;
  /** 'comm/pid' */
  readonly parent: string;
  readonly child: string;
  readonly timeNs: number;
  /** What fork shared; null: the child has borrowed all of it (CLONE_VM), and nothing is copied. */
  readonly share: ForkShare | null;
  /** Number of CallStacks: where it was called. */
  readonly stack: number;
  /** Virtual time until it came back in the parent, which with vfork is when the child lets go; null: it has not. */
  callNs: number | null;
  /** What the child did in the end. */
  end: { readonly how: 'exec' | 'exit'; readonly timeNs: number; readonly program: string } | null;
}

/** All calls that made a process, of a run from its start. Listens while an AttributedRun does, which must have been made before. */
export class ForkCalls {
  readonly calls: ForkCall[] = [];
  private readonly kernel: Kernel;
  private readonly run: AttributedRun;
  /** tid -> when its call began. */
  private readonly entered = new Map<number, number>();
  /** tid -> the fork that it is in. */
  private readonly waiting = new Map<number, ForkCall>();
  /** pid -> its making, until it executes a program or exits. */
  private readonly children = new Map<number, ForkCall>();
  private readonly end: () => void;

  constructor(kernel: Kernel, run: AttributedRun) {
    this.kernel = kernel;
    this.run = run;
    const { events } = kernel;
    const endings = [
      events.subscribe([EV_SYS_ENTER], ({ timeNs, values: [tid] }) => this.entered.set(tid, timeNs)),
      events.subscribe([EV_SYS_EXIT], (event) => this.left(event)),
      events.subscribe([EV_PROCESS_FORK], (event) => this.forked(event)),
      events.subscribe([EV_PROCESS_EXEC], ({ timeNs, values: [pid] }) => this.childEnds(pid, 'exec', timeNs)),
      events.subscribe([EV_PROCESS_EXIT], ({ timeNs, values: [pid] }) => this.childEnds(pid, 'exit', timeNs)),
    ];
    this.end = () => {
      for (const each of endings) each();
    };
  }

  close(): void {
    this.end();
  }

  private forked({ timeNs, values: [parentTid, childTid] }: EventRecord): void {
    const [parent, child] = [this.kernel.tasks.get(parentTid), this.kernel.tasks.get(childTid)];
    if (parent === undefined || child === undefined || child.tgid === parent.tgid) return;
    const { attribution } = this.run;
    const isShared = child.space === parent.space;
    const { forks } = attribution.shares;
    const call: ForkCall = {
      parentPid: parent.tgid,
      childPid: child.tgid,
      parent: `${parent.comm}/${parent.tgid}`,
      child: `${child.comm}/${child.tgid}`,
      timeNs: this.entered.get(parentTid) ?? timeNs,
      share: isShared ? null : (forks[forks.length - 1] ?? null),
      stack: attribution.currentStack(),
      callNs: null,
      end: null,
    };
    this.calls.push(call);
    this.waiting.set(parentTid, call);
    this.children.set(call.childPid, call);
  }

  private left({ timeNs, values: [tid] }: EventRecord): void {
    const call = this.waiting.get(tid);
    if (call === undefined) return;
    call.callNs = timeNs - call.timeNs;
    this.waiting.delete(tid);
  }

  private childEnds(pid: number, how: 'exec' | 'exit', timeNs: number): void {
    const call = this.children.get(pid);
    if (call === undefined) return;
    const program = how === 'exec' ? (this.kernel.tasks.get(pid)?.comm ?? '') : '';
    call.end = { how, timeNs, program };
    this.children.delete(pid);
  }
}
