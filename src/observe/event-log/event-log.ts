import { type ColumnType, EVENT_FIELDS } from '../../base/event-fields.ts';
import { EVENT_KINDS } from '../../base/event-kinds.ts';
import type { EventListener, EventRecord, EventSink } from '../../base/events.ts';

/** What is kept; nothing given: everything. */
export interface EventFilter {
  /** Indices of EVENT_KINDS. Others are not even told, and cost nothing. */
  readonly kinds?: readonly number[];
  /** Of the task on whose behalf it happens (EventRecord.pid). */
  readonly pid?: number;
  /** Virtual time, from (with) and to (without). */
  readonly fromNs?: number;
  readonly toNs?: number;
}

export interface EventLogOptions extends EventFilter {
  /** The most events that are held. Default: a million. */
  readonly maxEvents?: number;
  /** Called with the log full, to read and clear it; without this, or if it does not clear, what comes then is dropped, and counted. */
  readonly onFull?: (log: EventLog) => void;
}

type Column = Uint8Array | Int32Array | Uint32Array | Float64Array;

/** Rows that all columns of a kind grow by. */
const CHUNK_ROWS = 4096;
const DEFAULT_MAX_EVENTS = 1_000_000;

/**
 * Events in columns: for each kind chunks of typed arrays, one a field (EVENT_FIELDS has the types), and one list of kinds, a byte
 * an event, which is the order of all. A listener: it changes nothing of the machine, and keeps nothing but numbers.
 *
 *   const log = new EventLog(system.kernel.events, { kinds: [EV_PAGE_FAULT] });
 *   ... run ...
 *   log.forEach(({ timeNs, values }) => ...);
 */
export class EventLog {
  /** Events that were not kept because the log was full. */
  dropped = 0;
  private readonly maxEvents: number;
  private readonly onFull: ((log: EventLog) => void) | null;
  /** By kind; null until the first event. */
  private readonly tables: (KindTable | null)[] = EVENT_KINDS.map(() => null);
  private order: Uint8Array<ArrayBuffer>;
  private held = 0;
  private readonly end: () => void;

  constructor(sink: EventSink, options: EventLogOptions = {}) {
    this.maxEvents = options.maxEvents ?? DEFAULT_MAX_EVENTS;
    this.onFull = options.onFull ?? null;
    this.order = new Uint8Array(Math.min(this.maxEvents, 2 * CHUNK_ROWS));
    this.end = listenTo(sink, options, (event) => this.keep(event));
  }

  /** No more is listened to; what is there stays. */
  close(): void {
    this.end();
  }

  get length(): number {
    return this.held;
  }

  /** Rows of one kind. */
  countOf(kind: number): number {
    return this.tables[kind]?.rows ?? 0;
  }

  /** All events in their order. The record is reused: copy what you keep. */
  forEach(visit: (event: EventRecord) => void): void {
    const next = new Int32Array(EVENT_KINDS.length);
    const event: EventRecord = { kind: 0, pid: 0, timeNs: 0, values: new Float64Array(8) };
    for (let i = 0; i < this.held; i++) {
      const kind = this.order[i];
      event.kind = kind;
      (this.tables[kind] as KindTable).read(next[kind]++, event);
      visit(event);
    }
  }

  /** One column of a kind, over all its rows; 'time_ns' and 'common_pid' are columns of every kind. */
  columnOf(kind: number, name: string): Column {
    return this.tables[kind]?.whole(name) ?? new Float64Array(0);
  }

  /** Forgets all events; the count of dropped ones stays. */
  clear(): void {
    this.held = 0;
    for (const table of this.tables) if (table !== null) table.rows = 0;
  }

  private keep(event: EventRecord): void {
    if (this.held === this.maxEvents) {
      this.onFull?.(this);
      if (this.held === this.maxEvents) {
        this.dropped++;
        return;
      }
    }
    if (this.held === this.order.length) this.growOrder();
    this.order[this.held++] = event.kind;
    let table = this.tables[event.kind];
    if (table === null) {
      table = new KindTable(event.kind);
      this.tables[event.kind] = table;
    }
    table.add(event);
  }

  private growOrder(): void {
    const wider = new Uint8Array(Math.min(this.maxEvents, this.order.length * 2));
    wider.set(this.order);
    this.order = wider;
  }
}

/** Events that the filter lets through; the function that is returned ends it. */
export function listenTo(sink: EventSink, filter: EventFilter, listener: EventListener): () => void {
  const { kinds, pid, fromNs = 0, toNs = Number.POSITIVE_INFINITY } = filter;
  return sink.subscribe(kinds ?? EVENT_KINDS.map((_, kind) => kind), (event) => {
    if (event.timeNs < fromNs || event.timeNs >= toNs || (pid !== undefined && event.pid !== pid)) return;
    listener(event);
  });
}

/** The rows of one kind. */
class KindTable {
  rows = 0;
  private readonly names: readonly string[];
  private readonly types: readonly ColumnType[];
  /** By chunk: time, task, and a column for each field. */
  private readonly chunks: Column[][] = [];

  constructor(kind: number) {
    const { fields } = EVENT_KINDS[kind];
    this.names = ['time_ns', 'common_pid', ...fields];
    this.types = ['f64', 'i32', ...fields.map((field) => EVENT_FIELDS[field].type)];
  }

  add(event: EventRecord): void {
    const at = this.rows % CHUNK_ROWS;
    const chunkAt = (this.rows - at) / CHUNK_ROWS;
    if (chunkAt === this.chunks.length) this.chunks.push(this.types.map((type) => makeColumn(type, CHUNK_ROWS)));
    const chunk = this.chunks[chunkAt];
    const { values } = event;
    chunk[0][at] = event.timeNs;
    chunk[1][at] = event.pid;
    for (let i = 2; i < chunk.length; i++) chunk[i][at] = values[i - 2];
    this.rows++;
  }

  read(row: number, event: EventRecord): void {
    const at = row % CHUNK_ROWS;
    const chunk = this.chunks[(row - at) / CHUNK_ROWS];
    event.timeNs = chunk[0][at];
    event.pid = chunk[1][at];
    const { values } = event;
    for (let i = 2; i < chunk.length; i++) values[i - 2] = chunk[i][at];
    for (let i = chunk.length - 2; i < values.length; i++) values[i] = 0;
  }

  whole(name: string): Column {
    const which = this.names.indexOf(name);
    if (which < 0) return new Float64Array(0);
    const all = makeColumn(this.types[which], this.rows);
    for (let first = 0; first < this.rows; first += CHUNK_ROWS)
      all.set(this.chunks[first / CHUNK_ROWS][which].subarray(0, this.rows - first), first);
    return all;
  }
}

function makeColumn(type: ColumnType, rows: number): Column {
  switch (type) {
    case 'u8':
      return new Uint8Array(rows);
    case 'i32':
      return new Int32Array(rows);
    case 'u32':
      return new Uint32Array(rows);
    default:
      return new Float64Array(rows);
  }
}
