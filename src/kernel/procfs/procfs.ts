import { ENOENT, ENOMEM } from '../../abi/errno.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID } from '../../abi/mount.ts';
import { type PathRef, resolve } from '../../fs/path.ts';
import type { Kernel } from '../kernel.ts';
import type { PidNamespace } from '../pid-namespace.ts';
import { ProcSuperblock } from './proc-superblock.ts';
import { ProcRoot } from './root-dir.ts';

/** Mounts procfs on the folder /proc, which is made where it lacks. 0 or -ERRNO. Called once, after the kernel is there. */
export function mountProcfs(k: Kernel): number {
  const { vfs } = k;
  const context = vfs.makeContext();
  try {
    let at = resolve(context, null, '/proc', 'follow');
    if (at === -ENOENT) {
      const made = vfs.mkdir(context, null, '/proc', 0o555);
      if (made < 0) return made;
      at = resolve(context, null, '/proc', 'follow');
    }
    if (typeof at === 'number') return at;
    k.config.rng.fill(k.bootId);
    const superblock = new ProcSuperblock(k, k.initialPid);
    return mountOn(k, superblock, at, MS_NOSUID | MS_NODEV | MS_NOEXEC, 'proc');
  } finally {
    context.release();
  }
}

function mountOn(k: Kernel, superblock: ProcSuperblock, at: PathRef, flags: number, source: string): number {
  const slot = superblock.slots.alloc();
  if (slot === 0) return -ENOMEM;
  const inode = new ProcRoot(superblock, slot);
  inode.retain();
  const mount = k.vfs.mountInode(inode, at, flags, source);
  inode.release();
  return typeof mount === 'number' ? mount : 0;
}

/** mount(2) of a procfs (6.18, fs/proc/root.c): it shows the tasks of a pid namespace. */
export function mountProcfsAt(k: Kernel, pidNs: PidNamespace, at: PathRef, flags: number, source: string): number {
  return mountOn(k, new ProcSuperblock(k, pidNs), at, flags, source);
}
