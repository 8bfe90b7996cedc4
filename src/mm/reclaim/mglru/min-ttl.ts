import type { ReclaimablePages } from '../policy.ts';
import { MAX_NR_GENS } from './generations.ts';
import type { MglruPolicy } from './mglru.ts';
import { evictableTypes } from './tiers.ts';

/**
 * Is there a page that may go although what was used in the last `minTtlNs` is kept (lruvec_is_reclaimable, 6.18)? The oldest
 * generation that can be evicted from was begun before that. Any page will do for size: kswapd goes on to the last priority here.
 */
export function isReclaimable(policy: MglruPolicy, pages: ReclaimablePages, minTtlNs: number): boolean {
  const { generations } = policy;
  const types = evictableTypes(pages.hasSwap ? pages.swappiness : 0);
  const oldest = Math.min(...types.map((type) => generations.minSeq[type]));
  const isSizable = types.some((type) => {
    for (let seq = generations.minSeq[type]; seq <= generations.maxSeq; seq++)
      if (generations.sizeOf(seq, type) > 0) return true;
    return false;
  });
  return isSizable && generations.birthsNs[oldest % MAX_NR_GENS] + minTtlNs < pages.nowNs;
}
