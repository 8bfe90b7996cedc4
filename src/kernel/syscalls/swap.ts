import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EINVAL, EPERM } from '../../abi/errno.ts';
import { SWAP_FLAGS_VALID } from '../../abi/swap.ts';
import { capable } from '../credentials.ts';
import { swapOffPath, swapOn } from '../swap-files.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { contextOf, pathArgument } from './user.ts';

const swapon: SyscallRun = (k, t, pathAddress, flags) => {
  if ((flags & ~SWAP_FLAGS_VALID) !== 0) return -EINVAL;
  if (!capable(t.cred, CAP_SYS_ADMIN)) return -EPERM;
  const path = pathArgument(k, t, pathAddress);
  return typeof path === 'number' ? path : swapOn(k, contextOf(t), path, flags);
};

const swapoff: SyscallRun = (k, t, pathAddress) => {
  if (!capable(t.cred, CAP_SYS_ADMIN)) return -EPERM;
  const path = pathArgument(k, t, pathAddress);
  return typeof path === 'number' ? path : swapOffPath(k, contextOf(t), path);
};

export const swapCalls: readonly SyscallRow[] = [
  {
    name: 'swapon',
    args: ['path', 'int'],
    run: swapon,
    support: 'full',
    note: 'files of host folders (rw and overlay) and the device of --swap; tmpfs cannot hold swap: EINVAL',
  },
  { name: 'swapoff', args: ['path'], run: swapoff, support: 'full', note: '' },
];
