import { EVENT_FIELDS, EVENT_VALUE_NAMES } from '../../base/event-fields.ts';
import { EVENT_KINDS, type EventField } from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';

/** A value as people read it: a name where it stands for something, `0x` and hexadecimal digits where bits matter, else a number. */
export function formatField(field: EventField, value: number): string {
  const { show } = EVENT_FIELDS[field];
  if (show === 'dec') return String(value);
  if (show === 'hex') return value < 0 ? String(value) : `0x${value.toString(16)}`;
  return (EVENT_VALUE_NAMES[show] as readonly string[])[value] || String(value);
}

/** `pfn=238 order=0 gfp_flags=0x140dca`: all fields of an event. */
export function formatFields(kind: number, values: ArrayLike<number>): string {
  return EVENT_KINDS[kind].fields.map((field, i) => `${field}=${formatField(field, values[i])}`).join(' ');
}

/**
 * One line in the manner of `perf trace` and ftrace: virtual time in ms since boot, program/task, the kind's name, its fields.
 * `comm` is the name of the task's program; '-' where no task is concerned.
 */
export function formatEvent(event: EventRecord, comm: string): string {
  const time = (event.timeNs / 1e6).toFixed(6).padStart(13);
  return `${time} ${comm}/${event.pid} ${EVENT_KINDS[event.kind].name}: ${formatFields(event.kind, event.values)}`;
}
