import { EVENT_KINDS, listenTo, RecordingCut, type Replay, type ReplayStop } from '../src/index.ts';
import { parseEventNames } from './event-names.ts';
import { EVENT_FORMATS, type EventFormat, openEventWriter } from './event-writers.ts';
import { grouped } from './numbers.ts';
import type { OpenRecording } from './open-recording.ts';
import { parseWhere, type ReplayWhere } from './replay-stop.ts';
import { UsageError } from './usage-error.ts';
import { WorkProgress } from './work-progress.ts';

/** How far the replay goes between two looks at the clock: instructions and traps. */
const STRETCH = 2_000_000;

export interface EventsOptions {
  kind?: string;
  pid?: number;
  from?: string;
  to?: string;
  format?: string;
  output?: string;
  json?: true;
}

/** `faultline replay FILE events`: does the run again and writes its events while it goes on, so that its length does not matter. */
export async function exportEvents(file: string, recording: OpenRecording, options: EventsOptions): Promise<number> {
  const kinds = parseKinds(options.kind);
  const format = parseFormat(options);
  const fromNs = parseFrom(options.from);
  const to = parseWhere(options.to ?? 'end');
  if (to.at === 'change') throw new UsageError(`--to ${options.to}: events go up to a time, an event, @N or the end`);
  const output = options.output === '-' ? undefined : options.output;
  const replay = recording.makeReplay();
  const { kernel } = replay.system;
  const writer = await openEventWriter(format, output, kinds, (pid) => kernel.tasks.get(pid)?.comm ?? '-');
  const { pid } = options;
  listenTo(kernel.events, { kinds, fromNs, ...(pid === undefined ? {} : { pid }) }, (event) => writer.add(event));
  const isWhole = goOn(replay, to, `${file}: events`);
  writer.end();
  if (options.output !== undefined) process.stderr.write(`faultline: ${output}: ${grouped(writer.count)} events\n`);
  return isWhole ? 0 : 1;
}

/** False: the recording was cut off before the point. */
function goOn(replay: Replay, to: Exclude<ReplayWhere, { at: 'change' }>, what: string): boolean {
  const progress = new WorkProgress();
  // Counted through all stretches.
  let count = 0;
  const unsubscribe = to.at === 'event' ? replay.system.on([to.name], () => count++) : null;
  const stop: ReplayStop = to.at === 'event' ? { at: 'when', test: () => count >= to.count } : to;
  try {
    while (replay.forward(stop, replay.system.issued + STRETCH) === 'paused')
      progress.tell(() => `${what}: ${(replay.system.kernel.clock.nowNs / 1e6).toFixed(0)} ms of virtual time`);
    return true;
  } catch (error) {
    if (error instanceof RecordingCut) return false;
    throw error;
  } finally {
    unsubscribe?.();
    progress.close();
  }
}

/** No names: all. */
function parseKinds(text: string | undefined): number[] {
  return text === undefined ? EVENT_KINDS.map((_, kind) => kind) : parseEventNames('--kind', text);
}

function parseFormat({ format, json }: EventsOptions): EventFormat {
  if (format === undefined) return json === true ? 'json' : 'text';
  const found = EVENT_FORMATS.find((each) => each === format);
  if (found === undefined) throw new UsageError(`--format ${format}: is none of ${EVENT_FORMATS.join(', ')}`);
  return found;
}

function parseFrom(text: string | undefined): number {
  if (text === undefined) return 0;
  const where = parseWhere(text);
  if (where.at !== 'time') throw new UsageError(`--from ${text}: is no time; write 1.5ms`);
  return where.ns;
}
