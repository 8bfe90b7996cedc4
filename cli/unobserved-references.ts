import type { Replay } from '../src/index.ts';
import { UsageError } from './usage-error.ts';

/** Throws where the run's own reclaim policy takes all references, so that nobody else can be told of them. */
export function requireReferences(replay: Replay): void {
  if (replay.system.kernel.mm.reclaimer.wantsReferences)
    throw new UsageError(
      'the run has a reclaim policy that listens to the references itself (lru, arc); record it with another one',
    );
}
