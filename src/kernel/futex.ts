import { FUTEX_BITSET_MATCH_ANY } from '../abi/futex.ts';
import type { AddressSpace } from '../mm/address-space.ts';
import { futexKey as sharedFutexKey } from '../mm/futex-key.ts';
import type { Kernel } from './kernel.ts';
import { wakeTask } from './scheduler.ts';

/** One sleeper on a futex word. */
export interface FutexWaiter {
  readonly tid: number;
  readonly bitset: number;
  key: string;
}

/**
 * The sleepers on futex words, by key, first come first. A key names the word, not the address: space and address for private
 * memory; for shared mappings the file pages and the offset in them, so that all who map it meet (get_futex_key).
 */
export class FutexTable {
  readonly buckets = new Map<string, FutexWaiter[]>();

  add(waiter: FutexWaiter): void {
    const list = this.buckets.get(waiter.key);
    if (list === undefined) this.buckets.set(waiter.key, [waiter]);
    else list.push(waiter);
  }

  /** False when the task is no longer there: it was woken. */
  removeTask(tid: number, key: string): boolean {
    const list = this.buckets.get(key);
    if (list === undefined) return false;
    const at = list.findIndex((waiter) => waiter.tid === tid);
    if (at < 0) return false;
    list.splice(at, 1);
    if (list.length === 0) this.buckets.delete(key);
    return true;
  }

  /** The key under which a task sleeps now (a requeue moves it), or null. */
  keyOf(tid: number): string | null {
    for (const [key, list] of this.buckets) if (list.some((waiter) => waiter.tid === tid)) return key;
    return null;
  }
}

/** get_futex_key: -EFAULT where nothing readable is mapped. The caller checked the alignment. */
export function futexKey(
  k: Kernel,
  space: AddressSpace,
  address: number,
  scope: 'private' | 'shared',
): string | number {
  return scope === 'private' ? `p${space.id}:${address}` : sharedFutexKey(k.mm, space, address);
}

/** Wakes up to `count` sleepers of a key whose bitset meets; how many. */
export function wakeKey(k: Kernel, key: string, count: number, bitset = FUTEX_BITSET_MATCH_ANY): number {
  const list = k.futexes.buckets.get(key);
  if (list === undefined) return 0;
  let woken = 0;
  for (let i = 0; i < list.length && woken < count; ) {
    const waiter = list[i];
    if ((waiter.bitset & bitset) === 0) {
      i++;
      continue;
    }
    list.splice(i, 1);
    woken++;
    const task = k.tasks.get(waiter.tid);
    if (task !== undefined) wakeTask(k, task, 'event');
  }
  if (list.length === 0) k.futexes.buckets.delete(key);
  return woken;
}

/** The kernel's own FUTEX_WAKE (clear_child_tid, robust lists): shared, as Linux's is. */
export function wakeFutex(k: Kernel, space: AddressSpace, address: number, count: number): void {
  const shared = futexKey(k, space, address, 'shared');
  if (typeof shared === 'string') wakeKey(k, shared, count);
}
