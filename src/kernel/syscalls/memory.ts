import { EBADF, EFAULT, EINVAL, ENOMEM, ENOSPC } from '../../abi/errno.ts';
import { MAP_ANONYMOUS, MLOCK_ONFAULT } from '../../abi/mman.ts';
import { isPageAligned, pagesOf } from '../../machine/units.ts';
import { brk as setBrk } from '../../mm/ops/brk.ts';
import { madvise as adviseMemory } from '../../mm/ops/madvise.ts';
import { mincore as residentPages } from '../../mm/ops/mincore.ts';
import { mlock as lockMemory, mlockall, munlock, munlockall } from '../../mm/ops/mlock.ts';
import { mmap as mapMemory } from '../../mm/ops/mmap.ts';
import { mprotect as protectMemory } from '../../mm/ops/mprotect.ts';
import { mremap as remapMemory } from '../../mm/ops/mremap.ts';
import { mseal } from '../../mm/ops/mseal.ts';
import { msync as syncMemory } from '../../mm/ops/msync.ts';
import { munmap as unmapMemory } from '../../mm/ops/munmap.ts';
import { remapFilePages } from '../../mm/ops/remap-file-pages.ts';
import { writeBytes } from '../user-structs.ts';
import { userfaultfd } from '../userfaultfd.ts';
import { processMadvise } from './process-madvise.ts';
import { processMrelease } from './process-mrelease.ts';
import { row, type SyscallRow, type SyscallRun } from './row.ts';
import { fileAt, spaceOf } from './user.ts';

/** System calls on the address space: each decodes and calls its operation in mm/ops. */

const mmap: SyscallRun = (k, t, address, length, prot, flags, fd, offset) => {
  // arch/riscv/kernel/sys_riscv.c: the offset is in bytes and must be whole pages.
  if (!isPageAligned(offset)) return -EINVAL;
  let file = null;
  if ((flags & MAP_ANONYMOUS) === 0) {
    const found = fileAt(t, fd);
    if (typeof found === 'number') return -EBADF;
    file = found;
  }
  return mapMemory(k.mm, spaceOf(t), { address, lengthBytes: length, prot, flags, file, offsetBytes: offset });
};

const munmap: SyscallRun = (k, t, address, length) => unmapMemory(k.mm, spaceOf(t), address, length);
const mprotect: SyscallRun = (k, t, address, length, prot) => protectMemory(k.mm, spaceOf(t), address, length, prot);
const brk: SyscallRun = (k, t, address) => setBrk(k.mm, spaceOf(t), address);
const madvise: SyscallRun = (k, t, address, length, advice) => adviseMemory(k.mm, spaceOf(t), address, length, advice);
const msync: SyscallRun = (k, t, address, length, flags) => syncMemory(k.mm, spaceOf(t), address, length, flags);
const mremap: SyscallRun = (k, t, oldAddress, oldSize, newSize, flags, newAddress) =>
  remapMemory(k.mm, spaceOf(t), oldAddress, oldSize, newSize, flags, newAddress);

/** TASK_SIZE_MAX: what access_ok lets through, and finds out later that nothing is there. */
const MAX_ADDRESS = 2 ** 63;

const mincore: SyscallRun = (k, t, address, length, vector) => {
  if (!isPageAligned(address)) return -EINVAL;
  if (address + length > MAX_ADDRESS) return -ENOMEM;
  // access_ok: the whole vector, before anything is looked at.
  if (vector + pagesOf(length) > MAX_ADDRESS) return -EFAULT;
  return residentPages(k.mm, spaceOf(t), address, length, (index, bytes) => writeBytes(k, t, vector + index, bytes));
};

const mlock: SyscallRun = (k, t, address, length) => lockMemory(k.mm, spaceOf(t), address, length, 0);
const mlock2: SyscallRun = (k, t, address, length, flags) =>
  (flags & ~MLOCK_ONFAULT) !== 0 ? -EINVAL : lockMemory(k.mm, spaceOf(t), address, length, flags);

/** No architecture here has protection keys: every key but -1 ("none", which is mprotect) is unknown, and there is none to give. */
const pkeyMprotect: SyscallRun = (k, t, address, length, prot, key) =>
  protectMemory(k.mm, spaceOf(t), address, length, prot, key === -1 ? 'none' : 'unknown');
const PKEY_ACCESS_MASK = 3;
const pkeyAlloc: SyscallRun = (_k, _t, flags, rights) =>
  flags !== 0 || (rights & ~PKEY_ACCESS_MASK) !== 0 || rights > PKEY_ACCESS_MASK ? -EINVAL : -ENOSPC;
const pkeyFree: SyscallRun = () => -EINVAL;

export const memoryCalls: readonly SyscallRow[] = [
  row('mmap', ['ptr', 'size', 'flags:prot', 'flags:map', 'fd', 'off'], mmap),
  row('munmap', ['ptr', 'size'], munmap),
  row('mprotect', ['ptr', 'size', 'flags:prot'], mprotect),
  row('pkey_mprotect', ['ptr', 'size', 'flags:prot', 'int'], pkeyMprotect),
  row('pkey_alloc', ['ulong', 'ulong'], pkeyAlloc),
  row('pkey_free', ['int'], pkeyFree),
  row('mremap', ['ptr', 'size', 'size', 'uint', 'ptr'], mremap),
  row('brk', ['ptr'], brk),
  row(
    'madvise',
    ['ptr', 'size', 'int'],
    madvise,
    'no MADV_HWPOISON and MADV_SOFT_OFFLINE, as without CONFIG_MEMORY_FAILURE',
  ),
  row('msync', ['ptr', 'size', 'int'], msync),
  row('mincore', ['ptr', 'size', 'ptr'], mincore),
  row('mlock', ['ptr', 'size'], mlock),
  row('mlock2', ['ptr', 'size', 'int'], mlock2),
  row('munlock', ['ptr', 'size'], (k, t, address, length) => munlock(k.mm, spaceOf(t), address, length)),
  row('mlockall', ['int'], (k, t, flags) => mlockall(k.mm, spaceOf(t), flags)),
  row('munlockall', [], (k, t) => munlockall(k.mm, spaceOf(t))),
  row(
    'remap_file_pages',
    ['ptr', 'size', 'flags:prot', 'ulong', 'flags:map'],
    (k, t, address, length, prot, pgoff, flags) =>
      remapFilePages(k.mm, spaceOf(t), address, length, prot, pgoff, flags),
  ),
  row('mseal', ['ptr', 'size', 'ulong'], (k, t, address, length, flags) =>
    mseal(k.mm, spaceOf(t), address, length, flags),
  ),
  row('userfaultfd', ['flags:open'], userfaultfd, 'not for huge pages'),
  row('process_mrelease', ['int', 'uint'], processMrelease),
  row('process_madvise', ['fd', 'ptr', 'ulong', 'int', 'uint'], processMadvise),
];
