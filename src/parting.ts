import { EVENT_KINDS } from './base/event-kinds.ts';
import { RecordingCut } from './observe/recording/replay-environment.ts';
import type { Replay } from './replay.ts';

/** How far a replay goes before its events are compared. */
const STRETCH = 2_000_000;

/** An event of one of two runs. */
export interface TapedEvent {
  readonly timeNs: number;
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

/** Where two runs part; null in place of an event: that run has ended. */
export interface EventParting {
  /** From 1: how many events are the same, and one more. */
  readonly number: number;
  readonly before: TapedEvent | null;
  readonly a: TapedEvent | null;
  readonly b: TapedEvent | null;
}

/**
 * The first event of all that two recorded runs do not share: of another kind, or with other values. Times count with 'times' only: a
 * machine that is slower somewhere is not another run before it does something else. null: they are the same.
 */
export function firstDifferentEvent(a: Replay, b: Replay, what: 'events' | 'times'): EventParting | null {
  const tapes = [new Tape(a), new Tape(b)] as const;
  let before: TapedEvent | null = null;
  for (let number = 1; ; number++) {
    const [one, other] = [tapes[0].next(), tapes[1].next()];
    if (one === null && other === null) return null;
    if (one === null || other === null || !isSame(one, other, what)) return { number, before, a: one, b: other };
    before = one;
  }
}

function isSame(a: TapedEvent, b: TapedEvent, what: 'events' | 'times'): boolean {
  if (a.name !== b.name || (what === 'times' && a.timeNs !== b.timeNs)) return false;
  return Object.entries(a.values).every(([name, value]) => b.values[name] === value);
}

/** The events of a replay, which goes on when they have been read. */
class Tape {
  private readonly replay: Replay;
  private events: TapedEvent[] = [];
  private at = 0;
  private hasEnded = false;

  constructor(replay: Replay) {
    this.replay = replay;
    replay.system.on(
      EVENT_KINDS.map(({ name }) => name),
      ({ kind, timeNs, values }) => {
        const { name, fields } = EVENT_KINDS[kind];
        this.events.push({ timeNs, name, values: Object.fromEntries(fields.map((field, i) => [field, values[i]])) });
      },
    );
  }

  next(): TapedEvent | null {
    while (this.at >= this.events.length) {
      if (this.hasEnded) return null;
      this.events = [];
      this.at = 0;
      this.hasEnded = this.goOn() === 'ended';
    }
    return this.events[this.at++];
  }

  /** A recording that was cut off ends there. */
  private goOn(): 'reached' | 'ended' | 'paused' {
    try {
      return this.replay.forward({ at: 'end' }, this.replay.system.issued + STRETCH);
    } catch (error) {
      if (error instanceof RecordingCut) return 'ended';
      throw error;
    }
  }
}
