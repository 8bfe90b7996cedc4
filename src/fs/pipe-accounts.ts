import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../abi/capability.ts';
import { assert } from '../base/assert.ts';
import type { Caller } from './fs-core.ts';

/** PIPE_MIN_DEF_BUFFERS: what a new pipe gets beyond the soft limit. */
const MIN_SLOTS = 2;

const can = (caller: Caller, capability: number): boolean => (caller.capEffective[0] & (1 << capability)) !== 0;

/**
 * How many pages the pipes of each user may hold, and do (fs/pipe.c, 6.18: user->pipe_bufs and the sysctls fs.pipe-*).
 *
 * Invariant: pagesOf(uid) is the sum of slotCount of the pipes that the user made and that live.
 */
export class PipeAccounts {
  /** pipe-max-size, in bytes. */
  maxSizeBytes = 1 << 20;
  /** pipe-user-pages-soft and -hard; 0: no limit. */
  userPagesSoft = 16384;
  userPagesHard = 0;
  private readonly pages = new Map<number, number>();

  pagesOf(uid: number): number {
    return this.pages.get(uid) ?? 0;
  }

  charge(uid: number, slots: number): void {
    const next = this.pagesOf(uid) + slots;
    assert(next >= 0, 'fs/pipe-accounts.ts: a user gives back what was charged');
    if (next === 0) this.pages.delete(uid);
    else this.pages.set(uid, next);
  }

  /** alloc_pipe_info: the slots that a new pipe gets, now charged; 0 where the hard limit refuses it. */
  admitNew(caller: Caller, wanted: number): number {
    let slots = wanted;
    if (slots * 4096 > this.maxSizeBytes && !can(caller, CAP_SYS_RESOURCE))
      slots = Math.floor(this.maxSizeBytes / 4096);
    const isBound = !isPrivileged(caller);
    if (isBound && isOver(this.userPagesSoft, this.pagesOf(caller.uid) + slots)) slots = MIN_SLOTS;
    if (isBound && isOver(this.userPagesHard, this.pagesOf(caller.uid) + slots)) return 0;
    this.charge(caller.uid, slots);
    return slots;
  }

  /** pipe_set_size: may a pipe of `owner` grow from `slots` to `wanted`? */
  mayGrow(caller: Caller, owner: number, slots: number, wanted: number): boolean {
    if (wanted <= slots) return true;
    if (wanted * 4096 > this.maxSizeBytes && !can(caller, CAP_SYS_RESOURCE)) return false;
    const total = this.pagesOf(owner) - slots + wanted;
    return isPrivileged(caller) || !(isOver(this.userPagesHard, total) || isOver(this.userPagesSoft, total));
  }
}

function isOver(limit: number, pages: number): boolean {
  return limit !== 0 && pages > limit;
}

/** pipe_is_unprivileged_user. */
function isPrivileged(caller: Caller): boolean {
  return can(caller, CAP_SYS_RESOURCE) || can(caller, CAP_SYS_ADMIN);
}
