import type { NodeStat } from '../phys/node-stat.ts';
import { type PageIndex, SLOTS } from './page-index.ts';

/** XA_CHUNK_SHIFT - 3: one node for so many pages is let be. */
const PAGES_PER_NODE = 8;

/**
 * The leaves of page indexes that hold shadow entries and no page, oldest first (Linux: shadow_nodes, mm/workingset.c): memory for
 * things that are not there, so there is a bound to it.
 */
export class ShadowNodes {
  private readonly stat: NodeStat;
  /** By a number that PageIndex gives; a Map iterates in order of insertion. */
  private readonly leaves = new Map<number, { readonly index: PageIndex; readonly start: number }>();
  private nextId = 1;

  constructor(stat: NodeStat) {
    this.stat = stat;
  }

  /** A leaf's last page has gone; the number to call `remove` with. */
  add(index: PageIndex, start: number): number {
    const id = this.nextId++;
    this.leaves.set(id, { index, start });
    this.stat.workingset_nodes++;
    return id;
  }

  remove(id: number): void {
    if (this.leaves.delete(id)) this.stat.workingset_nodes--;
  }

  /** count_shadow_nodes, scan_shadow_nodes: gives back what is beyond the bound for so many pages of memory, oldest first. */
  shrink(memoryPages: number): void {
    for (const { index, start } of this.leaves.values()) {
      if (this.leaves.size <= Math.floor(memoryPages / PAGES_PER_NODE)) return;
      index.dropShadows(start, start + SLOTS);
      this.stat.workingset_nodereclaim++;
    }
  }
}
