import { EV_EXC_FAULT_USER, EV_PROCESS_EXIT, EV_SCHED_SWITCH, EV_SYS_ENTER } from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { type Vpn, vaddr, vpnOf } from '../../machine/units.ts';
import type { Decompress } from '../code/elf-file.ts';
import { type PageView, viewPage } from '../page-view.ts';
import { CodePlaces } from './code-places.ts';
import { FaultWatch } from './fault-watch.ts';
import { FrameWatch } from './frame-watch.ts';
import { MappingWatch } from './mapping-watch.ts';
import { type PageEvent, PageSteps } from './page-steps.ts';

/** Where the kernel begins something: what it did before is done. */
const BEGINNINGS = [EV_EXC_FAULT_USER, EV_SYS_ENTER, EV_SCHED_SWITCH, EV_PROCESS_EXIT];

/**
 * What happens to the page of an address, from the time that it is made on: who maps it, each of its faults, and the frames behind
 * it, each step with the page as it is right behind it. It listens to all processes at that address, because a child's page was its
 * parent's before the fork; `of` gives one's own line.
 */
export class PageHistory {
  private readonly kernel: Kernel;
  private readonly page: Vpn;
  private readonly steps: PageSteps;
  private readonly mappings: MappingWatch;
  private readonly faults: FaultWatch;
  private readonly frames: FrameWatch;
  private readonly endings: readonly (() => void)[];

  constructor(kernel: Kernel, address: number, decompress: Decompress = () => null) {
    this.kernel = kernel;
    this.page = vpnOf(vaddr(address));
    this.steps = new PageSteps((pid) => this.viewOf(pid));
    const places = new CodePlaces(kernel, decompress);
    const { page, steps } = this;
    // First of all: what comes now is another step.
    const settling = kernel.events.subscribe(BEGINNINGS, () => this.settle());
    this.mappings = new MappingWatch(kernel, page, places, steps);
    this.frames = new FrameWatch(kernel, page, places, steps);
    this.faults = new FaultWatch(kernel, page, places, steps);
    const { afterTrap } = kernel;
    kernel.afterTrap = () => {
      afterTrap?.();
      this.settle();
    };
    this.endings = [
      settling,
      ...this.mappings.endings,
      ...this.frames.endings,
      ...this.faults.endings,
      () => (kernel.afterTrap = afterTrap),
    ];
  }

  close(): void {
    for (const end of this.endings) end();
  }

  /** What happened to the process's page, and to its ancestors' up to the fork, in order. */
  of(pid: number): PageEvent[] {
    this.settle();
    return this.until(pid, this.steps.count);
  }

  private until(pid: number, count: number): PageEvent[] {
    const own = this.steps.of(pid, count);
    const parent = this.mappings.parents.get(pid);
    return parent === undefined ? own : [...this.until(parent.pid, Math.min(parent.steps, count)), ...own];
  }

  private settle(): void {
    this.frames.settle(this.steps.settle());
    this.faults.settle();
  }

  private viewOf(pid: number): PageView | null {
    const space = this.kernel.processes.get(pid)?.leader.space ?? null;
    return space === null ? null : viewPage(this.kernel.mm, space, this.page);
  }
}
