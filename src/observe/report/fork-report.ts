import { COST_FAULT_NS, COST_PAGE_COPY_NS, COST_SYSCALL_NS } from '../../machine/cost-model.ts';
import type { AttributedRun } from '../attribution/attributed-run.ts';
import { placeName } from '../attribution/table.ts';
import type { ForkCall, ForkCalls } from './fork-calls.ts';

/** What one fork cost. Numbers of pages, but where a name has another unit. */
export interface ForkCost {
  /** From 1, in the order of their calls. */
  readonly number: number;
  /** 'vfork': any call whose child borrows its parent's memory, as posix_spawn. */
  readonly how: 'fork' | 'vfork';
  readonly parent: string;
  readonly child: string;
  readonly timeNs: number;
  readonly callNs: number | null;
  /** Where it was called, innermost first. */
  readonly stack: readonly string[];
  readonly sharedPages: number;
  /** Entries of the zero page and of pages of files that were copied, too. */
  readonly otherEntries: number;
  readonly pageTables: number;
  readonly copiedByParent: number;
  readonly copiedByChild: number;
  readonly reusedByParent: number;
  readonly reusedByChild: number;
  /** When one of the two had ended, or now. */
  readonly stillShared: number;
  /** Until one of the two sides ended, by exec or exit, and which; null: both are alive. */
  readonly sharedNs: number;
  readonly endedBy: 'parent' | 'child' | null;
  /** What the child did in the end. */
  readonly end: { readonly how: 'exec' | 'exit'; readonly timeNs: number; readonly program: string } | null;
  /** Time since the fork, pages that were still shared. */
  readonly erosion: readonly (readonly [sinceNs: number, pages: number])[];
}

/** Who copied pages that forks had shared. */
export interface ForkCopier {
  readonly symbol: string;
  readonly file: string;
  readonly line: number;
  readonly copies: number;
  readonly forks: readonly { readonly number: number; readonly copies: number }[];
}

export interface ForkReport {
  readonly nowNs: number;
  readonly total: {
    readonly forks: number;
    readonly vforks: number;
    readonly sharedPages: number;
    readonly pageTables: number;
    readonly copiedByParent: number;
    readonly copiedByChild: number;
    readonly reused: number;
    /** Copies for no fork: first stores to a file's private pages and to pages of zeroes that had been read, and merged pages. */
    readonly otherCopies: number;
    readonly callNs: number;
  };
  /** Forks whose child went on to execute a program: what vfork or posix_spawn would not have done. */
  readonly spawn: {
    readonly forks: number;
    readonly copies: number;
    readonly reused: number;
    readonly pageTables: number;
    readonly savedNs: number;
  };
  readonly forks: readonly ForkCost[];
  readonly copiers: readonly ForkCopier[];
}

/** The sums of all forks and `otherCopies` are the copies that the kernel has made. */
export function makeForkReport(run: AttributedRun, { calls }: ForkCalls, nowNs: number): ForkReport {
  const forks = calls.map((call, at) => costOf(run, call, at + 1, nowNs));
  const sum = (of: readonly ForkCost[], value: (fork: ForkCost) => number): number =>
    of.reduce((total, fork) => total + value(fork), 0);
  const spawns = forks.filter(({ how, end }) => how === 'fork' && end?.how === 'exec');
  const copiesOf = (fork: ForkCost): number => fork.copiedByParent + fork.copiedByChild;
  const reusedOf = (fork: ForkCost): number => fork.reusedByParent + fork.reusedByChild;
  const { cowCopies } = run.tables.by('process').total;
  return {
    nowNs,
    total: {
      forks: forks.filter(({ how }) => how === 'fork').length,
      vforks: forks.filter(({ how }) => how === 'vfork').length,
      sharedPages: sum(forks, ({ sharedPages }) => sharedPages),
      pageTables: sum(forks, ({ pageTables }) => pageTables),
      copiedByParent: sum(forks, ({ copiedByParent }) => copiedByParent),
      copiedByChild: sum(forks, ({ copiedByChild }) => copiedByChild),
      reused: sum(forks, reusedOf),
      otherCopies: cowCopies - sum(forks, copiesOf),
      callNs: sum(forks, ({ callNs }) => callNs ?? 0),
    },
    spawn: {
      forks: spawns.length,
      copies: sum(spawns, copiesOf),
      reused: sum(spawns, reusedOf),
      pageTables: sum(spawns, ({ pageTables }) => pageTables),
      savedNs: sum(
        spawns,
        (fork) =>
          Math.max(0, (fork.callNs ?? 0) - COST_SYSCALL_NS) +
          copiesOf(fork) * (COST_FAULT_NS + COST_PAGE_COPY_NS) +
          reusedOf(fork) * COST_FAULT_NS,
      ),
    },
    forks,
    copiers: copiersOf(run, calls),
  };
}

function costOf(run: AttributedRun, call: ForkCall, number: number, nowNs: number): ForkCost {
  const { share, timeNs } = call;
  const endNs = share?.end?.timeNs ?? call.end?.timeNs ?? nowNs;
  const sinceNs = share?.timeNs ?? timeNs;
  const erosion = (share?.erosion ?? []).map(([at, pages]) => [at - sinceNs, pages] as const);
  if (share !== null && share.end === null) erosion.push([nowNs - sinceNs, share.stillShared]);
  return {
    number,
    how: share === null ? 'vfork' : 'fork',
    parent: call.parent,
    child: call.child,
    timeNs,
    callNs: call.callNs,
    stack: run.sources.ofStack(run.stacks.framesOf(call.stack)).map(placeName),
    sharedPages: share?.pages ?? 0,
    otherEntries: share?.otherEntries ?? 0,
    pageTables: share?.tables ?? 0,
    copiedByParent: share?.copiedByParent ?? 0,
    copiedByChild: share?.copiedByChild ?? 0,
    reusedByParent: share?.reusedByParent ?? 0,
    reusedByChild: share?.reusedByChild ?? 0,
    stillShared: share?.stillShared ?? 0,
    sharedNs: endNs - sinceNs,
    endedBy: share === null ? (call.end === null ? null : 'child') : (share.end?.side ?? null),
    end: call.end,
    erosion,
  };
}

/** By source line, where it is known; those with most copies first. */
function copiersOf(run: AttributedRun, calls: readonly ForkCall[]): ForkCopier[] {
  const numbers = new Map<number, number>();
  calls.forEach(({ share }, at) => {
    if (share !== null) numbers.set(share.fork, at + 1);
  });
  return run.tables
    .by('line')
    .entries.filter(({ cowByFork }) => cowByFork.length > 0)
    .map(({ symbol, file, line, cowByFork }) => ({
      symbol,
      file,
      line,
      copies: cowByFork.reduce((sum, { copies }) => sum + copies, 0),
      forks: cowByFork.map(({ fork, copies }) => ({ number: numbers.get(fork) ?? 0, copies })),
    }))
    .sort((a, b) => b.copies - a.copies || (a.symbol < b.symbol ? -1 : 1));
}
