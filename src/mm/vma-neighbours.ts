import type { NeighbourFinder } from './rmap/anon-vmas.ts';
import type { RmapVma } from './rmap/rmap-vma.ts';
import type { Vma } from './vma.ts';

/** Reverse mapping's view of the order of VMAs: AnonVmas.prepare shares a neighbour's AnonVma where the two could merge. */
export class VmaNeighbours implements NeighbourFinder {
  prevVma(view: RmapVma): RmapVma | null {
    const vma = view as Vma;
    return vma.space.vmas.prev(vma);
  }

  nextVma(view: RmapVma): RmapVma | null {
    const vma = view as Vma;
    return vma.space.vmas.next(vma);
  }
}
