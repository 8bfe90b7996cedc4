import { S_IFCHR } from '../abi/stat.ts';
import {
  DEV_CONSOLE,
  DEV_FULL,
  DEV_NULL,
  DEV_RANDOM,
  DEV_TTY,
  DEV_URANDOM,
  DEV_USERFAULTFD,
  DEV_ZERO,
} from './char-devices.ts';
import type { FsCore } from './fs-core.ts';
import type { MemoryInode } from './memory-inode.ts';
import { MemorySuperblock } from './memory-superblock.ts';

const NODES: readonly (readonly [name: string, mode: number, rdev: number])[] = [
  ['null', 0o666, DEV_NULL],
  ['zero', 0o666, DEV_ZERO],
  ['full', 0o666, DEV_FULL],
  ['random', 0o666, DEV_RANDOM],
  ['urandom', 0o666, DEV_URANDOM],
  ['tty', 0o666, DEV_TTY],
  ['console', 0o600, DEV_CONSOLE],
  ['userfaultfd', 0o600, DEV_USERFAULTFD],
];
const LINKS: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
];

/** devtmpfs: the root folder of /dev with its nodes, or -ENOMEM. /dev/shm is where a tmpfs is mounted. */
export function makeDevRoot(core: FsCore): MemoryInode | number {
  const superblock = new MemorySuperblock(core, { fsType: 'devtmpfs' });
  const root = superblock.makeInode(0o040755);
  if (typeof root === 'number') return root;
  let error = 0;
  const note = (result: unknown) => {
    if (typeof result === 'number' && result < 0) error = result;
  };
  for (const [name, mode, rdev] of NODES) note(root.mknod(name, S_IFCHR | mode, rdev));
  for (const [name, target] of LINKS) note(root.symlink(name, target));
  note(root.mkdir('shm', 0o755));
  if (error === 0) return root;
  superblock.killTree(root);
  return error;
}
