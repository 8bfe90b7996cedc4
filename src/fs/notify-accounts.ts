import { assert } from '../base/assert.ts';

type Counted = 'instances' | 'watches';

/**
 * How many inotify instances and watches each user has and may have (6.18: fs/notify/inotify/inotify_user.c, the ucounts
 * UCOUNT_INOTIFY_*), and how many inodes are watched at all: where none is, an operation on a file asks no further.
 *
 * Invariant: watchCount is the number of watches on the machine, each of which stands in `watches` of its inode.
 */
export class NotifyAccounts {
  /** fs.inotify.max_queued_events, max_user_instances, max_user_watches. */
  maxQueuedEvents = 16384;
  maxUserInstances = 128;
  maxUserWatches: number;
  watchCount = 0;
  /** Number of the last rename (fsnotify_get_cookie). */
  lastCookie = 0;
  private readonly counts = { instances: new Map<number, number>(), watches: new Map<number, number>() };

  /** inotify_user_setup: watches may take a hundredth of memory, each the size of an inode twice; at least 8192. */
  constructor(totalPages: number) {
    const bytesEach = 2 * 608 + 80;
    this.maxUserWatches = Math.min(1_048_576, Math.max(8192, Math.floor((totalPages * 4096) / 100 / bytesEach)));
  }

  /** False where the user's limit is reached. */
  charge(what: Counted, uid: number): boolean {
    const count = this.counts[what].get(uid) ?? 0;
    if (count >= (what === 'instances' ? this.maxUserInstances : this.maxUserWatches)) return false;
    this.counts[what].set(uid, count + 1);
    if (what === 'watches') this.watchCount++;
    return true;
  }

  uncharge(what: Counted, uid: number): void {
    const count = this.counts[what].get(uid) ?? 0;
    assert(count > 0, 'fs/notify-accounts.ts: a user gives back what was charged');
    if (count === 1) this.counts[what].delete(uid);
    else this.counts[what].set(uid, count - 1);
    if (what === 'watches') this.watchCount--;
  }
}
