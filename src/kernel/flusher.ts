import type { Kernel } from './kernel.ts';

/** vm.dirty_writeback_centisecs: how long after the first dirty page the flusher looks. */
const WRITEBACK_INTERVAL_NS = 5_000_000_000;

/**
 * Write-back on virtual time: armed while there are dirty pages of files with a backing, so that an idle machine has no timer
 * of it. Never keeps the machine alive.
 */
export function armFlusher(k: Kernel): void {
  if (k.flusherArmed || k.mm.alloc.stat.nr_dirty === 0) return;
  k.flusherArmed = true;
  k.timers.add(k.clock.nowNs + WRITEBACK_INTERVAL_NS, 'kthread', k.flusherTid, 0);
}

/** wb_workfn: the flusher's body, run at its timer in its own name; it needs no address space and borrows the active one. */
export function runFlusher(k: Kernel): void {
  k.flusherArmed = false;
  const before = k.events.currentPid;
  k.events.currentPid = k.flusherTid;
  k.mm.pageCache.writebackAll();
  k.events.currentPid = before;
  armFlusher(k);
}
