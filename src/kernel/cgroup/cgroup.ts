import type { Memcg } from '../../mm/memcg/memcg.ts';
import type { PsiGroup } from '../psi/psi-group.ts';
import type { Task } from '../task.ts';

/** The controllers that this kernel has, in Linux's order (include/linux/cgroup_subsys.h). */
export const CONTROLLERS = ['memory', 'pids'] as const;
export type Controller = (typeof CONTROLLERS)[number];
/** Those that threads of one process may be under apart (cgrp_dfl_threaded_ss_mask). */
const THREADED_CONTROLLERS: readonly Controller[] = ['pids'];

/** What a cgroup's pids controller counts and allows (struct pids_cgroup). */
export interface PidsState {
  current: number;
  peak: number;
  max: number;
  /** Forks that its limit, or one above it, refused; and those that its own refused, with what happened below. */
  localEvents: number;
  events: number;
}

export const newPidsState = (): PidsState => ({
  current: 0,
  peak: 0,
  max: Number.POSITIVE_INFINITY,
  localEvents: 0,
  events: 0,
});

/** Of userNs, niceNs was spent with a nice value above 0. */
export interface CgroupCpu {
  userNs: number;
  niceNs: number;
  systemNs: number;
}

/** Owner and rights of a file of the directory, where somebody changed them. */
export interface FileAttributes {
  mode: number;
  uid: number;
  gid: number;
}

/**
 * One cgroup: a directory of the hierarchy (Linux: struct cgroup, kernel/cgroup/cgroup.c). Plain data; the files beside this one
 * change it.
 *
 * Invariants (checked by check-cgroups.ts):
 *  CG1 tasks holds the tasks that have not exited whose `cgroup` it is, in the order of their coming.
 *  CG2 populatedCount = (it has tasks ? 1 : 0) + its children that are populated.
 *  CG3 A controller is in subtreeControl only where the cgroup has it itself; memcg and pids are its own exactly where its parent's
 *      subtreeControl says so, else the parent's (memcg) or null (pids).
 *  CG4 A cgroup with domain controllers in subtreeControl has no tasks, the root apart.
 *  CG5 The `psi` of each of its tasks is its own, whose parent is the psi of the cgroup above.
 */
export class Cgroup {
  /** Inode of its directory; its files' follow. */
  readonly ino: number;
  readonly name: string;
  readonly parent: Cgroup | null;
  readonly children = new Map<string, Cgroup>();
  readonly tasks = new Set<Task>();
  readonly subtreeControl = new Set<Controller>();
  /** Where its memory is charged: its own, or the nearest above it. */
  memcg: Memcg;
  /** What its tasks and those below wait for; the root's is the machine's. */
  readonly psi: PsiGroup;
  pids: PidsState | null = null;
  /** 'threaded': its tasks are threads of processes of the domain above it. */
  kind: 'domain' | 'threaded' = 'domain';
  isAlive = true;
  populatedCount = 0;
  maxDepth = Number.POSITIVE_INFINITY;
  maxDescendants = Number.POSITIVE_INFINITY;
  /** cgroup.freeze says so. */
  wantsFreeze = false;
  /** All of its tasks and those below are frozen (what cgroup.events shows). */
  isFrozen = false;
  frozenSinceNs = 0;
  frozenNs = 0;
  /** Processor time of its tasks while they were here, and of those below that are gone (struct cgroup_base_stat). */
  readonly cpu: CgroupCpu = { userNs: 0, niceNs: 0, systemNs: 0 };
  readonly attributes = new Map<string, FileAttributes>();
  /** Who made it: owns its files at first. */
  ownerUid = 0;
  ownerGid = 0;

  constructor(options: { ino: number; name: string; parent: Cgroup | null; memcg: Memcg; psi: PsiGroup }) {
    this.ino = options.ino;
    this.name = options.name;
    this.parent = options.parent;
    this.memcg = options.memcg;
    this.psi = options.psi;
  }

  get isRoot(): boolean {
    return this.parent === null;
  }

  get isPopulated(): boolean {
    return this.populatedCount > 0;
  }

  /** Its path from the root, '/' for that. */
  get path(): string {
    if (this.parent === null) return '/';
    return this.parent.isRoot ? `/${this.name}` : `${this.parent.path}/${this.name}`;
  }

  get level(): number {
    return this.parent === null ? 0 : this.parent.level + 1;
  }

  isWithin(ancestor: Cgroup): boolean {
    for (let cgroup: Cgroup | null = this; cgroup !== null; cgroup = cgroup.parent)
      if (cgroup === ancestor) return true;
    return false;
  }

  /** cgroup_control: the controllers that it may hand on. */
  get controllers(): readonly Controller[] {
    if (this.parent === null) return CONTROLLERS;
    const { subtreeControl } = this.parent;
    return CONTROLLERS.filter((name) => subtreeControl.has(name) && (this.kind === 'domain' || isThreaded(name)));
  }

  hasController(name: Controller): boolean {
    return this.controllers.includes(name);
  }

  /** dom_cgrp: the cgroup itself, or of a threaded one the domain that it belongs to. */
  get domain(): Cgroup {
    return this.kind === 'threaded' && this.parent !== null ? this.parent.domain : this;
  }

  /** cgroup_is_thread_root: a domain with threaded children, or with tasks and threaded controllers for its children. */
  get isThreadRoot(): boolean {
    if (this.kind === 'threaded') return false;
    for (const child of this.children.values()) if (child.kind === 'threaded') return true;
    return this.tasks.size > 0 && this.subtreeControl.size > 0;
  }

  /** cgroup_can_be_thread_root. */
  get canBeThreadRoot(): boolean {
    if (this.isRoot) return true;
    if (this.kind === 'threaded') return false;
    for (const child of this.children.values()) if (child.kind === 'domain' && child.isPopulated) return false;
    return [...this.subtreeControl].every(isThreaded);
  }

  /** cgroup_is_valid_domain: a domain below a threaded one, or below the root of one, can hold nothing. */
  get isValidDomain(): boolean {
    if (this.kind === 'threaded') return false;
    for (let above = this.parent; above !== null; above = above.parent)
      if (above.kind === 'threaded' || (!above.isRoot && above.isThreadRoot)) return false;
    return true;
  }

  /** All below it, itself first, parents before children. */
  *subtree(): Generator<Cgroup> {
    yield this;
    for (const child of this.children.values()) yield* child.subtree();
  }
}

export function isThreaded(name: Controller): boolean {
  return THREADED_CONTROLLERS.includes(name);
}
