import type { Kernel } from '../kernel.ts';
import { namespaceIno } from '../namespace-ino.ts';
import type { UserNamespace } from '../user-namespace.ts';
import type { Cgroup } from './cgroup.ts';

/** PROC_CGROUP_INIT_INO. */
const INITIAL_INO = 0xefff_fffb;

/** struct cgroup_namespace (6.18, kernel/cgroup/namespace.c): the cgroup that its tasks take for the root. */
export class CgroupNamespace {
  readonly kind = 'cgroup';
  readonly ino: number;
  readonly root: Cgroup;
  readonly userNs: UserNamespace;

  constructor(root: Cgroup, userNs: UserNamespace, ino = INITIAL_INO) {
    this.root = root;
    this.userNs = userNs;
    this.ino = ino;
  }

  /** Nothing outside of the heap belongs to it: whoever has it may forget it. */
  retain(): void {}
  release(_k: Kernel): void {}

  /** The cgroup's path as it is seen from in here; `..` leads to what lies outside (kernfs_path_from_node). */
  pathOf(cgroup: Cgroup): string {
    let up = '';
    let above = this.root;
    while (!cgroup.isWithin(above) && above.parent !== null) {
      up += '/..';
      above = above.parent;
    }
    let down = '';
    for (let at = cgroup; at !== above && at.parent !== null; at = at.parent) down = `/${at.name}${down}`;
    return up + down === '' ? '/' : up + down;
  }
}

/** copy_cgroup_ns: where the task is now is the root. */
export function newCgroupNamespace(k: Kernel, root: Cgroup, userNs: UserNamespace): CgroupNamespace {
  return new CgroupNamespace(root, userNs, namespaceIno(k));
}
