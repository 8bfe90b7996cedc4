import { EAGAIN, EFAULT, EINVAL, ESRCH } from '../../abi/errno.ts';
import { O_NONBLOCK } from '../../abi/fcntl.ts';
import { SIGCHLD } from '../../abi/signal.ts';
import {
  __WALL,
  __WCLONE,
  __WNOTHREAD,
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOWAIT,
  WSTOPPED,
  WUNTRACED,
} from '../../abi/wait.ts';
import { writeU32 } from '../../mm/user-access.ts';
import type { Kernel } from '../kernel.ts';
import { pidFileAt } from '../pidfd.ts';
import { siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import { writeBytes, writeLongs } from '../user-structs.ts';
import { type WaitTarget, waitForChild } from '../wait.ts';
import { usageLongs } from './limits.ts';
import { row, type SyscallRow } from './row.ts';

/** Waiting for a child: wait4 and waitid (kernel/exit.c, 6.18). */

function wait4(k: Kernel, t: Task, pid: number, statusAddress: number, options: number, usageAddress: number): number {
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) return -EINVAL;
  if (pid === -0x8000_0000) return -ESRCH;
  let target: WaitTarget;
  if (pid === -1) target = { kind: 'any' };
  else if (pid < 0) target = { kind: 'pgrp', pgrp: -pid };
  else if (pid === 0) target = { kind: 'pgrp', pgrp: t.process.pgrp };
  else target = { kind: 'pid', pid };
  const found = waitForChild(k, t, target, options | WEXITED);
  if (found === null) return 0;
  if (typeof found === 'number') return found;
  if (statusAddress !== 0 && writeU32(k.mm, t.space!, statusAddress, found.status) < 0) return -EFAULT;
  if (usageAddress !== 0 && writeLongs(k, t, usageAddress, usageLongs(found.usage)) < 0) return -EFAULT;
  return found.pid;
}

function waitid(
  k: Kernel,
  t: Task,
  which: number,
  id: number,
  infoAddress: number,
  options: number,
  usage: number,
): number {
  if ((options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0)
    return -EINVAL;
  if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return -EINVAL;
  let target: WaitTarget;
  let isNonblocking = false;
  if (which === P_ALL) target = { kind: 'any' };
  else if (which === P_PID) {
    if (id <= 0) return -EINVAL;
    target = { kind: 'pid', pid: t.pidNs.pidOf(id) };
  } else if (which === P_PGID) {
    if (id < 0) return -EINVAL;
    target = { kind: 'pgrp', pgrp: id === 0 ? t.process.pgrp : t.pidNs.pidOf(id) };
  } else if (which === P_PIDFD) {
    if (id < 0) return -EINVAL;
    const file = pidFileAt(t, id);
    if (typeof file === 'number') return file;
    target = { kind: 'process', process: file.process };
    isNonblocking = (file.flags & O_NONBLOCK) !== 0;
  } else return -EINVAL;
  const found = waitForChild(k, t, target, isNonblocking ? options | WNOHANG : options);
  if (typeof found === 'number') return found;
  if (found === null && isNonblocking && (options & WNOHANG) === 0) return -EAGAIN;
  if (infoAddress !== 0) {
    const info =
      found === null
        ? siginfo(0, 0)
        : siginfo(SIGCHLD, found.code, {
            pid: t.pidNs.numberOf(found.pid),
            uid: t.cred.userNs.uids.show(found.uid),
            status: found.infoStatus,
          });
    // Linux writes the fields one by one and leaves the rest of the 128 bytes alone.
    if (writeBytes(k, t, infoAddress, k.arch.encodeSiginfo(info).subarray(0, 28)) < 0) return -EFAULT;
  }
  if (found !== null && usage !== 0 && writeLongs(k, t, usage, usageLongs(found.usage)) < 0) return -EFAULT;
  return 0;
}

export const waitCalls: readonly SyscallRow[] = [
  { name: 'wait4', args: ['pid', 'ptr', 'int', 'ptr'], run: wait4, returns: 'pid', support: 'full', note: '' },
  row('waitid', ['int', 'int', 'ptr', 'int', 'ptr'], waitid),
];
