import { STALL_MEMORY } from '../../mm/block/stall.ts';
import type { Memcg } from '../../mm/memcg/memcg.ts';
import type { PageCounter } from '../../mm/memcg/page-counter.ts';
import type { Kernel } from '../kernel.ts';
import { block } from '../scheduler.ts';
import type { Task } from '../task.ts';
import { UNINTERRUPTIBLE } from '../wait-state.ts';

/** The longest that one return to the program is delayed (MEMCG_MAX_HIGH_DELAY_JIFFIES). */
const MAX_DELAY_NS = 2_000_000_000;
/** Less is not worth a sleep: HZ / 100. */
const MIN_DELAY_NS = 10_000_000;
const MAX_RECLAIM_RETRIES = 16;
const SWAP_CLUSTER_MAX = 32;
/** Pages that pay the full price (MEMCG_CHARGE_BATCH), and the scale of it: 2^(20 - 14). */
const CHARGE_BATCH = 64;
const DELAY_SCALE = 64;

/**
 * The task was given pages beyond memory.high of its cgroup, or one above (6.18: __mem_cgroup_handle_over_high): on its way back to the
 * program it reclaims so many, and where that does not help it sleeps, the longer the more it is over. May leave it asleep.
 */
export function payForOverHigh(k: Kernel, t: Task): void {
  const pages = t.pagesOverHigh;
  t.pagesOverHigh = 0;
  const memcg = t.space?.memcg ?? t.cgroup.memcg;
  let wanted = pages;
  for (let retries = MAX_RECLAIM_RETRIES; !t.killed; wanted = SWAP_CLUSTER_MAX) {
    const freed = reclaimHigh(k, memcg, wanted);
    const delayNs = Math.min(
      MAX_DELAY_NS,
      delayOf(
        pages,
        worstOverage(memcg, ({ memory }) => memory),
      ) +
        delayOf(
          pages,
          worstOverage(memcg, ({ swap }) => swap),
        ),
    );
    if (delayNs <= MIN_DELAY_NS) return;
    if (freed > 0 || retries-- > 0) continue;
    block(k, t, {
      queues: [],
      deadlineNs: k.clock.nowNs + delayNs,
      onSignal: UNINTERRUPTIBLE,
      data: [],
      after: 'instruction',
      stall: STALL_MEMORY,
    });
    return;
  }
}

/** reclaim_high: of every cgroup on the way up that is over. */
function reclaimHigh(k: Kernel, charged: Memcg, pages: number): number {
  let freed = 0;
  for (let memcg: Memcg | null = charged; memcg !== null && !memcg.isRoot; memcg = memcg.parent) {
    if (memcg.memory.usage <= memcg.memory.high) continue;
    k.mm.memcgs.noteEvent(memcg, 'high');
    freed += k.mm.memcgs.reclaim(memcg, pages);
  }
  return freed;
}

/** mem_find_max_overage, swap_find_max_overage: by what part of its limit the worst one on the way up is over. */
function worstOverage(charged: Memcg, of: (memcg: Memcg) => PageCounter): number {
  let worst = 0;
  for (let memcg: Memcg | null = charged; memcg !== null && !memcg.isRoot; memcg = memcg.parent) {
    const { usage, high } = of(memcg);
    if (usage > high) worst = Math.max(worst, (usage - high) / Math.max(high, 1));
  }
  return worst;
}

/** calculate_high_delay: the square of the overage, for each batch of pages. */
function delayOf(pages: number, overage: number): number {
  return ((overage * overage * DELAY_SCALE * pages) / CHARGE_BATCH) * 1e9;
}
