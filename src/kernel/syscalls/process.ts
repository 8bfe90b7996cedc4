import { E2BIG, EAGAIN, EBADF, EFAULT, EINVAL, ELOOP, ENOENT, ENOSYS, ESRCH } from '../../abi/errno.ts';
import { O_NONBLOCK } from '../../abi/fcntl.ts';
import { READ_IMPLIES_EXEC } from '../../abi/personality.ts';
import { PTRACE_EVENT_VFORK_DONE } from '../../abi/ptrace.ts';
import {
  CLONE_CLEAR_SIGHAND_HIGH,
  CLONE_DETACHED,
  CLONE_INTO_CGROUP_HIGH,
  CLONE_NEWTIME,
  CLONE_PARENT,
  CLONE_PARENT_SETTID,
  CLONE_PIDFD,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VFORK,
  CSIGNAL,
  PR_GET_CHILD_SUBREAPER,
  PR_GET_DUMPABLE,
  PR_GET_NAME,
  PR_GET_NO_NEW_PRIVS,
  PR_GET_PDEATHSIG,
  PR_GET_SECCOMP,
  PR_GET_TID_ADDRESS,
  PR_GET_TIMERSLACK,
  PR_SET_CHILD_SUBREAPER,
  PR_SET_DUMPABLE,
  PR_SET_NAME,
  PR_SET_NO_NEW_PRIVS,
  PR_SET_PDEATHSIG,
  PR_SET_TIMERSLACK,
} from '../../abi/sched.ts';
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
import type { File } from '../../fs/file.ts';
import { resolve } from '../../fs/path.ts';
import { readUserString, writeU32 } from '../../mm/user-access.ts';
import { cgroupForClone } from '../cgroup/clone-into.ts';
import { execve, openExecPath, openForExec } from '../exec.ts';
import { readStringArray } from '../exec-strings.ts';
import { exitGroup, exitTask } from '../exit.ts';
import { type CloneRequest, cloneTask } from '../fork.ts';
import type { Kernel } from '../kernel.ts';
import { MAX_LEVEL, ownTid } from '../pid-namespace.ts';
import { pidFileAt } from '../pidfd.ts';
import { takePendingStop } from '../ptrace/stop.ts';
import { siginfo } from '../signals/siginfo.ts';
import type { Task } from '../task.ts';
import { readBytes, writeBytes, writeI32s, writeLongs } from '../user-structs.ts';
import { type WaitTarget, waitForChild } from '../wait.ts';
import { UNINTERRUPTIBLE } from '../wait-state.ts';
import { capabilityPrctl } from './capability.ts';
import { usageLongs } from './limits.ts';
import { mmPrctl } from './prctl-mm.ts';
import { BLOCKED, NO_RESULT, type SyscallRow } from './row.ts';
import { baseOf, contextOf } from './user.ts';

const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const PATH_MAX = 4096;

function fork(k: Kernel, t: Task, request: CloneRequest): number {
  // A vfork parent that was woken: the child's tid waits in its data.
  if (t.wait !== null) return waitForVfork(k, t, t.wait.data[0]);
  const child = cloneTask(k, t, request);
  if (typeof child === 'number') return child;
  if ((request.flags & CLONE_VFORK) === 0) return child.tid;
  if (t.trace === null || t.trace.pending.length === 0) return waitForVfork(k, t, child.tid);
  // Its tracer hears of the child before it waits for it; then the call is run again.
  t.wait = {
    queues: [],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: UNINTERRUPTIBLE,
    data: [child.tid],
    woken: 'event',
  };
  takePendingStop(k, t);
  return BLOCKED;
}

/** wait_for_vfork_done: until the child has given up the shared space. */
function waitForVfork(k: Kernel, t: Task, child: number): number {
  if (k.tasks.get(child)?.vforkParent !== t.tid) {
    if (t.trace?.wants(PTRACE_EVENT_VFORK_DONE) === true)
      t.trace.pending.push({ code: PTRACE_EVENT_VFORK_DONE, message: child, kind: 'event' });
    return child;
  }
  const r = k.block(t, {
    queues: [],
    deadlineNs: Number.POSITIVE_INFINITY,
    onSignal: UNINTERRUPTIBLE,
    data: [child],
  });
  return r === BLOCKED ? r : child;
}

function clone(k: Kernel, t: Task, flags: number, stack: number, a2: number, a3: number, a4: number): number {
  const args: Record<string, number> = {};
  k.arch.cloneOrder.forEach((name, i) => {
    args[name] = [flags, stack, a2, a3, a4][i];
  });
  const low = flags >>> 0;
  if ((low & CLONE_PIDFD) !== 0 && (low & (CLONE_PARENT_SETTID | CLONE_DETACHED)) !== 0) return -EINVAL;
  return fork(k, t, {
    flags: (low & ~CSIGNAL) >>> 0,
    flagsHigh: 0,
    exitSignal: low & CSIGNAL,
    stack,
    parentTid: args['parentTid'],
    childTid: args['childTid'],
    tls: args['tls'],
    // The old call writes it where the parent's tid would go.
    pidfd: args['parentTid'],
  });
}

const INT_MAX = 0x7fff_ffff;
const CLONE_ARGS_SIZE_VER0 = 64;
const CLONE_ARGS_SIZE_VER2 = 88;

function clone3(k: Kernel, t: Task, address: number, size: number): number {
  if (size > 4096) return -E2BIG;
  if (size < CLONE_ARGS_SIZE_VER0) return -EINVAL;
  if (size > CLONE_ARGS_SIZE_VER2) {
    const tail = new Uint8Array(size - CLONE_ARGS_SIZE_VER2);
    if (readBytes(k, t, address + CLONE_ARGS_SIZE_VER2, tail) < 0) return -EFAULT;
    if (tail.some((byte) => byte !== 0)) return -E2BIG;
  }
  const bytes = new Uint8Array(CLONE_ARGS_SIZE_VER2);
  if (readBytes(k, t, address, bytes.subarray(0, Math.min(size, CLONE_ARGS_SIZE_VER2))) < 0) return -EFAULT;
  const view = new DataView(bytes.buffer);
  const u64 = (at: number): number => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  const flags = view.getUint32(0, true);
  const flagsHigh = view.getUint32(4, true);
  const exitSignal = u64(32);
  const stack = u64(40);
  const stackSize = u64(48);
  // copy_clone_args_from_user.
  const setTidAt = u64(64);
  const setTidCount = u64(72);
  if (setTidCount > MAX_LEVEL || (setTidAt === 0) !== (setTidCount === 0)) return -EINVAL;
  const setTid = new Int32Array(setTidCount);
  if (setTidCount > 0 && readBytes(k, t, setTidAt, new Uint8Array(setTid.buffer)) < 0) return -EFAULT;
  // clone3_args_valid.
  if (
    flagsHigh > (CLONE_CLEAR_SIGHAND_HIGH | CLONE_INTO_CGROUP_HIGH) ||
    (flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))) !== 0
  )
    return -EINVAL;
  if (exitSignal > 64) return -EINVAL;
  if ((flags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exitSignal !== 0) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && (flagsHigh & CLONE_CLEAR_SIGHAND_HIGH) !== 0) return -EINVAL;
  const intoCgroup = (flagsHigh & CLONE_INTO_CGROUP_HIGH) !== 0;
  // copy_clone_args_from_user: the number must be one of a descriptor, and the struct long enough to have it.
  if (intoCgroup && (u64(80) > INT_MAX || size < CLONE_ARGS_SIZE_VER2)) return -EINVAL;
  if (stack === 0 ? stackSize > 0 : stackSize === 0) return -EINVAL;
  const cgroup = intoCgroup ? cgroupForClone(t, u64(80)) : null;
  if (typeof cgroup === 'number') return cgroup;
  return fork(k, t, {
    flags,
    flagsHigh,
    cgroup,
    exitSignal,
    stack: stack === 0 ? 0 : stack + stackSize,
    childTid: u64(16),
    parentTid: u64(24),
    tls: u64(56),
    pidfd: u64(8),
    setTid: [...setTid],
  });
}

function execveCall(k: Kernel, t: Task, path: number, argv: number, envp: number): number {
  return execveAt(k, t, -100, path, argv, envp, 0);
}

function execveAt(
  k: Kernel,
  t: Task,
  dirfd: number,
  pathAddress: number,
  argvAddress: number,
  envpAddress: number,
  flags: number,
): number {
  if ((flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) !== 0) return -EINVAL;
  const path = readUserString(k.mm, t.space!, pathAddress, PATH_MAX);
  if (typeof path === 'number') return path;
  const argv = readStringArray(k, t, argvAddress);
  if (typeof argv === 'number') return argv;
  const envp = readStringArray(k, t, envpAddress);
  if (typeof envp === 'number') return envp;
  const file = openTarget(k, t, dirfd, path, flags);
  if (typeof file === 'number') return file;
  // A name that hangs on a descriptor is shown through /dev/fd (alloc_bprm).
  let name = path;
  if (dirfd !== -100 && !path.startsWith('/')) name = path === '' ? `/dev/fd/${dirfd}` : `/dev/fd/${dirfd}/${path}`;
  return execve(k, t, { file, filename: new TextEncoder().encode(name), argv, envp });
}

function openTarget(k: Kernel, t: Task, dirfd: number, path: string, flags: number): File | number {
  if (path === '') {
    if ((flags & AT_EMPTY_PATH) === 0) return -ENOENT;
    const file = t.files?.get(dirfd) ?? null;
    return file === null ? -EBADF : openExecPath(k, t, file.path);
  }
  const base = baseOf(t, dirfd, path);
  if (typeof base === 'number') return base;
  if ((flags & AT_SYMLINK_NOFOLLOW) === 0) return openForExec(k, t, base, path);
  const found = resolve(contextOf(t), base, path, 'nofollow');
  if (typeof found === 'number') return found;
  return (found.inode.mode & 0o170000) === 0o120000 ? -ELOOP : openExecPath(k, t, found);
}

function exit(k: Kernel, t: Task, code: number): number {
  exitTask(k, t, (code & 0xff) << 8);
  return NO_RESULT;
}

function exitGroupCall(k: Kernel, t: Task, code: number): number {
  exitGroup(k, t, (code & 0xff) << 8);
  return NO_RESULT;
}

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

const NAME_BYTES = 16;

function prctl(k: Kernel, t: Task, option: number, a1: number, a2: number, a3: number, a4: number): number {
  const aboutCapabilities = capabilityPrctl(t, option, [a1, a2, a3, a4]);
  if (aboutCapabilities !== null) return aboutCapabilities;
  const aboutMemory = mmPrctl(k, t, option, [a1, a2, a3, a4]);
  if (aboutMemory !== null) return aboutMemory;
  const { process } = t;
  switch (option) {
    case PR_SET_NAME: {
      const bytes = new Uint8Array(NAME_BYTES - 1);
      for (let i = 0; i < bytes.length; i++) {
        if (readBytes(k, t, a1 + i, bytes.subarray(i, i + 1)) < 0) return -EFAULT;
        if (bytes[i] === 0) break;
      }
      const end = bytes.indexOf(0);
      t.comm = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
      return 0;
    }
    case PR_GET_NAME: {
      const bytes = new Uint8Array(NAME_BYTES);
      bytes.set(new TextEncoder().encode(t.comm).subarray(0, NAME_BYTES - 1));
      return writeBytes(k, t, a1, bytes);
    }
    case PR_SET_PDEATHSIG:
      if (a1 > 64) return -EINVAL;
      t.pdeathSignal = a1;
      return 0;
    case PR_GET_PDEATHSIG:
      return writeI32s(k, t, a1, [t.pdeathSignal]);
    case PR_GET_DUMPABLE:
      return process.dumpable;
    case PR_SET_DUMPABLE:
      if (a1 > 1) return -EINVAL;
      process.dumpable = a1;
      return 0;
    case PR_SET_NO_NEW_PRIVS:
      if (a1 !== 1 || a2 !== 0 || a3 !== 0 || a4 !== 0) return -EINVAL;
      t.noNewPrivs = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      if (a1 !== 0 || a2 !== 0 || a3 !== 0 || a4 !== 0) return -EINVAL;
      return t.noNewPrivs ? 1 : 0;
    case PR_SET_CHILD_SUBREAPER:
      process.isChildSubreaper = a1 !== 0;
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      return writeI32s(k, t, a1, [process.isChildSubreaper ? 1 : 0]);
    case PR_SET_TIMERSLACK:
      t.timerSlackNs = a1 === 0 ? 50_000 : a1;
      return 0;
    case PR_GET_TIMERSLACK:
      return t.timerSlackNs;
    case PR_GET_TID_ADDRESS:
      return writeLongs(k, t, a1, [t.clearChildTid]);
    case PR_GET_SECCOMP:
      return 0;
    default:
      return -EINVAL;
  }
}

function setTidAddress(_k: Kernel, t: Task, address: number): number {
  t.clearChildTid = address;
  return ownTid(t);
}

function personality(_k: Kernel, t: Task, persona: number): number {
  const old = t.personality;
  if (persona !== 0xffff_ffff) t.personality = persona;
  if (t.space !== null) t.space.readImpliesExec = (t.personality & READ_IMPLIES_EXEC) !== 0;
  return old;
}

const full = 'full' as const;
const partial = 'partial' as const;
export const processCalls: readonly SyscallRow[] = [
  {
    name: 'clone',
    args: ['ulong', 'ptr', 'ptr', 'ptr', 'ptr'],
    run: clone,
    returns: 'pid',
    support: partial,
    note: 'every namespace but CLONE_NEWCGROUP',
  },
  {
    name: 'clone3',
    args: ['ptr', 'size'],
    run: clone3,
    returns: 'pid',
    support: partial,
    note: 'as clone',
  },
  { name: 'execve', args: ['path', 'ptr', 'ptr'], run: execveCall, support: full, note: '' },
  { name: 'execveat', args: ['fd', 'path', 'ptr', 'ptr', 'int'], run: execveAt, support: full, note: '' },
  { name: 'exit', args: ['int'], run: exit, support: full, note: '' },
  { name: 'exit_group', args: ['int'], run: exitGroupCall, support: full, note: '' },
  { name: 'wait4', args: ['pid', 'ptr', 'int', 'ptr'], run: wait4, returns: 'pid', support: full, note: '' },
  {
    name: 'waitid',
    args: ['int', 'int', 'ptr', 'int', 'ptr'],
    run: waitid,
    support: full,
    note: '',
  },
  {
    name: 'prctl',
    args: ['int', 'ulong', 'ulong', 'ulong', 'ulong'],
    run: prctl,
    support: partial,
    note: 'names, death signal, dumpable, no_new_privs, subreaper, timer slack, capabilities, PR_SET_MM, PR_SET_VMA, THP, memory merge, MDWE',
  },
  { name: 'set_tid_address', args: ['ptr'], run: setTidAddress, support: full, note: '' },
  {
    name: 'personality',
    args: ['uint'],
    run: personality,
    support: partial,
    note: 'every flag that acts on a 64-bit program; no PER_LINUX32 (uname -m)',
  },
  {
    name: 'rseq',
    args: ['ptr', 'uint', 'int', 'uint'],
    run: () => -ENOSYS,
    support: 'absent',
    note: 'as a kernel without CONFIG_RSEQ; AT_RSEQ_* are left out too',
  },
];
