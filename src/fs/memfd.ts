import { EACCES, EINVAL, ENODEV } from '../abi/errno.ts';
import {
  F_SEAL_EXEC,
  F_SEAL_SEAL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_HUGETLB,
  MFD_NOEXEC_SEAL,
  O_RDWR,
} from '../abi/fcntl.ts';
import { S_IFREG } from '../abi/stat.ts';
import { makeAnonPath } from './anon-fs.ts';
import type { File } from './file.ts';
import type { FsCore } from './fs-core.ts';
import { HugetlbfsSuperblock } from './hugetlbfs.ts';
import type { MemorySuperblock } from './memory-superblock.ts';
import { byteLength } from './path.ts';

const MFD_HUGE_SHIFT = 26;
const MFD_HUGE_MASK = 0x3f;
/** MFD_NAME_MAX_LEN: NAME_MAX less "memfd:". */
const NAME_BYTES = 249;

/** memfd_create (mm/memfd.c): a file in RAM without a name. `superblock` is the kernel's own tmpfs. */
export function makeMemfd(core: FsCore, superblock: MemorySuperblock, name: string, asked: number): File | number {
  let flags = asked;
  const known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC | MFD_NOEXEC_SEAL | MFD_HUGETLB;
  const sizeMask = (flags & MFD_HUGETLB) !== 0 ? MFD_HUGE_MASK << MFD_HUGE_SHIFT : 0;
  if ((flags & ~(known | sizeMask)) !== 0) return -EINVAL;
  if ((flags & MFD_EXEC) !== 0 && (flags & MFD_NOEXEC_SEAL) !== 0) return -EINVAL;
  // check_sysctl_memfd_noexec.
  if ((flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) === 0) flags |= core.memfdNoexec >= 1 ? MFD_NOEXEC_SEAL : MFD_EXEC;
  if ((flags & MFD_NOEXEC_SEAL) === 0 && core.memfdNoexec === 2) return -EACCES;
  if (byteLength(name) > NAME_BYTES) return -EINVAL;
  const source = (flags & MFD_HUGETLB) === 0 ? superblock : hugeSuperblock(core, flags >>> MFD_HUGE_SHIFT);
  if (typeof source === 'number') return source;
  const path = makeAnonPath(core, 'shm', `/memfd:${name} (deleted)`, () => {
    const inode = source.makeInode(S_IFREG | 0o777);
    if (typeof inode === 'number') return inode;
    inode.nlink = 0;
    inode.seals = (flags & MFD_ALLOW_SEALING) !== 0 ? 0 : F_SEAL_SEAL;
    if ((flags & MFD_NOEXEC_SEAL) !== 0) {
      inode.mode &= ~0o111;
      inode.seals = (inode.seals & ~F_SEAL_SEAL) | F_SEAL_EXEC;
    }
    return inode;
  });
  if (typeof path === 'number') return path;
  const file = path.inode.open(path, O_RDWR);
  if (typeof file === 'number') return file;
  path.inode.writeCount++;
  return file;
}

/** The kernel's own hugetlbfs mount of a page size (get_hstate_idx): -ENODEV where there is no such size. */
function hugeSuperblock(core: FsCore, shift: number): HugetlbfsSuperblock | number {
  const pool = core.mm.hugetlb.poolOfShift(shift);
  if (pool === null) return -ENODEV;
  const known = core.hugeMounts.get(pool.order);
  if (known !== undefined) return known;
  const made = HugetlbfsSuperblock.create(core, { pool, maxPages: null, minPages: null, maxInodes: null });
  if (typeof made !== 'number') core.hugeMounts.set(pool.order, made);
  return made;
}
