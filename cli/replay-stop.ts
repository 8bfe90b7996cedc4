import { eventNamed, type ReplayStop } from '../src/index.ts';
import { UsageError } from './usage-error.ts';

/** A stop of Replay, or the next change of the bytes at an address (of a process; null: the program's). */
export type ReplayWhere = ReplayStop | { readonly at: 'change'; readonly address: number; readonly pid: number | null };

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };

/** Reads what `--to` takes; throws UsageError, which says what there is. */
export function parseWhere(text: string): ReplayWhere {
  if (text === 'end') return { at: 'end' };
  const time = /^(\d+(?:\.\d+)?)(ns|us|ms|s)$/.exec(text);
  if (time !== null) return { at: 'time', ns: Math.round(Number(time[1]) * UNITS[time[2]]) };
  const point = /^@(\d+)$/.exec(text);
  if (point !== null) return { at: 'issued', issued: Number(point[1]) };
  const write = /^write:(0x[0-9a-f]+)(?:@(\d+))?$/i.exec(text);
  if (write !== null)
    return { at: 'change', address: Number(write[1]), pid: write[2] === undefined ? null : Number(write[2]) };
  const event = /^([a-z_]+(?::[a-z_]+)?)(?:#([1-9]\d*))?$/.exec(text);
  const name = event === null ? null : eventNamed(event[1]);
  if (event !== null && name !== null) return { at: 'event', name, count: Number(event[2] ?? 1) };
  throw new UsageError(
    `${text}: is no point of a run; write a time (2ms), write:0xADDRESS[@PID], @N as Faultline prints it, end, or EVENT[#N] (page_fault#100; all names are in docs/events.md)`,
  );
}
