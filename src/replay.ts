import { EVENT_KINDS, type EventName } from './base/event-kinds.ts';
import type { RunLimits, RunStatus } from './kernel/run-loop.ts';
import type { StdioKind } from './machine/environment.ts';
import type { ReclaimPolicies } from './mm/reclaim/kinds.ts';
import { Checkpoint } from './observe/recording/checkpoint.ts';
import {
  JournalReader,
  type JournalSource,
  journalOf,
  type MachineCall,
  type RanTo,
} from './observe/recording/journal.ts';
import { type CheckpointSource, RecordedCheckpoints } from './observe/recording/recorded-checkpoints.ts';
import {
  type OutputListener,
  RecordingCut,
  ReplayEnvironment,
  ReplayError,
} from './observe/recording/replay-environment.ts';
import { leavesOf } from './observe/recording/state-names.ts';
import { System } from './system.ts';
import type { MountOptions, SwapSource, SystemOptions } from './system-options.ts';

/** What a machine was made of, besides what its journal holds: plain data. */
export interface RecordedMachine {
  readonly options: Omit<SystemOptions, 'environment' | 'journal' | 'jit' | 'invariants'>;
  readonly stdio: readonly [StdioKind, StdioKind, StdioKind];
  /** Were there files of the host? */
  readonly hasHost: boolean;
}

export interface ReplayOptions {
  /** In place of the name in the recorded options: a policy of the user's, loaded again. */
  readonly reclaim?: ReclaimPolicies;
  readonly invariants?: SystemOptions['invariants'];
  /** It changes nothing but speed. Default 'on'. */
  readonly jit?: SystemOptions['jit'];
  /** What the program writes. Default: nobody reads it. */
  readonly onOutput?: OutputListener;
}

/** Where to stop. */
export type ReplayStop =
  | { readonly at: 'end' }
  /** Virtual time since boot. */
  | { readonly at: 'time'; readonly ns: number }
  /** The n-th event of the kind (from 1) from here on, and what else happened in the same trap. */
  | { readonly at: 'event'; readonly name: EventName; readonly count: number }
  /** Instructions and traps (System.issued), as another stop of the same run told. */
  | { readonly at: 'issued'; readonly issued: number }
  /** Asked after each trap. */
  | { readonly at: 'when'; readonly test: () => boolean };

/** A point of a replay, kept: the machine, and how far the journal was read. */
export interface ReplayCheckpoint {
  readonly machine: Checkpoint;
  /** Of the journal, in bytes. */
  readonly position: number;
  readonly underWay: RunUnderWay | null;
  readonly lastTrapAt: number;
}

/** A call of run that the recording holds, and that a replay is in. */
interface RunUnderWay {
  readonly limits: RunLimits;
  readonly startedAt: number;
}

/**
 * Runs again what a journal holds: the same machine, the same input, the same events. It can stop anywhere, be looked at, and
 * be put back to where it was (checkpoint).
 *
 *   const replay = new Replay(machine, journal);
 *   replay.forward({ at: 'time', ns: 2e6 });
 *   replay.system.page(pid, address);
 */
export class Replay {
  readonly system: System;
  /** Of the host's side: no state of the machine. */
  private readonly leaves: ReadonlySet<object>;
  private readonly reader: JournalReader;
  private underWay: RunUnderWay | null = null;
  /** System.issued behind the last trap: a point that can be gone to again. */
  lastTrapAt = 0;

  /** Throws ReplayError if the machine asks for something else than the recorded one did. */
  constructor(machine: RecordedMachine, journal: Uint8Array | JournalSource, options: ReplayOptions = {}) {
    this.reader = new JournalReader(journal instanceof Uint8Array ? journalOf(journal) : journal);
    const { onOutput = () => {}, reclaim = machine.options.reclaim, invariants, jit } = options;
    const environment = new ReplayEnvironment(this.reader, machine, onOutput);
    this.leaves = new Set(leavesOf(environment));
    this.system = new System({ ...machine.options, reclaim, jit, invariants, environment });
  }

  /**
   * Goes on to the stop: 'reached', or 'ended' where the recording ends before; 'paused' if it comes to `pauseAt` (System.issued) first.
   * Throws RecordingCut where a recording that was cut off ends; the last whole point was lastTrapAt.
   */
  forward(stop: ReplayStop, pauseAt = Number.POSITIVE_INFINITY): 'reached' | 'ended' | 'paused' {
    if (stop.at !== 'event') return this.goOn(stop.at === 'when' ? stop.test : never, stop, pauseAt);
    let count = 0;
    const unsubscribe = this.system.on([stop.name], () => count++);
    try {
      return this.goOn(() => count >= stop.count, stop, pauseAt);
    } finally {
      unsubscribe();
    }
  }

  /** The first program that was started; 0: none yet. */
  get programPid(): number {
    const [pid] = this.system.kernel.spawnedStatus.keys();
    return pid ?? 0;
  }

  /** The whole state, to come back to. */
  checkpoint(before: ReplayCheckpoint | null = null): ReplayCheckpoint {
    return {
      machine: Checkpoint.of(this.system, this.leaves, before?.machine ?? null),
      position: this.reader.position,
      underWay: this.underWay,
      lastTrapAt: this.lastTrapAt,
    };
  }

  /** Those of the recording; for a replay that has not gone forward yet. */
  recordedCheckpoints(source: CheckpointSource): RecordedCheckpoints {
    return new RecordedCheckpoints(this.system, this.system.kernel.environment, source);
  }

  /** Goes to where a checkpoint was taken, of this replay or of the recorded run. */
  restore({ machine, position, underWay, lastTrapAt }: ReplayCheckpoint): void {
    machine.restore();
    this.reader.position = position;
    this.underWay = underWay;
    this.lastTrapAt = lastTrapAt;
  }

  /** Ends the machine as the recorded one was ended; null where the recording was cut off before. */
  finish(): ReturnType<System['shutdown']> | null {
    const entry = this.reader.peek();
    if (entry?.op !== 'call' || entry.call.name !== 'shutdown') return null;
    this.reader.next();
    return this.system.shutdown();
  }

  private goOn(isThere: () => boolean, stop: ReplayStop, pauseAt: number): 'reached' | 'ended' | 'paused' {
    for (;;) {
      if (isThere() || this.isAt(stop)) return 'reached';
      if (this.system.issued >= pauseAt) return 'paused';
      if (this.underWay !== null) {
        this.continueRun(this.underWay, isThere, stop, pauseAt);
        continue;
      }
      const entry = this.reader.peek();
      if (entry === null) return 'ended';
      if (entry.op !== 'call') throw new ReplayError('the run is not the recorded one: it asks for less');
      if (entry.call.name === 'shutdown') return 'ended';
      this.reader.next();
      if (entry.call.name === 'run') this.startRun(entry.call.limits);
      else this.call(entry.call, entry.bytes);
    }
  }

  private isAt(stop: ReplayStop): boolean {
    if (stop.at === 'time') return this.system.kernel.clock.nowNs >= stop.ns;
    return stop.at === 'issued' && this.system.issued >= stop.issued;
  }

  private startRun(limits: RunLimits): void {
    this.underWay = { limits, startedAt: this.system.issued };
    // What comes from outside comes at the start.
    this.endRunIfOver(this.system.run({ ...limits, instructions: 0 }), limits.instructions === 0);
  }

  private continueRun(run: RunUnderWay, isThere: () => boolean, stop: ReplayStop, pauseAt: number): void {
    const { system } = this;
    const { limits, startedAt } = run;
    const untilNs = limits.untilNs ?? Number.POSITIVE_INFINITY;
    const left = startedAt + (limits.instructions ?? Number.POSITIVE_INFINITY) - system.issued;
    const untilStop = (stop.at === 'issued' ? Math.min(stop.issued, pauseAt) : pauseAt) - system.issued;
    const instructions = Math.min(left, untilStop);
    const status = system.run({
      ...(instructions === Number.POSITIVE_INFINITY ? {} : { instructions }),
      untilNs: stop.at === 'time' ? Math.min(untilNs, stop.ns) : untilNs,
      idle: limits.idle ?? 'skip',
      part: 'later',
      stopWhen: () => {
        this.lastTrapAt = system.issued;
        return isThere();
      },
    });
    const isOver = system.issued - startedAt >= (limits.instructions ?? Number.POSITIVE_INFINITY);
    this.endRunIfOver(status, isOver || system.kernel.clock.nowNs >= untilNs);
  }

  /** A run that a limit did not end may have come back all the same, after many timers: then the recording says so. */
  private endRunIfOver(status: RunStatus, isAtLimit: boolean): void {
    const entry = this.reader.peek();
    const ran = entry?.op === 'ran' ? entry.ran : null;
    const now: RanTo = { status, issued: this.system.issued, nowNs: this.system.kernel.clock.nowNs };
    const isRecordedEnd = ran !== null && ran.status === status && ran.issued === now.issued && ran.nowNs === now.nowNs;
    if (isRecordedEnd) {
      this.reader.next();
      this.underWay = null;
    } else if (entry === null && (isAtLimit || status !== 'budget')) throw new RecordingCut('the recording ends here');
    else if (isAtLimit || status !== 'budget')
      throw new ReplayError(
        `the run is not the recorded one: it came to ${describe(now)}, the recording to ${ran === null ? 'something else' : describe(ran)}`,
      );
  }

  private call(call: Exclude<MachineCall, { name: 'run' | 'shutdown' }>, bytes: Uint8Array): void {
    const { system } = this;
    switch (call.name) {
      case 'mount':
        system.mount(call satisfies MountOptions);
        break;
      case 'addSwap':
        system.addSwap(call.source as SwapSource);
        break;
      case 'writeFile':
        system.writeFile(call.path, bytes.slice(), call.mode);
        break;
      case 'readFile':
        system.readFile(call.path);
        break;
      case 'symlink':
        system.symlink(call.target, call.path);
        break;
      case 'access':
        system.access(call.path);
        break;
      case 'spawn':
        system.spawn(call.program, call.argv, call);
        break;
      case 'skipIdle':
        system.skipIdle(call.ns);
        break;
      case 'sendSignal':
        system.sendSignal(call.pid, call.signo);
    }
  }
}

const never = (): boolean => false;

/** A name of an event kind as people write it: whole, or without its group ('mm_page_alloc'); null: there is none. */
export function eventNamed(text: string): EventName | null {
  return EVENT_KINDS.find(({ name }) => name === text || name.split(':')[1] === text)?.name ?? null;
}

function describe({ status, issued, nowNs }: RanTo): string {
  return `'${status}' after ${issued} instructions and traps, at ${nowNs} ns`;
}
