import { ELOOP, ENOENT } from '../../abi/errno.ts';
import { PathRef } from '../../fs/path.ts';
import type { Kernel } from '../kernel.ts';
import type { PidNamespace } from '../pid-namespace.ts';
import type { Task } from '../task.ts';
import { mayLookAt } from './current-task.ts';
import { ProcInode, type ProcInodeParts } from './proc-inode.ts';

/** What such a link says, in the numbers of a pid namespace; -ERRNO. */
export type TextTarget = (k: Kernel, pidNs: PidNamespace) => string | number;

/** A link with a text, made up at each look: self, thread-self, mounts. */
export class ProcTextLink extends ProcInode {
  private readonly target: TextTarget;

  /** `target` is a function of a module, not a closure. */
  constructor(parts: ProcInodeParts, target: TextTarget) {
    super(parts);
    this.target = target;
  }

  override readlink(): string | number {
    return this.target(this.k, this.superblock.pidNs);
  }
  open(): number {
    return -ELOOP;
  }
}

/** Where a magic link leads: a place to be held until it is used, or -ERRNO. */
export type MagicTarget = (k: Kernel, t: Task) => PathRef | number;

/**
 * A link that leads to a place itself and not by its name (proc_pid_link): it works for what has no name any more. Only who may
 * trace the task sees where.
 */
export class ProcMagicLink extends ProcInode {
  private readonly target: MagicTarget;

  constructor(parts: ProcInodeParts, target: MagicTarget) {
    super(parts);
    this.target = target;
  }

  override followMagic(): PathRef | number {
    const { task } = this;
    if (task === null) return -ENOENT;
    const refused = mayLookAt(this.k, task);
    return refused < 0 ? refused : this.target(this.k, task);
  }

  override readlink(): string | number {
    const place = this.followMagic();
    return place instanceof PathRef ? place.displayPath() : place;
  }

  open(): number {
    return -ELOOP;
  }
}
