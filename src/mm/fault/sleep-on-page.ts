import { assert } from '../../base/assert.ts';
import type { BlockRequest } from '../block/request.ts';
import { type Stall, stallOf } from '../block/stall.ts';
import type { MemoryManager } from '../memory-manager.ts';
import { FAULT_BLOCKED, type FaultResult } from './results.ts';

/** folio_lock_or_retry, __folio_lock_killable: the task sleeps until the page has been read, and tries again. */
export function sleepOnPage(mm: MemoryManager, request: BlockRequest | null): FaultResult {
  const { waiter } = mm;
  assert(
    waiter !== null && request !== null,
    'mm/fault/sleep-on-page.ts: who leaves a locked page has a task to sleep',
  );
  waiter.source = request;
  waiter.stall = request.frames.reduce<number>((stall, frame) => stall | stallOf(mm.frames.flags[frame]), 0) as Stall;
  return FAULT_BLOCKED;
}
