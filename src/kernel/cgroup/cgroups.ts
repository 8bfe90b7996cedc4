import { EAGAIN, EBUSY, EINVAL, ENODEV, ENOENT, ENOMEM, ENOSPC, EOPNOTSUPP } from '../../abi/errno.ts';
import type { Memcg } from '../../mm/memcg/memcg.ts';
import type { MemoryManager } from '../../mm/memory-manager.ts';
import { PsiGroup } from '../psi/psi-group.ts';
import type { Task } from '../task.ts';
import { Cgroup, CONTROLLERS, type Controller, isThreaded, newPidsState } from './cgroup.ts';
import { addCpu } from './cpu-stat.ts';
import type { CgroupNotifier } from './notifier.ts';
import { recountPids } from './pids.ts';

/** Inode numbers of a directory and its files: more than a directory ever has. */
const INOS_PER_CGROUP = 64;

/** The one hierarchy of a machine (cgrp_dfl_root). Directories are made and removed here, and controllers handed down. */
export class Cgroups {
  readonly root: Cgroup;
  /** Told when a file that is watched shows something else. Set by the file system. */
  notifier: CgroupNotifier | null = null;
  /** Options of the mounts: namespaces are borders; *.events count no descendants. */
  readonly options = { nsdelegate: false, localMemoryEvents: false, localPidsEvents: false };
  private readonly mm: MemoryManager;
  private nextIno: number;
  /** Memory cgroups that are offline and still charged: of a removed directory, or of one whose controller was taken back. */
  private dying: { readonly memcg: Memcg; readonly of: Cgroup }[] = [];

  constructor(mm: MemoryManager) {
    this.mm = mm;
    const psi = new PsiGroup(null, mm.clock.nowNs);
    this.root = new Cgroup({ ino: 1, name: '', parent: null, memcg: mm.memcgs.root, psi });
    this.nextIno = 1 + INOS_PER_CGROUP;
  }

  /** mkdir (cgroup_mkdir): -EINVAL for a line break, -EAGAIN beyond cgroup.max.*, -ENOSPC and -ENOMEM. */
  make(parent: Cgroup, name: string): Cgroup | number {
    if (name.includes('\n')) return -EINVAL;
    if (!parent.isAlive) return -ENODEV;
    if (!mayHaveChild(parent)) return -EAGAIN;
    const psi = new PsiGroup(parent.psi, this.mm.clock.nowNs);
    const cgroup = new Cgroup({ ino: this.nextIno, name, parent, memcg: parent.memcg, psi });
    if (parent.subtreeControl.has('memory')) {
      const memcg = this.mm.memcgs.create(parent.memcg);
      if (memcg === null) return -ENOSPC;
      cgroup.memcg = memcg;
    }
    if (parent.subtreeControl.has('pids')) cgroup.pids = newPidsState();
    this.nextIno += INOS_PER_CGROUP;
    parent.children.set(name, cgroup);
    return cgroup;
  }

  /** rmdir (cgroup_destroy_locked): -EBUSY while somebody is in it or below. */
  remove(cgroup: Cgroup): number {
    const { parent } = cgroup;
    if (parent === null) return -EBUSY;
    if (cgroup.isPopulated || cgroup.children.size > 0) return -EBUSY;
    cgroup.isAlive = false;
    addCpu(parent.cpu, cgroup.cpu);
    this.notifier?.cgroupGone(cgroup);
    parent.children.delete(cgroup.name);
    if (parent.subtreeControl.has('memory')) this.letGo(cgroup.memcg, cgroup);
    cgroup.pids = null;
    return 0;
  }

  private letGo(memcg: Memcg, of: Cgroup): void {
    this.mm.memcgs.offline(memcg);
    this.dying = this.dying.filter((each) => this.isThere(each.memcg));
    if (this.isThere(memcg)) this.dying.push({ memcg, of });
  }

  private isThere(memcg: Memcg): boolean {
    return this.mm.memcgs.memcgOf(memcg.id) === memcg;
  }

  /** nr_dying_descendants, nr_dying_subsys_memory: what is offline is in memory as long as something is charged to it. */
  dyingBelow(cgroup: Cgroup): { readonly cgroups: number; readonly memcgs: number } {
    const below = this.dying.filter(({ memcg, of }) => this.isThere(memcg) && of.isWithin(cgroup));
    return { cgroups: below.filter(({ of }) => !of.isAlive).length, memcgs: below.length };
  }

  /** The cgroup whose directory stands for the frame's payer (page_cgroup_ino): the nearest that is there. */
  cgroupOf(memcg: Memcg): Cgroup {
    const online = memcg.nearestOnline;
    for (const cgroup of this.root.subtree()) if (cgroup.memcg === online) return cgroup;
    return this.root;
  }

  /** Write to cgroup.subtree_control: `+memory -pids`. 0 or -ERRNO (cgroup_subtree_control_write). */
  control(cgroup: Cgroup, text: string): number {
    const wanted = new Map<Controller, 'enable' | 'disable'>();
    for (const word of text.split(' ').filter((each) => each !== '')) {
      const name = CONTROLLERS.find((each) => each === word.slice(1));
      if (name === undefined || (word[0] !== '+' && word[0] !== '-')) return -EINVAL;
      wanted.set(name, word[0] === '+' ? 'enable' : 'disable');
    }
    if (!cgroup.isAlive) return -ENODEV;
    const enable: Controller[] = [];
    const disable: Controller[] = [];
    for (const name of CONTROLLERS) {
      const how = wanted.get(name);
      if (how === 'enable' && !cgroup.subtreeControl.has(name)) {
        if (!cgroup.hasController(name)) return -ENOENT;
        enable.push(name);
      } else if (how === 'disable' && cgroup.subtreeControl.has(name)) {
        for (const child of cgroup.children.values()) if (child.subtreeControl.has(name)) return -EBUSY;
        disable.push(name);
      }
    }
    const refused = vetEnable(cgroup, enable);
    if (refused < 0) return refused;
    for (const name of enable) {
      const error = this.enable(cgroup, name);
      if (error < 0) return error;
    }
    for (const name of disable) this.disable(cgroup, name);
    return 0;
  }

  /** Every child has one of its own from now on (cgroup_apply_control_enable). */
  private enable(cgroup: Cgroup, name: Controller): number {
    if (name === 'pids') {
      cgroup.subtreeControl.add(name);
      for (const child of cgroup.children.values()) {
        child.pids = newPidsState();
        recountPids(child);
      }
      return 0;
    }
    const made: Memcg[] = [];
    for (const _ of cgroup.children) {
      const memcg = this.mm.memcgs.create(cgroup.memcg);
      if (memcg === null) {
        for (const each of made) this.mm.memcgs.offline(each);
        return -ENOMEM;
      }
      made.push(memcg);
    }
    cgroup.subtreeControl.add(name);
    for (const child of cgroup.children.values()) this.useMemcg(child, made.shift() as Memcg);
    return 0;
  }

  /** The children are the parent's business again; what was charged stays where it is, and dies with its last page. */
  private disable(cgroup: Cgroup, name: Controller): void {
    cgroup.subtreeControl.delete(name);
    for (const child of cgroup.children.values()) {
      if (name === 'pids') child.pids = null;
      else {
        const old = child.memcg;
        this.useMemcg(child, cgroup.memcg);
        this.letGo(old, child);
      }
    }
  }

  /** The cgroup, and all below it that have none of their own, charge to `memcg`. */
  private useMemcg(cgroup: Cgroup, memcg: Memcg): void {
    const old = cgroup.memcg;
    for (const each of cgroup.subtree()) {
      if (each.memcg !== old) continue;
      each.memcg = memcg;
      for (const task of each.tasks) followCgroup(this.mm, task);
    }
  }

  /** Nobody runs any more: what is left of the directories goes. */
  shutdown(): void {
    const all = [...this.root.subtree()].reverse();
    for (const cgroup of all) this.remove(cgroup);
  }
}

/** The space's payer is the cgroup of the process that owns it, and the running task's are its own charges. */
export function followCgroup(mm: MemoryManager, task: Task): void {
  const { memcg } = task.cgroup;
  if (mm.memcgs.account === task) mm.memcgs.current = memcg;
  if (task.space === null || task.process.leader !== task) return;
  // mm_update_next_owner: of processes that share a space (vfork, CLONE_VM) it is the oldest's.
  if (task.vforkParent === 0 || task.space.users === task.process.threads.length) task.space.memcg = memcg;
}

/** cgroup_check_hierarchy_limits. */
function mayHaveChild(parent: Cgroup): boolean {
  let depth = 1;
  for (let cgroup: Cgroup | null = parent; cgroup !== null; cgroup = cgroup.parent) {
    let descendants = -1;
    for (const _ of cgroup.subtree()) descendants++;
    if (descendants >= cgroup.maxDescendants || depth > cgroup.maxDepth) return false;
    depth++;
  }
  return true;
}

/** cgroup_vet_subtree_control_enable. */
function vetEnable(cgroup: Cgroup, enable: readonly Controller[]): number {
  if (enable.length === 0) return 0;
  if (!cgroup.domain.isValidDomain) return -EOPNOTSUPP;
  if (cgroup.isRoot) return 0;
  if (enable.every(isThreaded)) {
    if (cgroup.canBeThreadRoot || cgroup.kind === 'threaded') return 0;
  } else if (cgroup.isThreadRoot || cgroup.kind === 'threaded') return -EOPNOTSUPP;
  return cgroup.tasks.size > 0 ? -EBUSY : 0;
}
