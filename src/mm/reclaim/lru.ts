import type { Pfn } from '../../machine/units.ts';
import { FifoPolicy } from './fifo.ts';
import type { PolicyWhy } from './why.ts';

/** True least recently used, for comparison: every access (reference stream) makes its page the youngest. */
export class LruPolicy extends FifoPolicy {
  override readonly name: string = 'lru';

  protected override get why(): PolicyWhy {
    return 'least_recent';
  }

  referenced(page: Pfn): void {
    if (!this.queue.has(page)) return;
    this.queue.remove(page);
    this.queue.push(page);
  }
}
