import { assert } from '../../base/assert.ts';
import type { Swap } from '../swap/swap.ts';
import { ROOT_MEMCG } from './memcg.ts';
import type { Memcgs } from './memcgs.ts';

/** G1 to G3: what each memory cgroup pays for, counted anew from frames, slab objects and slots of swap. */
export function checkMemcgs(memcgs: Memcgs, swap: Swap): void {
  // This runs at each trap of a test: most machines never had one.
  if (memcgs.all.length === 1) return;
  const { frames } = memcgs.allocator;
  const memory = new Float64Array(memcgs.all.length);
  const slots = new Float64Array(memcgs.all.length);
  for (let frame = 0; frame < frames.frameCount; frame++)
    if (frames.memcg[frame] !== ROOT_MEMCG) memory[frames.memcg[frame]] += frames.pagesOf(frame as never);
  for (const area of swap.areas) {
    if (area === null) continue;
    for (const slot of area.slotsInUse()) if (area.memcgOf(slot) !== ROOT_MEMCG) slots[area.memcgOf(slot)]++;
  }
  // Children have higher ids only by chance: sum up from each to all above it.
  const sums = { memory: Float64Array.from(memory), slots: Float64Array.from(slots) };
  for (const memcg of memcgs.all) {
    if (memcg === null || memcg.isRoot) continue;
    for (let above = memcg.parent; above !== null; above = above.parent) {
      sums.memory[above.id] += memory[memcg.id] + memcg.slabPages;
      sums.slots[above.id] += slots[memcg.id];
    }
    sums.memory[memcg.id] += memcg.slabPages;
  }
  memcgs.all.forEach((memcg, id) => {
    if (id === ROOT_MEMCG) return;
    if (memcg === null) {
      assert(memory[id] === 0 && slots[id] === 0, 'mm/memcg/memcgs.ts: G1 who pays is there');
      return;
    }
    assert(memcg.memory.usage === sums.memory[id], 'mm/memcg/memcgs.ts: G1 memory.usage is what it pays for');
    assert(memcg.swap.usage === sums.slots[id], 'mm/memcg/memcgs.ts: G2 swap.usage counts its slots');
    const isUsed = memcg.memory.usage > 0 || memcg.swap.usage > 0 || memcg.children.length > 0;
    assert(memcg.isOnline || isUsed, 'mm/memcg/memcgs.ts: G3 one that is offline pays for something');
  });
}
