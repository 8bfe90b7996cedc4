import { setFlagsFromString } from 'node:v8';
import { isFlagGiven } from './given-flag.ts';

/** Versions of V8 that are known to have these flags (Node 20 and 22): of a flag that it does not know, V8 complains on standard error. */
const KNOWN = new Set(['11', '12']);

/**
 * V8 keeps what is new in two halves of 1 MiB, which double, up to 16 MiB each, as survivors add up: in a long run always, however few
 * there are. Little of ours survives (no fault makes an object), so that more room takes 10 to 30 MiB of memory and saves no time. One
 * thread clears so little sooner than several that have to be woken, each with pages of its own for what it moves.
 *
 * V8 looks at both whenever it clears; its limits (--max-semi-space-size) it reads only before Node runs a script.
 */
export function keepNewSpaceSmall(): void {
  if (!KNOWN.has(process.versions.v8.split('.')[0])) return;
  if (!isFlagGiven('semi-space-growth-factor')) setFlagsFromString('--semi-space-growth-factor=1');
  if (!isFlagGiven('parallel-scavenge')) setFlagsFromString('--no-parallel-scavenge');
}
