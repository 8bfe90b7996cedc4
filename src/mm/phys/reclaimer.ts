/**
 * The allocator's way up (DESIGN D6): something that can make frames free. Called inside a failing allocation that has
 * __GFP_DIRECT_RECLAIM; it may write files and free frames, and may itself allocate (below all watermarks, never recursing).
 */
export interface Reclaimer {
  /** Tries to free `frames` frames; returns how many it freed, 0 when nothing more can be freed. */
  reclaim(frames: number, by?: 'direct' | 'kswapd'): number;
}

/** The thread that reclaims before allocations have to (Linux: kswapd). */
export interface KswapdWaker {
  /** A zone is below its low mark. */
  wake(): void;
  /** Reclaim has freed something: it is worth a try again, if it was not (kswapd_failures). */
  noteProgress(): void;
}
