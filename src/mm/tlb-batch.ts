import type { Vpn } from '../machine/units.ts';
import type { AddressSpace } from './address-space.ts';
import type { MemoryManager } from './memory-manager.ts';

/** Beyond so many pages one flush of the space is cheaper (riscv: tlb_flush_all_threshold, 64). */
const FLUSH_ALL_THRESHOLD = 64;

/**
 * Pages whose translations changed in the operation under way (Linux: mmu_gather). The guest does not run inside an
 * operation, so flushing at its end is soon enough. One a machine, never nested: begin ... finish.
 */
export class TlbBatch {
  private readonly pages = new Float64Array(FLUSH_ALL_THRESHOLD);
  private count = 0;
  private readonly mm: MemoryManager;

  constructor(mm: MemoryManager) {
    this.mm = mm;
  }

  add(page: Vpn): void {
    if (this.count < FLUSH_ALL_THRESHOLD) this.pages[this.count] = page;
    this.count++;
  }

  finish(space: AddressSpace): void {
    if (this.count > FLUSH_ALL_THRESHOLD) this.mm.flushSpace(space);
    else for (let i = 0; i < this.count; i++) this.mm.flushPage(space, this.pages[i] as Vpn);
    this.count = 0;
  }
}
