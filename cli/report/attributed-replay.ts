import { AttributedRun, RecordingCut } from '../../src/index.ts';
import { decompressSection } from '../decompress-section.ts';
import type { OpenRecording } from '../open-recording.ts';
import { parseWhere } from '../replay-stop.ts';
import { UsageError } from '../usage-error.ts';
import { WorkProgress } from '../work-progress.ts';

/** How far the replay goes between two looks at the clock: instructions and traps. */
const STRETCH = 2_000_000;

type Kernel = ConstructorParameters<typeof AttributedRun>[0];

/**
 * Does the run again, up to the point, and puts down to its code what happens. `watch` may listen too; what it returns ends that. 'cut':
 * the recording ends before. `point`: `--to @N` leads there.
 */
export function replayAttributed(
  recording: OpenRecording,
  to: string | undefined,
  watch: (kernel: Kernel, run: AttributedRun) => () => void = () => () => {},
  options: ConstructorParameters<typeof AttributedRun>[2] = {},
): { readonly run: AttributedRun; readonly ended: 'whole' | 'cut'; readonly nowNs: number; readonly point: number } {
  const where = parseWhere(to ?? 'end');
  if (where.at === 'change') throw new UsageError(`--to ${to}: write a time, an event, @N or end`);
  const replay = recording.makeReplay();
  const { kernel } = replay.system;
  const run = new AttributedRun(kernel, decompressSection, options);
  const progress = new WorkProgress();
  const unwatch = watch(kernel, run);
  let ended: 'whole' | 'cut' = 'whole';
  try {
    // The n-th event is counted from where a stretch begins: then there is one.
    const stretch = where.at === 'event' ? Number.POSITIVE_INFINITY : STRETCH;
    let result = replay.forward(where, replay.system.issued + stretch);
    for (; result === 'paused'; result = replay.forward(where, replay.system.issued + stretch))
      progress.tell(() => `the run again, ${(kernel.clock.nowNs / 1e6).toFixed(0)} ms of its time`);
    // A program whose file is damaged ends at once.
    if (result === 'ended' && (recording.isDamaged() || recording.end === null)) ended = 'cut';
  } catch (error) {
    if (!(error instanceof RecordingCut)) throw error;
    ended = 'cut';
  } finally {
    progress.close();
  }
  run.close();
  unwatch();
  return { run, ended, nowNs: kernel.clock.nowNs, point: replay.system.issued };
}
