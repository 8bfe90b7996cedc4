import type { Pfn } from '../../machine/units.ts';
import type { SwapArea } from '../swap/area.ts';
import { type Memcg, ROOT_MEMCG } from './memcg.ts';
import type { Memcgs } from './memcgs.ts';

/**
 * A page gets the slot: whoever pays for the page pays for the slot, too, or the nearest above that is still there
 * (__mem_cgroup_try_charge_swap, 6.18). False: memory.swap.max is in the way.
 */
export function chargeSlot(memcgs: Memcgs, area: SwapArea, slot: number, frame: Pfn): boolean {
  if (memcgs.allocator.frames.memcg[frame] === ROOT_MEMCG) return true;
  const memcg = memcgs.payerOf(frame).nearestOnline;
  if (memcg.isRoot) return true;
  const counter = memcg.swap.tryCharge(1);
  if (counter !== null) {
    memcgs.noteSwapEvent(memcg, 'max');
    memcgs.noteSwapEvent(memcg, 'fail');
    return false;
  }
  area.setMemcg(slot, memcg.id);
  return true;
}

/** The slot is free again (__mem_cgroup_uncharge_swap). */
export function unchargeSlot(memcgs: Memcgs, area: SwapArea, slot: number): void {
  const id = area.memcgOf(slot);
  if (id === ROOT_MEMCG) return;
  area.setMemcg(slot, ROOT_MEMCG);
  memcgs.unchargeSwap(memcgs.memcgOf(id) as Memcg);
}

/** Who pays for the page of a slot that comes back (mem_cgroup_swapin_charge_folio): who paid when it left, or else `reader`. */
export function payerOfSlot(memcgs: Memcgs, area: SwapArea, slot: number, reader: Memcg): Memcg {
  const id = area.memcgOf(slot);
  const memcg = id === ROOT_MEMCG ? null : memcgs.memcgOf(id);
  return memcg?.isOnline === true ? memcg : reader;
}

/** Slots that the cgroup may still have, where `free` are free at all (mem_cgroup_get_nr_swap_pages). */
export function freeSlotsOf(memcg: Memcg, free: number): number {
  let least = free;
  for (let each: Memcg | null = memcg; each !== null && !each.isRoot; each = each.parent)
    least = Math.min(least, each.swap.max - each.swap.usage);
  return least;
}
