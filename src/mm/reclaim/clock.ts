import type { Pfn } from '../../machine/units.ts';
import { FifoPolicy } from './fifo.ts';
import type { ReclaimablePages } from './policy.ts';

/** Second chance: as FIFO, but a page that was used since the hand came by last gets another round. */
export class ClockPolicy extends FifoPolicy {
  override readonly name: string = 'clock';

  protected override isSpared(pages: ReclaimablePages, page: Pfn): boolean {
    const wasMarked = pages.takeReferenced(page);
    return pages.takeReferences(page).count > 0 || wasMarked;
  }
}
