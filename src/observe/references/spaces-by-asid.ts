import { EV_EXIT_MMAP } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { AddressSpace } from '../../mm/address-space.ts';

/** Which space the asid of a reference stands for. An asid can go to another space, so what is known is looked at again each time. */
export class SpacesByAsid {
  private readonly kernel: Kernel;
  private readonly known: (AddressSpace | undefined)[] = [];
  private readonly end: () => void;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.end = kernel.events.subscribe([EV_EXIT_MMAP], () => {
      this.known.length = 0;
    });
  }

  find(asid: number): AddressSpace | null {
    const space = this.known[asid];
    return space !== undefined && space.asidIfAny === asid ? space : this.search(asid);
  }

  close(): void {
    this.end();
  }

  private search(asid: number): AddressSpace | null {
    for (const space of this.kernel.mm.spaces) {
      if (space.asidIfAny !== asid) continue;
      this.known[asid] = space;
      return space;
    }
    return null;
  }
}
