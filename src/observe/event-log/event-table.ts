import { type ColumnType, EVENT_FIELDS } from '../../base/event-fields.ts';
import { EVENT_KINDS, type EventField } from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';

/** A column of a table of events. */
export interface EventColumn {
  readonly name: string;
  readonly type: ColumnType | 'text';
  /** Its value of an event; null where the kind has no such field. */
  readonly valueIn: (event: EventRecord) => number | string | null;
}

/**
 * One table for events of several kinds, as databases want it: time_ns, common_pid, event, then every field that one of the kinds has. A
 * name means one thing in all kinds, so kinds share columns.
 */
export function eventColumns(kinds: readonly number[]): EventColumn[] {
  const fields = new Set<EventField>();
  for (const kind of kinds) for (const field of EVENT_KINDS[kind].fields) fields.add(field);
  return [
    { name: 'time_ns', type: 'f64', valueIn: ({ timeNs }) => timeNs },
    { name: 'common_pid', type: 'i32', valueIn: ({ pid }) => pid },
    { name: 'event', type: 'text', valueIn: ({ kind }) => EVENT_KINDS[kind].name },
    ...[...fields].map((field): EventColumn => {
      const places = EVENT_KINDS.map((kind) => (kind.fields as readonly EventField[]).indexOf(field));
      const { type } = EVENT_FIELDS[field];
      return { name: field, type, valueIn: ({ kind, values }) => (places[kind] < 0 ? null : values[places[kind]]) };
    }),
  ];
}

/** The first line of CSV (RFC 4180, but with line feeds alone). */
export function csvHead(columns: readonly EventColumn[]): string {
  return columns.map(({ name }) => name).join(',');
}

/** A line of CSV; no value has a comma or a quote. Numbers are written so that they come back as they were. */
export function csvLine(columns: readonly EventColumn[], event: EventRecord): string {
  return columns.map(({ valueIn }) => valueIn(event) ?? '').join(',');
}

/** An event as an object of its own fields, for JSON. */
export function eventObject(event: EventRecord): Record<string, number | string> {
  const { name, fields } = EVENT_KINDS[event.kind];
  const own = Object.fromEntries(fields.map((field, i) => [field, event.values[i]]));
  return { time_ns: event.timeNs, common_pid: event.pid, event: name, ...own };
}
