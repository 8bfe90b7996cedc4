import { EINVAL, ERANGE } from '../../abi/errno.ts';
import { currentIpc } from '../ipc/namespace.ts';
import { destroyOrphans } from '../ipc/shm.ts';
import type { Kernel } from '../kernel.ts';
import type { SysctlRow } from './sysctl-table.ts';
import { parseInteger } from './write-text.ts';

/** An unsigned long, written as decimal digits (proc_doulongvec_minmax). */
const ulong = (path: string, get: (k: Kernel) => bigint, set: (k: Kernel, value: bigint) => void): SysctlRow => ({
  path,
  kind: 'number',
  read: (k) => get(k).toString(),
  write: (k, text) => {
    const digits = /^\s*([0-9]{1,20})\s*\0?$/.exec(text)?.[1];
    if (digits === undefined || BigInt(digits) >= 2n ** 64n) return -EINVAL;
    set(k, BigInt(digits));
    return 0;
  },
});

const ranged = (
  path: string,
  max: number,
  get: (k: Kernel) => number,
  set: (k: Kernel, value: number) => void,
): SysctlRow => ({
  path,
  kind: 'number',
  read: get,
  write: (k, text) => {
    const value = parseInteger(text);
    if (value === null || value < 0 || value > max) return -EINVAL;
    set(k, value);
    return 0;
  },
});

/** proc_ipc_sem_dointvec: up to four numbers; SEMMNI within the ids that there are. */
function writeSemLimits(k: Kernel, text: string): number {
  const { sem } = currentIpc(k);
  const words = text.trim().split(/\s+/).slice(0, 4).map(parseInteger);
  if (words.some((value) => value === null)) return -EINVAL;
  const [perSet = sem.perSet, all = sem.all, opsPerCall = sem.opsPerCall, maxSets = sem.maxSets] = words as number[];
  if (maxSets < 0 || maxSets > IPCMNI) return -ERANGE;
  Object.assign(sem, { perSet, all, opsPerCall, maxSets });
  return 0;
}

/** IPCMNI: ids have 15 bits for the index. */
const IPCMNI = 32768;

/** /proc/sys/kernel/shm*, sem and msg* (6.18, ipc/ipc_sysctl.c), of the caller's namespace. The next ids are for checkpoint and restore. */
export const IPC_SYSCTLS: readonly SysctlRow[] = [
  ranged(
    'kernel/msg_next_id',
    0x7fff_ffff,
    (k) => currentIpc(k).msg.ids.nextId,
    (k, value) => {
      currentIpc(k).msg.ids.nextId = value;
    },
  ),
  ranged(
    'kernel/sem_next_id',
    0x7fff_ffff,
    (k) => currentIpc(k).sem.ids.nextId,
    (k, value) => {
      currentIpc(k).sem.ids.nextId = value;
    },
  ),
  ranged(
    'kernel/msgmax',
    0x7fff_ffff,
    (k) => currentIpc(k).msg.maxBytes,
    (k, value) => {
      currentIpc(k).msg.maxBytes = value;
    },
  ),
  ranged(
    'kernel/msgmnb',
    0x7fff_ffff,
    (k) => currentIpc(k).msg.queueBytes,
    (k, value) => {
      currentIpc(k).msg.queueBytes = value;
    },
  ),
  ranged(
    'kernel/msgmni',
    IPCMNI,
    (k) => currentIpc(k).msg.maxQueues,
    (k, value) => {
      currentIpc(k).msg.maxQueues = value;
    },
  ),
  {
    path: 'kernel/sem',
    kind: 'number',
    read: (k) => {
      const { sem } = currentIpc(k);
      return [sem.perSet, sem.all, sem.opsPerCall, sem.maxSets].join('\t');
    },
    write: (k, text) => writeSemLimits(k, text),
  },
  ranged(
    'kernel/shm_rmid_forced',
    1,
    (k) => currentIpc(k).shm.rmidForced,
    (k, value) => {
      currentIpc(k).shm.rmidForced = value as 0 | 1;
      if (value === 1) destroyOrphans(k, currentIpc(k).shm);
    },
  ),
  ranged(
    'kernel/shm_next_id',
    0x7fff_ffff,
    (k) => currentIpc(k).shm.ids.nextId,
    (k, value) => {
      currentIpc(k).shm.ids.nextId = value;
    },
  ),
  ulong(
    'kernel/shmall',
    (k) => currentIpc(k).shm.allPages,
    (k, value) => {
      currentIpc(k).shm.allPages = value;
    },
  ),
  ulong(
    'kernel/shmmax',
    (k) => currentIpc(k).shm.maxBytes,
    (k, value) => {
      currentIpc(k).shm.maxBytes = value;
    },
  ),
  ranged(
    'kernel/shmmni',
    IPCMNI,
    (k) => currentIpc(k).shm.maxSegments,
    (k, value) => {
      currentIpc(k).shm.maxSegments = value;
    },
  ),
];
