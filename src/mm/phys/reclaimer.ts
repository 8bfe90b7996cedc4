import type { Pfn } from '../../machine/units.ts';

/**
 * The allocator's way up (DESIGN D6): something that can make frames free. Called inside a failing allocation that has
 * __GFP_DIRECT_RECLAIM; it may write files and free frames, and may itself allocate (below all watermarks, never recursing).
 */
export interface Reclaimer {
  /** Tries to free `frames` frames; returns how many it freed, 0 when nothing more can be freed. */
  reclaim(frames: number, by?: 'direct' | 'kswapd'): number;
}

/** Who is told that contents which reclaim took from memory come back (Linux: mm/workingset.c). */
export interface RefaultListener {
  /** They are about to be read: a frame will be asked for. */
  wanted(shadow: number): void;
  /** They are in the frame, which is on no list yet. `shadow` is what its eviction left behind. */
  refaulted(frame: Pfn, shadow: number): void;
}

/** Who is told of the kernel's own uses of a page of a file: read(2) and write(2), which go past the MMU. */
export interface UseListener {
  used(frame: Pfn): void;
}

/** The thread that reclaims before allocations have to (Linux: kswapd). */
export interface KswapdWaker {
  /** A zone is below its low mark. */
  wake(): void;
  /** Reclaim has freed something: it is worth a try again, if it was not (kswapd_failures). */
  noteProgress(): void;
}
