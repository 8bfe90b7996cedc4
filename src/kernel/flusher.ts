import type { Kernel } from './kernel.ts';

const NS_PER_CENTISEC = 10_000_000;

/**
 * Write-back on virtual time: armed while there are dirty pages of files with a backing, so that an idle machine has no timer
 * of it; at once where there is too much. Never keeps the machine alive.
 */
export function armFlusher(k: Kernel): void {
  const { pageCache, alloc } = k.mm;
  if (pageCache.needsFlusher) {
    pageCache.needsFlusher = false;
    k.timers.add(k.clock.nowNs, 'kthread', k.flusherTid, 0);
  }
  const { writebackCentisecs } = pageCache.dirty;
  if (k.flusherArmed || alloc.stat.nr_dirty === 0 || writebackCentisecs === 0) return;
  k.flusherArmed = true;
  k.timers.add(k.clock.nowNs + writebackCentisecs * NS_PER_CENTISEC, 'kthread', k.flusherTid, 1);
}

/** wb_workfn: the flusher's body, run at its timer in its own name; it needs no address space and borrows the active one. */
export function runFlusher(k: Kernel, cause: 'periodic' | 'too much'): void {
  if (cause === 'periodic') k.flusherArmed = false;
  const before = k.events.currentPid;
  k.events.currentPid = k.flusherTid;
  k.mm.pageCache.flush();
  k.events.currentPid = before;
  armFlusher(k);
}
