import { EFAULT, EINVAL } from '../../abi/errno.ts';
import type { Kernel } from '../kernel.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes } from '../user-structs.ts';
import { UNBLOCKABLE_SIGNALS } from './defaults.ts';
import { SigSet } from './sigset.ts';

/** sizeof(sigset_t) of the kernel ABI. */
export const SIGSET_BYTES = 8;

export function readSigSet(k: Kernel, t: Task, address: number): SigSet | number {
  const bytes = new Uint8Array(SIGSET_BYTES);
  if (readBytes(k, t, address, bytes) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const set = new SigSet();
  set.set(view.getUint32(0, true), view.getUint32(4, true));
  return set;
}

export function writeSigSet(k: Kernel, t: Task, address: number, set: SigSet): number {
  const bytes = new Uint8Array(SIGSET_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, set.lo, true);
  view.setUint32(4, set.hi, true);
  return writeBytes(k, t, address, bytes);
}

/** set_current_blocked: SIGKILL and SIGSTOP cannot be blocked. */
export function setMask(t: Task, set: SigSet): void {
  t.sigmask.copyFrom(set);
  t.sigmask.andNot(UNBLOCKABLE_SIGNALS);
}

/**
 * set_user_sigmask: the mask of ppoll, pselect6, epoll_pwait for the time of the call. The return to user mode restores it:
 * at once if no handler runs, else by the handler's frame. Address 0 changes nothing. 0 or -ERRNO. First run only.
 */
export function setTemporaryMask(k: Kernel, t: Task, address: number, sizeBytes: number): number {
  if (address === 0) return 0;
  if (sizeBytes !== SIGSET_BYTES) return -EINVAL;
  const set = readSigSet(k, t, address);
  if (typeof set === 'number') return set;
  t.savedMask = t.sigmask.clone();
  setMask(t, set);
  return 0;
}

/** restore_saved_sigmask_unless(interrupted): call it with the call's final result unless that is an interruption. */
export function restoreTemporaryMask(t: Task): void {
  if (t.savedMask === null) return;
  t.sigmask.copyFrom(t.savedMask);
  t.savedMask = null;
}
