import type { Siginfo } from './siginfo.ts';
import { SigSet } from './sigset.ts';

/** struct sigpending: the set, and the queued infos in order of arrival. A signal without a queued info reads as SI_USER 0. */
export class PendingSignals {
  readonly set = new SigSet();
  readonly queue: Siginfo[] = [];

  /** Removes all of one signal (flush_sigqueue_mask). */
  discard(signo: number): void {
    if (!this.set.has(signo)) return;
    this.set.delete(signo);
    for (let i = this.queue.length - 1; i >= 0; i--) if (this.queue[i].signo === signo) this.queue.splice(i, 1);
  }

  clear(): void {
    this.set.set(0, 0);
    this.queue.length = 0;
  }
}
