import type { Pfn } from '../../machine/units.ts';
import { FifoPolicy } from './fifo.ts';
import type { ReclaimablePages } from './policy.ts';
import { takeUse } from './take-use.ts';
import type { PolicyWhy } from './why.ts';

/** Second chance: as FIFO, but a page that was used since the hand came by last gets another round. */
export class ClockPolicy extends FifoPolicy {
  override readonly name: string = 'clock';

  protected override get why(): PolicyWhy {
    return 'unreferenced';
  }

  protected override isSpared(pages: ReclaimablePages, page: Pfn): boolean {
    return takeUse(pages, page);
  }
}
