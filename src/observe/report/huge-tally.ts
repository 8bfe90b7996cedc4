import {
  EV_COLLAPSE_ALLOC_FAILED,
  EV_COLLAPSE_HUGE_PAGE,
  EV_KHUGEPAGED_SCAN_PMD,
  EV_THP_DEFERRED_SPLIT,
  EV_THP_FAULT_ALLOC,
  EV_THP_FAULT_FALLBACK,
  EV_THP_SPLIT_PAGE,
  EV_THP_SPLIT_PAGE_FAILED,
  EV_THP_SPLIT_PMD,
  EV_THP_SWPOUT_FALLBACK,
  EV_THP_UNDERUSED_SPLIT,
} from '../../base/event-kinds.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import { placeName } from '../attribution/table.ts';
import { callerOf } from './reclaim-report.ts';

/** Something that happened to huge pages, how often, and where in the program it came from. */
export interface HugeEvent {
  /** Names of /proc/vmstat's counters. */
  readonly what: string;
  /** 'comm/pid', or the kernel's thread. */
  readonly process: string;
  /** What the kernel did it for: the system call; 'fault'; 'khugepaged', 'reclaim'. */
  readonly why: string;
  /** The program's code that led to it; '': none did. */
  readonly place: string;
  readonly count: number;
}

const KINDS: readonly (readonly [kind: number, what: string])[] = [
  [EV_THP_FAULT_ALLOC, 'thp_fault_alloc'],
  [EV_THP_FAULT_FALLBACK, 'thp_fault_fallback'],
  [EV_COLLAPSE_HUGE_PAGE, 'thp_collapse_alloc'],
  [EV_COLLAPSE_ALLOC_FAILED, 'thp_collapse_alloc_failed'],
  [EV_THP_SPLIT_PMD, 'thp_split_pmd'],
  [EV_THP_SPLIT_PAGE, 'thp_split_page'],
  [EV_THP_SPLIT_PAGE_FAILED, 'thp_split_page_failed'],
  [EV_THP_DEFERRED_SPLIT, 'thp_deferred_split_page'],
  [EV_THP_UNDERUSED_SPLIT, 'thp_underused_split_page'],
  [EV_THP_SWPOUT_FALLBACK, 'thp_swpout_fallback'],
];

/** Counts the events of huge pages by who, why and where. Listens while an AttributedRun does, which must have been made before. */
export class HugeTally {
  /** Ranges that khugepaged has looked at, and those that it found worth a huge page. */
  scanned = 0;
  worth = 0;
  private readonly kernel: Kernel;
  private readonly run: AttributedRun;
  /** 'what process stack' -> count. */
  private readonly counts = new Map<string, { what: string; process: string; stack: number; count: number }>();
  private readonly end: () => void;

  constructor(kernel: Kernel, run: AttributedRun) {
    this.kernel = kernel;
    this.run = run;
    const { events } = kernel;
    const endings = KINDS.map(([kind, what]) => events.subscribe([kind], () => this.count(what)));
    endings.push(
      events.subscribe([EV_KHUGEPAGED_SCAN_PMD], ({ values: [, , status] }) => {
        this.scanned++;
        if (status === 1) this.worth++;
      }),
    );
    this.end = () => {
      for (const each of endings) each();
    };
  }

  close(): void {
    this.end();
  }

  list(): HugeEvent[] {
    const groups = new Map<string, { -readonly [name in keyof HugeEvent]: HugeEvent[name] }>();
    for (const { what, process, stack, count } of this.counts.values()) {
      const names = this.run.sources.ofStack(this.run.stacks.framesOf(stack)).map(placeName);
      const [inner = ''] = names;
      const why = inner.startsWith('sys_') ? inner : inner.startsWith('[kernel') ? 'kernel thread' : 'fault';
      const place = why === 'kernel thread' ? '' : callerOf(names);
      const key = [what, process, why, place].join('\n');
      const group = groups.get(key) ?? { what, process, why, place, count: 0 };
      group.count += count;
      groups.set(key, group);
    }
    const order = KINDS.map(([, what]) => what);
    return [...groups.values()].sort((a, b) => order.indexOf(a.what) - order.indexOf(b.what) || b.count - a.count);
  }

  private count(what: string): void {
    const task = this.kernel.tasks.get(this.kernel.events.currentPid);
    const process = task === undefined ? '[kernel]' : `${task.comm}/${task.tgid}`;
    const stack = this.run.attribution.currentStack();
    const key = `${what} ${process} ${stack}`;
    const group = this.counts.get(key) ?? { what, process, stack, count: 0 };
    group.count++;
    this.counts.set(key, group);
  }
}
