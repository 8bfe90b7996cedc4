import { InvalidArgumentError } from 'commander';
import { EVENT_KINDS, formatEvent, listenTo, type System } from '../src/index.ts';
import { parseEventNames } from './event-names.ts';
import { UsageError } from './usage-error.ts';

/** What `--trace` prints: faults in words, or kinds of events (EVENT_KINDS) as `replay FILE events` has them. */
export type TraceOption = 'faults' | readonly number[];

export function parseTrace(text: string): TraceOption {
  if (text === 'faults') return 'faults';
  if (text === 'events') return EVENT_KINDS.map((_, kind) => kind);
  try {
    return parseEventNames('--trace', text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const { message } = error;
    throw new InvalidArgumentError(`${message.slice(message.indexOf(': ') + 2)}; or write faults, or events.`);
  }
}

/** From now on; with a machine that has just been made it is all that a replay tells. Returns the function that ends it. */
export function startTrace(system: System, what: TraceOption, write: (line: string) => void): () => void {
  if (what === 'faults') return system.traceFaults(write);
  const { events, tasks } = system.kernel;
  return listenTo(events, { kinds: what }, (event) => write(formatEvent(event, tasks.get(event.pid)?.comm ?? '-')));
}
