import type { PageView } from '../page-view.ts';

/** One thing that happened to a page of a process. */
export interface PageEvent {
  readonly timeNs: number;
  readonly pid: number;
  readonly what: PageStepKind;
  readonly detail: string;
  /** Where in the program it came from, innermost first (`work file.c:12`); empty where no code did it. */
  readonly stack: readonly string[];
  /** The page right behind it; null where more happened to it in the same trap, or the process has no memory any more. */
  readonly page: PageView | null;
}

/**
 *   mapped, unmapped, changed    the VMA
 *   fork                         the page is shared with a child from here on
 *   fault, around                a fault of the page; one of another page that mapped this one too
 *   copied, merged, moved        another frame behind the address; of moved the same one behind another address
 *   collapsed, split             small pages became a huge one; a huge page, or its entry, became small ones
 *   swapped                      out
 *   filled                       by a userfaultfd
 *   used, aged, reclaimed        what reclaim saw of its frame, and did
 *   dropped, freed               the entry went (madvise, truncation); a frame that it had was given back
 */
export type PageStepKind =
  | 'mapped'
  | 'unmapped'
  | 'changed'
  | 'fork'
  | 'fault'
  | 'around'
  | 'copied'
  | 'merged'
  | 'moved'
  | 'collapsed'
  | 'split'
  | 'swapped'
  | 'filled'
  | 'used'
  | 'aged'
  | 'reclaimed'
  | 'dropped'
  | 'freed';

/**
 * The steps of a page's life, of all processes, in their order. An event comes in the middle of what the kernel does, so a step is looked at
 * when that is over: `settle` gives the last step of each process the page as it is then.
 */
export class PageSteps {
  private readonly steps: PageEvent[] = [];
  private settled = 0;
  /** The page as it is now in a process. */
  readonly pageOf: (pid: number) => PageView | null;

  constructor(pageOf: (pid: number) => PageView | null) {
    this.pageOf = pageOf;
  }

  add(step: Omit<PageEvent, 'page' | 'stack'> & { readonly stack?: readonly string[] }): void {
    this.steps.push({ stack: [], ...step, page: null });
  }

  /** What the kernel did is done. The processes that had steps in it, and their pages now. */
  settle(): ReadonlyMap<number, PageView | null> {
    const { steps } = this;
    const pages = new Map<number, PageView | null>();
    for (let at = steps.length - 1; at >= this.settled; at--) {
      const { pid } = steps[at];
      if (pages.has(pid)) continue;
      const page = this.pageOf(pid);
      pages.set(pid, page);
      steps[at] = { ...steps[at], page };
    }
    this.settled = steps.length;
    return pages;
  }

  /** Has one of these happened to the process's page in what the kernel does now? */
  hasNow(pid: number, kinds: readonly PageStepKind[]): boolean {
    return this.steps.slice(this.settled).some((step) => step.pid === pid && kinds.includes(step.what));
  }

  /** As it was behind the process's last step. */
  lastPage(pid: number): PageView | null {
    return this.steps.findLast((step) => step.pid === pid && step.page !== null)?.page ?? null;
  }

  get count(): number {
    return this.steps.length;
  }

  /** Those of a process among the first `count`. */
  of(pid: number, count = this.steps.length): PageEvent[] {
    return this.steps.slice(0, count).filter((step) => step.pid === pid);
  }
}
