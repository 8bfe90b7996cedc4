import {
  EV_FILEMAP_ADD,
  EV_PAGE_ALLOC,
  EV_PAGE_FAULT,
  EV_PAGE_REFERENCED,
  EV_PAGE_YOUNG,
} from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Pfn, Vpn } from '../../machine/units.ts';

/** 'references': every access, to the trap; 'accessed bits': as far as reclaim's looks at the page tables tell. */
export type UseSource = 'references' | 'accessed bits';

const NEVER = -1;

/**
 * When each frame was used last, since it was allocated. By the run's references, or, where its reclaim policy listens to these itself, by
 * what is found accessed. A page that is read into the page cache is used then.
 */
export class LastUse {
  readonly source: UseSource;
  private readonly times: Float64Array;
  private readonly end: () => void;

  constructor(kernel: Kernel) {
    const { mm, events, clock } = kernel;
    this.source = mm.reclaimer.wantsReferences ? 'accessed bits' : 'references';
    const times = new Float64Array(mm.frames.frameCount).fill(NEVER);
    this.times = times;
    const endings = [
      events.subscribe([EV_PAGE_ALLOC], ({ values: [pfn, order] }) => times.fill(NEVER, pfn, pfn + 2 ** order)),
      events.subscribe([EV_FILEMAP_ADD], ({ timeNs, values: [pfn] }) => {
        times[pfn] = timeNs;
      }),
    ];
    if (this.source === 'references') {
      const referenced = (_asid: number, _at: Vpn, frame: Pfn): void => {
        times[frame] = clock.nowNs;
      };
      mm.mmu.setReferenceStream({ referenced });
      endings.push(() => mm.mmu.setReferenceStream(null));
    } else
      endings.push(
        events.subscribe([EV_PAGE_REFERENCED], ({ timeNs, values: [pfn, referenced] }) => {
          if (referenced > 0) times[pfn] = timeNs;
        }),
        events.subscribe([EV_PAGE_YOUNG], ({ timeNs, values: [, , pfn] }) => {
          times[pfn] = timeNs;
        }),
        events.subscribe([EV_PAGE_FAULT], ({ timeNs, values: [, , , , pfn] }) => {
          if (pfn > 0) times[pfn] = timeNs;
        }),
      );
    this.end = () => {
      for (const each of endings) each();
    };
  }

  /** Virtual time; null: never since it was allocated. */
  of(frame: number): number | null {
    return this.times[frame] === NEVER ? null : this.times[frame];
  }

  close(): void {
    this.end();
  }
}
