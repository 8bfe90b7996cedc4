import { EVENT_VALUE_NAMES } from '../../base/event-fields.ts';

/**
 * Why a page is to go, as its policy sees it; told in faultline:reclaim_choice. A policy that says nothing has 'policy'.
 *
 *   inactive                      at the old end of the inactive list, and not used since the last look (two-list)
 *   generation                    in the oldest generation, and not accessed (mglru)
 *   first_in, least_recent        longest in memory; used longest ago (fifo, lru)
 *   unreferenced                  not used since the hand came by last, or since the last reclaim (clock, nru)
 *   referenced                    used, but all others were, too (nru)
 *   random                        any (random)
 *   aged                          its age has come to 0 (aging-2.4)
 *   cold                          not hot, and not used (clock-pro)
 *   recent_list, frequent_list    at the old end of what was used once, or more than once (arc)
 *   pageout, drop_caches, fadvise not reclaim's choice: somebody asked for it
 */
export type ReclaimWhy = (typeof EVENT_VALUE_NAMES.why)[number];

/** By the policy. */
export type PolicyWhy = Exclude<ReclaimWhy, 'pageout' | 'drop_caches' | 'fadvise'>;
/** By others. */
export type ForcedWhy = Exclude<ReclaimWhy, PolicyWhy>;

/** As events have it. */
export function whyNumber(why: ReclaimWhy): number {
  return EVENT_VALUE_NAMES.why.indexOf(why);
}

/** What a user's policy says; anything else counts as nothing. */
export function knownWhy(why: unknown): PolicyWhy {
  const known = EVENT_VALUE_NAMES.why.find((each) => each === why) ?? 'policy';
  return known === 'pageout' || known === 'drop_caches' || known === 'fadvise' ? 'policy' : known;
}

/** By its number. */
export function isForced(why: number): boolean {
  return why >= EVENT_VALUE_NAMES.why.indexOf('pageout');
}
