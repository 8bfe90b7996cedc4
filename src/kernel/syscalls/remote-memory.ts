import { EFAULT, EINVAL, ESRCH } from '../../abi/errno.ts';
import { PAGE_SIZE } from '../../machine/units.ts';
import { readRemote, writeRemote } from '../../mm/remote-access.ts';
import type { IoVec } from '../../mm/user-access.ts';
import { UserIo } from '../../mm/user-io.ts';
import { mayAccessTask } from '../access-task.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import type { SyscallRow } from './row.ts';
import { readWords, spaceOf, vectorArgument } from './user.ts';

const UIO_MAXIOV = 1024;
const LONGEST = 2 ** 63;

/** iovec_from_user: the other side's vectors; their addresses are not looked at yet. */
function remoteVectors(k: Kernel, t: Task, address: number, count: number): IoVec[] | number {
  if (count > UIO_MAXIOV) return -EINVAL;
  if (count === 0) return [];
  const words = readWords(k, t, address, count * 2);
  if (typeof words === 'number') return words;
  const vectors: IoVec[] = [];
  for (let i = 0; i < count; i++) {
    if (words[i * 2 + 1] >= LONGEST) return -EINVAL;
    vectors.push({ address: words[i * 2], lengthBytes: words[i * 2 + 1] });
  }
  return vectors;
}

/**
 * process_vm_rw (6.18, mm/process_vm_access.c): bytes moved, up to the first page that cannot be had on either side; an error
 * only where none was.
 */
function processVm(
  k: Kernel,
  t: Task,
  direction: 'read' | 'write',
  pid: number,
  local: { address: number; count: number },
  remote: { address: number; count: number },
  flags: number,
): number {
  if (flags !== 0) return -EINVAL;
  const own = vectorArgument(k, t, local.address, local.count);
  if (typeof own === 'number') return own;
  const io = new UserIo(k.mm, spaceOf(t), own);
  if (io.remaining === 0) return 0;
  const theirs = remoteVectors(k, t, remote.address, remote.count);
  if (typeof theirs === 'number') return theirs;
  if (theirs.every((vector) => vector.lengthBytes === 0)) return 0;
  const target = k.tasks.get(pid);
  if (target === undefined) return -ESRCH;
  const allowed = mayAccessTask(t, target, 'real');
  if (allowed < 0) return allowed;
  if (target.space === null) return -ESRCH;
  const page = new Uint8Array(PAGE_SIZE);
  let moved = 0;
  for (const { address, lengthBytes } of theirs) {
    // By what is left, not by an end: numbers near 2^64 (no user address) are not exact.
    let done = 0;
    for (let left = lengthBytes; left > 0 && io.remaining > 0; left -= done) {
      const at = address + (lengthBytes - left);
      const count = Math.min(left, io.remaining, PAGE_SIZE - (at % PAGE_SIZE));
      const bytes = page.subarray(0, count);
      done = direction === 'read' ? pull(k, target, at, bytes, io) : push(k, target, at, bytes, io);
      moved += done;
      if (done === count) continue;
      // A page of theirs whose fault sleeps: all of it again, then.
      return moved > 0 && t.waiter.source === null ? moved : -EFAULT;
    }
  }
  return moved;
}

/** Bytes within one page of theirs to ours. */
function pull(k: Kernel, target: Task, at: number, bytes: Uint8Array, io: UserIo): number {
  const got = readRemote(k.mm, target.space!, at, bytes, 'patient');
  return io.put(bytes.subarray(0, got));
}

/** Bytes of ours to within one page of theirs. */
function push(k: Kernel, target: Task, at: number, bytes: Uint8Array, io: UserIo): number {
  const got = io.take(bytes);
  return writeRemote(k.mm, target.space!, at, bytes.subarray(0, got), 'patient');
}

type Args = readonly [t: Task, pid: number, a1: number, n1: number, a2: number, n2: number, flags: number];
const call =
  (direction: 'read' | 'write') =>
  (k: Kernel, ...[t, pid, a1, n1, a2, n2, flags]: Args): number =>
    processVm(k, t, direction, pid, { address: a1, count: n1 }, { address: a2, count: n2 }, flags);

const args = ['pid', 'ptr', 'ulong', 'ptr', 'ulong', 'ulong'] as const;
export const remoteMemoryCalls: readonly SyscallRow[] = [
  { name: 'process_vm_readv', args, run: call('read'), support: 'full', note: '' },
  { name: 'process_vm_writev', args, run: call('write'), support: 'full', note: '' },
];
