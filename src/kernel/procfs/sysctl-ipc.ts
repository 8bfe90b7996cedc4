import { EINVAL, ERANGE } from '../../abi/errno.ts';
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
  const { sem } = k.ipc;
  const words = text.trim().split(/\s+/).slice(0, 4).map(parseInteger);
  if (words.some((value) => value === null)) return -EINVAL;
  const [perSet = sem.perSet, all = sem.all, opsPerCall = sem.opsPerCall, maxSets = sem.maxSets] = words as number[];
  if (maxSets < 0 || maxSets > IPCMNI) return -ERANGE;
  Object.assign(sem, { perSet, all, opsPerCall, maxSets });
  return 0;
}

/** IPCMNI: ids have 15 bits for the index. */
const IPCMNI = 32768;

/** /proc/sys/kernel/shm*, sem and msg* (6.18, ipc/ipc_sysctl.c). The next id cannot be chosen (it is for checkpoint and restore). */
export const IPC_SYSCTLS: readonly SysctlRow[] = [
  ranged(
    'kernel/msgmax',
    0x7fff_ffff,
    (k) => k.ipc.msg.maxBytes,
    (k, value) => {
      k.ipc.msg.maxBytes = value;
    },
  ),
  ranged(
    'kernel/msgmnb',
    0x7fff_ffff,
    (k) => k.ipc.msg.queueBytes,
    (k, value) => {
      k.ipc.msg.queueBytes = value;
    },
  ),
  ranged(
    'kernel/msgmni',
    IPCMNI,
    (k) => k.ipc.msg.maxQueues,
    (k, value) => {
      k.ipc.msg.maxQueues = value;
    },
  ),
  {
    path: 'kernel/sem',
    kind: 'number',
    read: ({ ipc: { sem } }) => [sem.perSet, sem.all, sem.opsPerCall, sem.maxSets].join('\t'),
    write: (k, text) => writeSemLimits(k, text),
  },
  ranged(
    'kernel/shm_rmid_forced',
    1,
    (k) => k.ipc.shm.rmidForced,
    (k, value) => {
      k.ipc.shm.rmidForced = value as 0 | 1;
      if (value === 1) destroyOrphans(k.ipc.shm);
    },
  ),
  { path: 'kernel/shm_next_id', kind: 'number', read: () => -1, write: null },
  ulong(
    'kernel/shmall',
    (k) => k.ipc.shm.allPages,
    (k, value) => {
      k.ipc.shm.allPages = value;
    },
  ),
  ulong(
    'kernel/shmmax',
    (k) => k.ipc.shm.maxBytes,
    (k, value) => {
      k.ipc.shm.maxBytes = value;
    },
  ),
  ranged(
    'kernel/shmmni',
    IPCMNI,
    (k) => k.ipc.shm.maxSegments,
    (k, value) => {
      k.ipc.shm.maxSegments = value;
    },
  ),
];
