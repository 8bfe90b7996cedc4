import { EV_KSWAPD_SLEEP, EV_KSWAPD_WAKE } from '../base/event-kinds.ts';
import type { KswapdWaker } from '../mm/phys/reclaimer.ts';
import { WMARK_HIGH } from '../mm/phys/zone.ts';
import type { Kernel } from './kernel.ts';
import { outOfMemory } from './oom.ts';

/** Pages that one round is to free at least (SWAP_CLUSTER_MAX). */
const BATCH = 32;
/** From its waking until it runs. Whoever woke it goes on meanwhile. */
const WAKE_LATENCY_NS = 2_000;
/**
 * How often it lets the running task go first, as long as that one has not retired an instruction: it could take the page that a fault
 * has just brought before the instruction has used it, for ever. An instruction needs a few pages at most.
 */
const MAX_GIVEN_WAYS = 16;
/** Runs in vain after which it is not woken any more, until somebody else could free something. */
const MAX_RECLAIM_RETRIES = 16;

/**
 * kswapd0 (6.18, mm/vmscan.c): an allocation that found a zone below its low mark wakes it; it reclaims until all zones are above
 * the high one, or nothing more can be freed. A kernel thread without a space of its own, run at a timer in its own name as the flusher is. Plain data but for
 * the kernel that it belongs to.
 */
export class Kswapd implements KswapdWaker {
  tid = 0;
  private isAwake = false;
  /** Runs in a row that freed nothing. */
  private failures = 0;
  /** Instructions that had retired when it was woken, or last gave way; and how often it has. */
  private retiredAtWake = 0;
  private givenWays = 0;
  private readonly k: Kernel;

  constructor(k: Kernel) {
    this.k = k;
  }

  /** wakeup_kswapd: it runs when the scheduler comes to it. */
  wake(): void {
    const { k } = this;
    if (this.isAwake || this.failures >= MAX_RECLAIM_RETRIES) return;
    this.isAwake = true;
    this.retiredAtWake = k.cpu.retired;
    this.givenWays = 0;
    this.startSoon();
  }

  private startSoon(): void {
    const { k } = this;
    k.timers.add(k.clock.nowNs + WAKE_LATENCY_NS, 'kthread', this.tid, 0);
  }

  /** A task runs that has not come a single instruction further since. */
  private get mustGiveWay(): boolean {
    const { k } = this;
    return k.running?.state === 'R' && k.cpu.retired === this.retiredAtWake && this.givenWays < MAX_GIVEN_WAYS;
  }

  noteProgress(): void {
    this.failures = 0;
  }

  /** balance_pgdat. */
  run(): void {
    if (this.mustGiveWay) {
      this.givenWays++;
      this.startSoon();
      return;
    }
    const { alloc, vmstat } = this.k.mm;
    const before = this.k.events.currentPid;
    this.k.events.currentPid = this.tid;
    vmstat.pageoutrun++;
    const { events } = this.k;
    if (events.enabled[EV_KSWAPD_WAKE] !== 0) events.emit(EV_KSWAPD_WAKE, this.missingPages);
    // What is being written will be free: kswapd waits for no device.
    while (this.missingPages > 0) {
      this.killForMinTtl();
      if (alloc.reclaimInBackground(Math.max(BATCH, this.missingPages)) === 0) {
        this.failures++;
        break;
      }
      this.failures = 0;
    }
    if (events.enabled[EV_KSWAPD_SLEEP] !== 0) events.emit(EV_KSWAPD_SLEEP, this.missingPages);
    this.k.events.currentPid = before;
    this.isAwake = false;
  }

  /** lru_gen_age_node: rather than to evict the working set of the last min_ttl_ms. */
  private killForMinTtl(): void {
    const { k } = this;
    const task = k.tasks.get(this.tid);
    if (task !== undefined && !k.mm.reclaimer.keepsMinTtl) outOfMemory(k, task.process);
  }

  /** How far the zones are below their high marks. */
  private get missingPages(): number {
    const { alloc, block } = this.k.mm;
    const missing = alloc.zones.reduce(
      (sum, zone) => sum + Math.max(0, zone.watermarks[WMARK_HIGH] + 1 - zone.freePages),
      0,
    );
    return missing - block.freeingPages;
  }
}
