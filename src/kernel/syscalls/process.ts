import { EBADF, EINVAL, ELOOP, ENOENT, ENOSYS } from '../../abi/errno.ts';
import { READ_IMPLIES_EXEC } from '../../abi/personality.ts';
import type { File } from '../../fs/file.ts';
import { resolve } from '../../fs/path.ts';
import { readUserString } from '../../mm/user-access.ts';
import { execve } from '../exec.ts';
import { openExecPath, openForExec } from '../exec-program.ts';
import { readStringArray } from '../exec-strings.ts';
import { exitGroup, exitTask } from '../exit.ts';
import type { Kernel } from '../kernel.ts';
import { ownTid } from '../pid-namespace.ts';
import type { Task } from '../task.ts';
import { NO_RESULT, row, type SyscallRow } from './row.ts';
import { baseOf, contextOf } from './user.ts';

/** What a task does with itself: run another program, end, choose a personality (fs/exec.c, kernel/exit.c; 6.18). */

const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const PATH_MAX = 4096;

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

export const processCalls: readonly SyscallRow[] = [
  row('execve', ['path', 'ptr', 'ptr'], execveCall),
  row('execveat', ['fd', 'path', 'ptr', 'ptr', 'int'], execveAt),
  row('exit', ['int'], exit),
  row('exit_group', ['int'], exitGroupCall),
  row('set_tid_address', ['ptr'], setTidAddress),
  row('personality', ['uint'], personality, 'every flag that acts on a 64-bit program; no PER_LINUX32 (uname -m)'),
  {
    name: 'rseq',
    args: ['ptr', 'uint', 'int', 'uint'],
    run: () => -ENOSYS,
    support: 'absent',
    note: 'as a kernel without CONFIG_RSEQ; AT_RSEQ_* are left out too',
  },
];
