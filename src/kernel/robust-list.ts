import { FUTEX_OWNER_DIED, FUTEX_TID_MASK, FUTEX_WAITERS, ROBUST_LIST_LIMIT } from '../abi/futex.ts';
import { compareExchangeU32, readU32 } from '../mm/user-access.ts';
import { wakeFutex } from './futex.ts';
import type { Kernel } from './kernel.ts';
import { ownTid } from './pid-namespace.ts';
import type { Task } from './task.ts';
import { readLongs } from './user-structs.ts';

/** exit_robust_list (6.18, kernel/futex/core.c): the locks that an ending thread holds are marked and handed on. */
export function walkRobustList(k: Kernel, t: Task): void {
  const head = t.robustListHead;
  t.robustListHead = 0;
  if (head === 0 || t.space === null) return;
  const words = readLongs(k, t, head, 3);
  if (typeof words === 'number') return;
  const offset = words[1];
  const pending = words[2];
  let entry = words[0];
  for (let left = ROBUST_LIST_LIMIT; left > 0 && entryAddress(entry) !== head; left--) {
    const address = entryAddress(entry);
    const next = readLongs(k, t, address, 1);
    if (entry !== pending && handleDeath(k, t, address + offset) < 0) return;
    if (typeof next === 'number') return;
    entry = next[0];
  }
  if (pending !== 0) handleDeath(k, t, entryAddress(pending) + offset);
}

/** Bit 0 of a link marks a PI lock. */
const entryAddress = (link: number): number => Math.floor(link / 2) * 2;

/** handle_futex_death. */
function handleDeath(k: Kernel, t: Task, address: number): number {
  const space = t.space!;
  if (address % 4 !== 0) return -1;
  for (;;) {
    const value = readU32(k.mm, space, address);
    if (value < 0) return -1;
    if ((value & FUTEX_TID_MASK) >>> 0 !== ownTid(t)) return 0;
    const next = ((value & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0;
    const seen = compareExchangeU32(k.mm, space, address, value, next);
    if (seen < 0) return -1;
    if (seen !== value) continue;
    if ((value & FUTEX_WAITERS) !== 0) wakeFutex(k, space, address, 1);
    return 0;
  }
}
