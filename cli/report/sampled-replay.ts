import { Option } from 'commander';
import { RecordingCut, type Replay } from '../../src/index.ts';
import type { OpenRecording } from '../open-recording.ts';
import { parseWhere } from '../replay-stop.ts';
import { UsageError } from '../usage-error.ts';
import { WorkProgress } from '../work-progress.ts';

/** Samples of a run, where nobody says how far apart they are. */
const SAMPLES = 64;

/** The option of questions about time. */
export const EVERY = new Option(
  '--every <time>',
  `virtual time between two samples (100us, 1ms); default: a ${SAMPLES}th of the run`,
);

/** Virtual times: up to where, and between two samples. */
export interface Sampling {
  readonly untilNs: number;
  readonly everyNs: number;
  /** The first sample; default: everyNs. */
  readonly firstNs?: number;
}

export function samplingOf(
  { end }: OpenRecording,
  { every, to }: { readonly every?: string; readonly to?: string },
  defaultEveryNs = (untilNs: number): number => Math.max(1, Math.ceil(untilNs / SAMPLES)),
): Sampling {
  const untilNs = to === undefined || to === 'end' ? (end?.stats.virtualNs ?? null) : timeOf(to, '--to');
  if (every !== undefined) return { untilNs: untilNs ?? Number.POSITIVE_INFINITY, everyNs: timeOf(every, '--every') };
  if (untilNs === null) throw new UsageError('the recording has no end; say how far apart samples are: --every 1ms');
  return { untilNs, everyNs: defaultEveryNs(untilNs) };
}

/** Goes through a replay and takes a sample at each multiple of `everyNs`, and where the run ends; 'cut': where the recording ends before. */
export function replaySampled(
  replay: Replay,
  { untilNs, everyNs, firstNs = everyNs }: Sampling,
  take: () => void,
): 'whole' | 'cut' {
  const progress = new WorkProgress();
  const { clock } = replay.system.kernel;
  let takenNs = 0;
  const takeOnce = (): void => {
    if (clock.nowNs > takenNs) take();
    takenNs = clock.nowNs;
  };
  try {
    for (let nextNs = firstNs; takenNs < untilNs; nextNs += everyNs) {
      if (replay.forward({ at: 'time', ns: Math.min(nextNs, untilNs) }) === 'ended') break;
      takeOnce();
      progress.tell(() => `the run again, ${(clock.nowNs / 1e6).toFixed(0)} ms of its time`);
    }
    takeOnce();
    return 'whole';
  } catch (error) {
    if (!(error instanceof RecordingCut)) throw error;
    takeOnce();
    return 'cut';
  } finally {
    progress.close();
  }
}

/** Exit status of a question: 1 where the recording is cut off, and what is there does not go as far as was asked. */
export function statusOf(
  { end }: OpenRecording,
  ended: 'whole' | 'cut',
  { nowNs, untilNs }: { readonly nowNs: number; readonly untilNs: number },
): number {
  return ended === 'cut' || (end === null && nowNs < untilNs) ? 1 : 0;
}

/** Of an option: virtual time in ns, more than 0. */
export function timeOf(text: string, option: string): number {
  const where = parseWhere(text);
  if (where.at !== 'time' || where.ns <= 0) throw new UsageError(`${option} ${text}: write a time such as 100us`);
  return where.ns;
}

/** Of a question about one process: there is none to tell of. */
export function noProcess(pid: number | undefined): UsageError {
  return new UsageError(pid === undefined ? 'nothing ran up to there' : `--pid ${pid}: the run has no such process`);
}
