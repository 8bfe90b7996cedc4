import type { WaitQueue } from '../../base/wait-queue.ts';

/** struct sigaction of the kernel ABI. `handler` 0 is SIG_DFL, 1 SIG_IGN. */
export interface SigAction {
  handler: number;
  flags: number;
  restorer: number;
  maskLow: number;
  maskHigh: number;
}

/** sighand_struct: the actions of signals 1 to 64, shared by tasks made with CLONE_SIGHAND. */
export class Sighand {
  readonly slot: number;
  users = 1;
  readonly actions: SigAction[];
  /** Who waits for signals by a signalfd (signalfd_wqh); made at the first wait. */
  readers: WaitQueue | null = null;

  constructor(slot: number, from: Sighand | null) {
    this.slot = slot;
    this.actions = [];
    for (let i = 0; i <= 64; i++) {
      this.actions.push(
        from === null ? { handler: 0, flags: 0, restorer: 0, maskLow: 0, maskHigh: 0 } : { ...from.actions[i] },
      );
    }
  }
}
