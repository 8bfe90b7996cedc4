import { PAGE_SIZE } from '../../machine/units.ts';
import type { MemoryManager } from '../memory-manager.ts';
import type { SwapArea } from '../swap/area.ts';
import { MemoryStore, type SwapStore } from '../swap/store.ts';

export interface TestSwap {
  readonly slots: number;
  /** 'device': it goes through the swap cache, and reads ahead. */
  readonly speed?: SwapStore['speed'];
  readonly priority?: number;
  readonly badSlots?: readonly number[];
}

/** An area in memory, which takes no time. */
export function addTestSwap(
  mm: MemoryManager,
  { slots, speed = 'device', priority = 0, badSlots = [] }: TestSwap,
): SwapArea {
  const memory = new MemoryStore((slots + 1) * PAGE_SIZE);
  const store: SwapStore = {
    speed,
    sizeBytes: memory.sizeBytes,
    read: (slot, into) => memory.read(slot, into),
    write: (slot, from) => memory.write(slot, from),
    discard: (slot) => memory.discard(slot),
    costNs: () => 0,
  };
  const options = { path: speed, kind: 'partition' as const, store, slotCount: slots + 1, badSlots: [...badSlots] };
  return mm.swap.addArea(options, priority) as SwapArea;
}
