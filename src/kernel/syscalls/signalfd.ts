import { EBADF, EFAULT, EINVAL } from '../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK } from '../../abi/fcntl.ts';
import { makeSignalFile, SignalFile } from '../signalfd.ts';
import { readSigSet, SIGSET_BYTES } from '../signals/mask.ts';
import type { SyscallRow, SyscallRun } from './row.ts';
import { fileAt, installFile } from './user.ts';

/** do_signalfd4: a descriptor of its own for -1, else another set for one that is there. */
const signalfd4: SyscallRun = (k, t, fd, address, size, flags) => {
  if (size !== SIGSET_BYTES) return -EINVAL;
  const set = readSigSet(k, t, address);
  if (typeof set === 'number') return -EFAULT;
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  if (fd !== -1) {
    const old = fileAt(t, fd);
    if (typeof old === 'number') return -EBADF;
    if (!(old instanceof SignalFile)) return -EINVAL;
    old.take(set);
    return fd;
  }
  const file = makeSignalFile(k, flags);
  if (typeof file === 'number') return file;
  file.take(set);
  return installFile(t, file, flags);
};

export const signalfdCalls: readonly SyscallRow[] = [
  { name: 'signalfd4', args: ['int', 'ptr', 'size', 'int'], run: signalfd4, support: 'full', note: '' },
];
