import type { Kernel } from './kernel.ts';

/** Numbers of the namespaces that unshare and clone make count on from here: behind all numbers of /proc's own entries. */
const FIRST_INO = 0xf001_0000;

/** proc_alloc_inum. */
export function namespaceIno(k: Kernel): number {
  return FIRST_INO + k.lastNamespace++;
}
