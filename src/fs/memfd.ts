import { EINVAL } from '../abi/errno.ts';
import {
  F_SEAL_EXEC,
  F_SEAL_SEAL,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_NOEXEC_SEAL,
  O_RDWR,
} from '../abi/fcntl.ts';
import { S_IFREG } from '../abi/stat.ts';
import { makeAnonPath } from './anon-fs.ts';
import type { File } from './file.ts';
import type { FsCore } from './fs-core.ts';
import type { MemorySuperblock } from './memory-superblock.ts';
import { byteLength } from './path.ts';

/** MFD_NAME_MAX_LEN: NAME_MAX less "memfd:". */
const NAME_BYTES = 249;

/** memfd_create (mm/memfd.c): a file in RAM without a name. `superblock` is the kernel's own tmpfs. */
export function makeMemfd(core: FsCore, superblock: MemorySuperblock, name: string, flags: number): File | number {
  if ((flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC | MFD_NOEXEC_SEAL)) !== 0) return -EINVAL;
  if ((flags & MFD_EXEC) !== 0 && (flags & MFD_NOEXEC_SEAL) !== 0) return -EINVAL;
  if (byteLength(name) > NAME_BYTES) return -EINVAL;
  const path = makeAnonPath(core, 'shm', `/memfd:${name} (deleted)`, () => {
    const inode = superblock.makeInode(S_IFREG | 0o777);
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
