import { NOT_STATE } from './checkpointed.ts';
import { EVENT_KINDS } from './event-kinds.ts';

/** One event as a listener sees it. The record is reused: copy what you keep. */
export interface EventRecord {
  kind: number;
  /** The task on whose behalf it happened (common_pid of a tracepoint), kernel threads too; 0: nobody. */
  pid: number;
  /** Virtual time of the event. */
  timeNs: number;
  /** Values in the order of EVENT_KINDS[kind].fields; the rest are 0. */
  readonly values: Float64Array;
}

export type EventListener = (event: EventRecord) => void;

/**
 * The event stream (decision D7). Mechanism writes `if (events.enabled[EV_X] !== 0) events.emit(EV_X, ...)`, so with nobody
 * listening an event costs one byte load. Listeners are outside the kernel state; they must not change it.
 */
export class EventSink {
  static readonly [NOT_STATE] = ['enabled', 'listeners', 'record'];
  readonly enabled = new Uint8Array(EVENT_KINDS.length);
  /** The task on whose behalf the machine works now; stamped by emitters that have no task at hand. 0: none. */
  currentPid = 0;
  /** Where that task stands in its program while the kernel works for it; kept up while page_fault_kernel is listened to. 0: nowhere. */
  currentIp = 0;
  private readonly listeners: EventListener[][] = EVENT_KINDS.map(() => []);
  private readonly record: EventRecord = { kind: 0, pid: 0, timeNs: 0, values: new Float64Array(8) };
  private readonly clock: { readonly nowNs: number };

  constructor(clock: { readonly nowNs: number }) {
    this.clock = clock;
  }

  /** Returns the function that ends the subscription. */
  subscribe(kinds: readonly number[], listener: EventListener): () => void {
    for (const kind of kinds) {
      this.listeners[kind].push(listener);
      this.enabled[kind] = 1;
    }
    return () => {
      for (const kind of kinds) {
        const list = this.listeners[kind];
        const at = list.indexOf(listener);
        if (at >= 0) list.splice(at, 1);
        this.enabled[kind] = list.length > 0 ? 1 : 0;
      }
    };
  }

  emit(kind: number, v0 = 0, v1 = 0, v2 = 0, v3 = 0, v4 = 0, v5 = 0, v6 = 0, v7 = 0): void {
    const { record } = this;
    record.kind = kind;
    record.pid = this.currentPid;
    record.timeNs = this.clock.nowNs;
    const { values } = record;
    values[0] = v0;
    values[1] = v1;
    values[2] = v2;
    values[3] = v3;
    values[4] = v4;
    values[5] = v5;
    values[6] = v6;
    values[7] = v7;
    for (const listener of this.listeners[kind]) listener(record);
  }
}
