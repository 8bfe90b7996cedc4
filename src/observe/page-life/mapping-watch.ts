import { EV_PAGE_FAULT, EV_PROCESS_EXEC, EV_PROCESS_FORK, EV_SYS_EXIT } from '../../base/event-kinds.ts';
import type { EventRecord } from '../../base/events.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { vmaName } from '../../kernel/procfs/vma-name.ts';
import { nameOf } from '../../kernel/syscalls/dispatch.ts';
import { type Vpn, vaddrOf } from '../../machine/units.ts';
import { KIND_STACK_GROW } from '../../mm/address-space.ts';
import type { Vma } from '../../mm/vma.ts';
import { rightsOf } from '../page-view.ts';
import type { CodePlaces } from './code-places.ts';
import { describeExecMapping } from './exec-mapping.ts';
import type { PageSteps } from './page-steps.ts';

interface Cause {
  readonly text: string;
  readonly stack: readonly string[];
}

/**
 * Which VMA holds the page in each process, and who made it so. Looked at behind each system call, each execve, and each fault that lets a stack
 * grow: nothing else changes VMAs.
 */
export class MappingWatch {
  readonly endings: readonly (() => void)[];
  /** child -> its parent, and how many steps there were at the fork. */
  readonly parents = new Map<number, { readonly pid: number; readonly steps: number }>();
  private readonly kernel: Kernel;
  private readonly page: Vpn;
  private readonly places: CodePlaces;
  private readonly steps: PageSteps;
  /** pid -> the VMA, in words; '' for none. */
  private readonly mappings = new Map<number, string>();

  constructor(kernel: Kernel, page: Vpn, places: CodePlaces, steps: PageSteps) {
    this.kernel = kernel;
    this.page = page;
    this.places = places;
    this.steps = steps;
    const { events } = kernel;
    this.endings = [
      events.subscribe([EV_SYS_EXIT], ({ timeNs, values: [tid, nr] }) =>
        this.look(tid, timeNs, () => this.causeOf(tid, nameOf(kernel, nr))),
      ),
      events.subscribe([EV_PROCESS_EXEC], (event) => this.executed(event)),
      events.subscribe([EV_PROCESS_FORK], (event) => this.forked(event)),
      events.subscribe([EV_PAGE_FAULT], ({ timeNs, values: [tid, , , kind] }) => {
        if (kind === KIND_STACK_GROW)
          this.look(tid, timeNs, () => this.causeOf(tid, 'a fault that let the stack grow'));
      }),
    ];
  }

  private causeOf(tid: number, what: string): Cause {
    return { text: `${what} from [${this.places.symbolOf(tid)}]`, stack: this.places.stackOf(tid) };
  }

  private executed({ timeNs, values: [pid] }: EventRecord): void {
    const before = this.mappings.get(pid) ?? '';
    // The space of the program before is gone.
    if (before !== '') this.steps.add({ timeNs, pid, what: 'unmapped', detail: `${before} by execve` });
    this.mappings.set(pid, '');
    this.look(pid, timeNs, (vma) => {
      const what = vma === null ? '' : `: ${describeExecMapping(this.places.code, vma.space, vma, this.page)}`;
      return { text: `execve${what}`, stack: [] };
    });
  }

  private forked({ timeNs, values: [parent, child] }: EventRecord): void {
    const from = this.kernel.tasks.get(parent);
    const to = this.kernel.tasks.get(child);
    if (from === undefined || to === undefined || to.space === from.space) return;
    const mapping = this.mappings.get(from.tgid) ?? '';
    this.parents.set(to.tgid, { pid: from.tgid, steps: this.steps.count });
    this.mappings.set(to.tgid, mapping);
    if (mapping === '') return;
    this.steps.add({ timeNs, pid: from.tgid, what: 'fork', detail: `to process ${to.tgid}` });
    this.steps.add({ timeNs, pid: to.tgid, what: 'fork', detail: `from process ${from.tgid}` });
  }

  /** Has the VMA of the page become another one? */
  private look(tid: number, timeNs: number, causeOf: (vma: Vma | null) => Cause): void {
    const task = this.kernel.tasks.get(tid);
    const space = task?.space ?? null;
    if (task === undefined || space === null) return;
    const pid = task.tgid;
    const found = space.vmas.find(this.page);
    const vma = found !== null && found.startVpn <= this.page ? found : null;
    const now = vma === null ? '' : describeVma(vma);
    const before = this.mappings.get(pid) ?? '';
    if (now === before) return;
    this.mappings.set(pid, now);
    const what = before === '' ? 'mapped' : now === '' ? 'unmapped' : 'changed';
    const { text, stack } = causeOf(vma);
    this.steps.add({ timeNs, pid, what, detail: `${now === '' ? before : now} by ${text}`, stack });
  }
}

/** As in /proc/PID/maps: range, rights, name. */
export function describeVma(vma: Vma): string {
  const range = `${vaddrOf(vma.startVpn).toString(16)}-${vaddrOf(vma.endVpn).toString(16)}`;
  return `${range} ${rightsOf(vma)} ${vmaName(vma) ?? 'anonymous'}`;
}
