import { EV_MM_FORK, EV_PAGE_MAP } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { type Vpn, vaddr, vpnOf } from '../../machine/units.ts';
import type { AddressSpace } from '../../mm/address-space.ts';
import { FaultDescriber, type FaultDescription } from '../fault-trace.ts';
import type { CodePlaces } from './code-places.ts';
import type { PageSteps } from './page-steps.ts';

/** Faults of the page, and those of other pages that mapped it as well: fault-around, huge pages. */
export class FaultWatch {
  readonly endings: readonly (() => void)[];
  private readonly kernel: Kernel;
  private readonly page: Vpn;
  private readonly places: CodePlaces;
  private readonly steps: PageSteps;
  /** mm_id of the space in which what the kernel does now has made the page resident; 0: none. */
  private arrivedIn = 0;

  constructor(kernel: Kernel, page: Vpn, places: CodePlaces, steps: PageSteps) {
    this.kernel = kernel;
    this.page = page;
    this.places = places;
    this.steps = steps;
    this.endings = [
      new FaultDescriber(kernel).subscribe((fault) => this.fault(fault)),
      kernel.events.subscribe([EV_PAGE_MAP], ({ values: [mm, address, , count] }) => {
        const first = vpnOf(vaddr(address));
        if (first <= page && page < first + count) this.arrivedIn = mm;
      }),
      // No fault did it.
      kernel.events.subscribe([EV_MM_FORK], () => this.settle()),
    ];
  }

  /** What the kernel did is done. */
  settle(): void {
    this.arrivedIn = 0;
  }

  private fault(fault: FaultDescription): void {
    const { kernel, page } = this;
    const space = kernel.mm.lastFaultSpace;
    const isOwn = vpnOf(fault.address) === page;
    if (space === null || (!isOwn && !this.hasMapped(space, vpnOf(fault.address)))) return;
    this.arrivedIn = 0;
    const { timeNs, kind, symbol, access, mode, major } = fault;
    const place = isOwn ? '' : ` at 0x${fault.address.toString(16)}`;
    const how = `${access}${mode === 'kernel' ? ' by the kernel' : ''}${major ? ', major' : ''}`;
    this.steps.add({
      timeNs,
      pid: kernel.tasks.get(fault.pid)?.tgid ?? fault.pid,
      what: isOwn ? 'fault' : 'around',
      detail: `${kind} [${symbol}] ${how}${place}`,
      stack: this.places.stackOf(fault.pid),
    });
  }

  /** Did a fault of another page map this one, or are both under one huge entry? */
  private hasMapped(space: AddressSpace, other: Vpn): boolean {
    if (this.arrivedIn === space.id) return true;
    const { pageTables, format } = this.kernel.mm;
    const span = 2 ** format.bitsPerLevel;
    // No huge entry without a common table of the level above.
    if (Math.floor(other / span ** 2) !== Math.floor(this.page / span ** 2) || this.page >= space.taskSize)
      return false;
    if (pageTables.findEntry(space, this.page) === -1 || pageTables.foundLevel === 0) return false;
    const pages = span ** pageTables.foundLevel;
    return Math.floor(other / pages) === Math.floor(this.page / pages);
  }
}
