import { EAGAIN, EFAULT, EINVAL, ETIMEDOUT } from '../../abi/errno.ts';
import { FUTEX_BITSET_MATCH_ANY } from '../../abi/futex.ts';
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from '../../abi/time.ts';
import { readU32 } from '../../mm/user-access.ts';
import { futexKey } from '../futex.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes } from '../user-structs.ts';
import { ERESTARTSYS } from '../wait-state.ts';
import { futexDeadline } from './futex.ts';
import { BLOCKED, type SyscallRow } from './row.ts';

/** futex_waitv (kernel/futex/syscalls.c, waitwake.c; 6.18): sleeps on several words, answers the index of the one that was woken. */

const FUTEX_WAITV_MAX = 128;
/** struct futex_waitv: val, uaddr, flags, reserved. */
const ENTRY_BYTES = 24;
const FUTEX2_SIZE_MASK = 3;
const FUTEX2_SIZE_U32 = 2;
const FUTEX2_PRIVATE = 128;

interface Word {
  readonly key: string;
  readonly address: number;
  readonly expected: number;
}

/** futex_parse_waitv. */
function readWords(k: Kernel, t: Task, address: number, count: number): Word[] | number {
  const bytes = new Uint8Array(count * ENTRY_BYTES);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const words: Word[] = [];
  for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
    const flags = view.getUint32(at + 16, true);
    const known = FUTEX2_SIZE_MASK | FUTEX2_PRIVATE;
    if ((flags & ~known) !== 0 || view.getUint32(at + 20, true) !== 0) return -EINVAL;
    if ((flags & FUTEX2_SIZE_MASK) !== FUTEX2_SIZE_U32) return -EINVAL;
    // The value is 64 bits wide, the word 32.
    if (view.getUint32(at + 4, true) !== 0) return -EINVAL;
    const word = view.getUint32(at + 12, true) * 2 ** 32 + view.getUint32(at + 8, true);
    if (word % 4 !== 0) return -EINVAL;
    const key = futexKey(k, t.space!, word, (flags & FUTEX2_PRIVATE) !== 0 ? 'private' : 'shared');
    if (typeof key === 'number') return key;
    words.push({ key, address: word, expected: view.getUint32(at, true) });
  }
  return words;
}

/** Takes the task off every word: the index of the first that it is no longer queued on, or -1. */
function unqueue(k: Kernel, t: Task, words: readonly Word[]): number {
  let woken = -1;
  words.forEach((word, index) => {
    if (!k.futexes.removeTask(t.tid, word.key) && woken < 0) woken = index;
  });
  return woken;
}

function futexWaitv(
  k: Kernel,
  t: Task,
  waiters: number,
  count: number,
  flags: number,
  timeout: number,
  clock: number,
): number {
  if (flags !== 0 || count === 0 || count > FUTEX_WAITV_MAX || waiters === 0) return -EINVAL;
  let deadlineNs = Number.POSITIVE_INFINITY;
  if (timeout !== 0) {
    if (clock !== CLOCK_MONOTONIC && clock !== CLOCK_REALTIME) return -EINVAL;
    deadlineNs = futexDeadline(k, t, timeout, clock === CLOCK_REALTIME ? 'realtime' : 'monotonic');
    if (deadlineNs < 0) return deadlineNs;
  }
  const words = readWords(k, t, waiters, count);
  if (typeof words === 'number') return words;
  if (t.wait !== null) {
    const { woken } = t.wait;
    const index = unqueue(k, t, words);
    if (index >= 0) return index;
    if (woken === 'timeout') return -ETIMEDOUT;
    if (woken === 'signal') return -ERESTARTSYS;
  }
  for (const { address, expected } of words) {
    const value = readU32(k.mm, t.space!, address);
    if (value < 0) return -EFAULT;
    if (value !== expected) return -EAGAIN;
  }
  const result = k.block(t, { queues: [], deadlineNs, onSignal: ERESTARTSYS, data: [] });
  if (result !== BLOCKED) return result;
  for (const { key } of words) k.futexes.add({ tid: t.tid, bitset: FUTEX_BITSET_MATCH_ANY, key });
  return result;
}

export const futexWaitvCalls: readonly SyscallRow[] = [
  { name: 'futex_waitv', args: ['ptr', 'uint', 'uint', 'ptr', 'int'], run: futexWaitv, support: 'full', note: '' },
];
