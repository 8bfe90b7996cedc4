import { ENXIO } from '../abi/errno.ts';
import { S_IFCHR, S_IFIFO } from '../abi/stat.ts';
import type { File } from './file.ts';
import type { PathRef } from './path.ts';
import { openFifo } from './pipe.ts';

/** Opens a FIFO, device or socket node, on whatever file system it lies (init_special_inode). */
export function openSpecial(path: PathRef, flags: number): File | number {
  const { inode } = path;
  if (inode.type === S_IFIFO) return openFifo(inode, path, flags);
  if (inode.type === S_IFCHR) return inode.superblock.core.devices.open(path, flags);
  return -ENXIO;
}
