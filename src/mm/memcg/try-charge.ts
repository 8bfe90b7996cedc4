import { __GFP_DIRECT_RECLAIM, __GFP_HIGH, __GFP_NOFAIL, __GFP_NORETRY, __GFP_RETRY_MAYFAIL } from '../phys/gfp.ts';
import type { Memcg } from './memcg.ts';
import type { Memcgs } from './memcgs.ts';
import type { PageCounter } from './page-counter.ts';

/** Rounds of reclaim that bring nothing before somebody is killed (MAX_RECLAIM_RETRIES). */
const MAX_RECLAIM_RETRIES = 16;
/** Blocks of at most 2^3 pages are worth a kill, larger ones are done without (PAGE_ALLOC_COSTLY_ORDER). */
const COSTLY_PAGES = 8;

/**
 * try_charge_memcg (6.18): charges the pages; where memory.max of the cgroup or of one above it is in the way, reclaims there, then
 * lets the OOM killer loose there. False: refused. What is charged beyond memory.high is noted with the running task.
 */
export function tryCharge(memcgs: Memcgs, memcg: Memcg, pages: number, gfp: number): boolean {
  let retries = MAX_RECLAIM_RETRIES;
  let passedOom = false;
  for (;;) {
    const counter = memcg.memory.tryCharge(pages);
    if (counter === null) {
      noteOverHigh(memcgs, memcg, pages);
      return true;
    }
    if (memcgs.allocator.isReclaiming) return force(memcg, pages);
    const refused = (gfp & (__GFP_NOFAIL | __GFP_HIGH)) !== 0 ? () => force(memcg, pages) : () => false;
    if ((gfp & __GFP_DIRECT_RECLAIM) === 0) return refused();
    const over = ownerOf(memcg, counter);
    memcgs.noteEvent(over, 'max');
    const freed = memcgs.reclaim(over, pages);
    if (over.marginPages >= pages) continue;
    if ((gfp & __GFP_NORETRY) !== 0) return refused();
    if (freed > 0 && pages <= COSTLY_PAGES) continue;
    if (retries-- > 0) continue;
    if ((gfp & __GFP_RETRY_MAYFAIL) !== 0) return refused();
    if (passedOom && memcgs.killer?.isDying === true) return refused();
    // mem_cgroup_oom
    if (pages > COSTLY_PAGES || memcgs.killer === null) return refused();
    memcgs.noteEvent(over, 'oom');
    if (memcgs.killer.killIn(over) === 'none') return refused();
    passedOom = true;
    retries = MAX_RECLAIM_RETRIES;
  }
}

function force(memcg: Memcg, pages: number): true {
  memcg.memory.charge(pages);
  return true;
}

/** mem_cgroup_from_counter. */
function ownerOf(memcg: Memcg, counter: PageCounter): Memcg {
  let owner = memcg;
  while (owner.memory !== counter && owner.parent !== null) owner = owner.parent;
  return owner;
}

/** The end of try_charge_memcg: the task pays when it goes back to its program. */
function noteOverHigh({ account }: Memcgs, charged: Memcg, pages: number): void {
  if (account === null) return;
  for (let memcg: Memcg | null = charged; memcg !== null && !memcg.isRoot; memcg = memcg.parent) {
    if (memcg.memory.usage <= memcg.memory.high && memcg.swap.usage <= memcg.swap.high) continue;
    account.pagesOverHigh += pages;
    return;
  }
}
