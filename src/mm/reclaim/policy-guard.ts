import type { Rng } from '../../base/rng.ts';
import type { Pfn } from '../../machine/units.ts';
import type { FrameTable } from '../phys/frame-table.ts';
import type { Lruvec } from '../phys/lruvec.ts';
import type { ReclaimPolicies } from './kinds.ts';
import type { ReclaimablePages, ReclaimPolicy, References, TableVisitor } from './policy.ts';
import { knownWhy } from './why.ts';

/** A policy from outside did what none may. `message` is one line that says which policy, where and what. */
export class PolicyError extends Error {}

/**
 * Looks that one call of shrink may take for each page of the machine: at the worst priority the most patient of our own policies takes
 * 67 (aging-2.4). What takes more does not end.
 */
const LOOKS_PER_PAGE = 256;

/** Called around shrink of a policy from outside; throws a PolicyError if it does not come back. */
export type Watchdog = (call: () => number) => number;

/**
 * Policies from a file of the user: `create` makes one for each lruvec. All that they give back is checked, and what they throw comes
 * out as a PolicyError.
 */
export class GuardedPolicies implements ReclaimPolicies {
  readonly name: string;
  private readonly make: (frames: FrameTable) => unknown;
  private readonly watchdog: Watchdog | null;

  constructor(name: string, make: (frames: FrameTable) => unknown, watchdog: Watchdog | null = null) {
    this.name = name;
    this.make = make;
    this.watchdog = watchdog;
  }

  create(frames: FrameTable): ReclaimPolicy {
    const policy = attempt(this.name, 'createPolicy', () => this.make(frames));
    if (typeof policy !== 'object' || policy === null || !('shrink' in policy) || typeof policy.shrink !== 'function')
      throw new PolicyError(`${this.name}: what createPolicy returned has no method shrink(pages, wanted, priority)`);
    for (const hook of HOOKS)
      if (hook in policy && typeof (policy as Record<string, unknown>)[hook] !== 'function')
        throw new PolicyError(`${this.name}: ${hook} is no method`);
    return guard(this.name, policy as ReclaimPolicy, frames, this.watchdog);
  }
}

const HOOKS = ['added', 'removed', 'kindChanged', 'evicted', 'wanted', 'refaulted', 'accessed', 'referenced'] as const;

function attempt<T>(name: string, what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof PolicyError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new PolicyError(`${name}: ${what} threw: ${message.split('\n')[0]}`);
  }
}

/** The same policy with the same hooks, each of them checked. */
function guard(name: string, policy: ReclaimPolicy, frames: FrameTable, watchdog: Watchdog | null): ReclaimPolicy {
  const guarded: ReclaimPolicy = {
    name,
    shrink: (pages, wanted, priority) => {
      const seen = new GuardedPages(name, pages, LOOKS_PER_PAGE * (frames.frameCount + 64));
      const call = (): number => policy.shrink(seen, wanted, priority);
      const freed = attempt(name, 'shrink', () => (watchdog === null ? call() : watchdog(call)));
      if (!Number.isSafeInteger(freed) || freed < 0)
        throw new PolicyError(`${name}: shrink returned ${String(freed)}; it returns how many pages it freed`);
      if (freed !== seen.freed)
        throw new PolicyError(`${name}: shrink returned ${freed}, but free(page) was true ${seen.freed} times`);
      return freed;
    },
  };
  const { added, removed, kindChanged, evicted, wanted, refaulted, accessed, referenced } = policy;
  if (added !== undefined) guarded.added = (page, how) => attempt(name, 'added', () => added.call(policy, page, how));
  if (removed !== undefined) guarded.removed = (page) => attempt(name, 'removed', () => removed.call(policy, page));
  if (kindChanged !== undefined)
    guarded.kindChanged = (page) => attempt(name, 'kindChanged', () => kindChanged.call(policy, page));
  if (wanted !== undefined) guarded.wanted = (shadow) => attempt(name, 'wanted', () => wanted.call(policy, shadow));
  if (refaulted !== undefined)
    guarded.refaulted = (pages, page, shadow) =>
      attempt(name, 'refaulted', () => refaulted.call(policy, pages, page, shadow));
  if (accessed !== undefined)
    guarded.accessed = (page, result) => attempt(name, 'accessed', () => accessed.call(policy, page, result));
  if (referenced !== undefined)
    guarded.referenced = (page) => attempt(name, 'referenced', () => referenced.call(policy, page));
  if (evicted !== undefined)
    guarded.evicted = (pages, page) => {
      const shadow = attempt(name, 'evicted', () => evicted.call(policy, pages, page));
      if (!Number.isSafeInteger(shadow) || shadow < 0 || shadow >= 2 ** 32)
        throw new PolicyError(`${name}: evicted returned ${String(shadow)}; it returns a whole number below 2^32`);
      return shadow;
    };
  return guarded;
}

/** The pages as a policy from outside sees them: page numbers are checked, and looks counted. */
export class GuardedPages implements ReclaimablePages {
  freed = 0;
  private readonly name: string;
  private readonly pages: ReclaimablePages;
  private looks: number;

  constructor(name: string, pages: ReclaimablePages, looks: number) {
    this.name = name;
    this.pages = pages;
    this.looks = looks;
  }

  private look(page: Pfn): Pfn {
    if (!Number.isInteger(page) || page < 0 || page >= this.frames.frameCount)
      throw new PolicyError(
        `${this.name}: asked for page ${String(page)}; pages are 0 to ${this.frames.frameCount - 1}`,
      );
    if (--this.looks < 0)
      throw new PolicyError(`${this.name}: shrink does not end: it has looked at every page ${LOOKS_PER_PAGE} times`);
    return page;
  }

  get frames(): FrameTable {
    return this.pages.frames;
  }
  get lru(): Lruvec {
    return this.pages.lru;
  }
  get rng(): Rng {
    return this.pages.rng;
  }
  get hasSwap(): boolean {
    return this.pages.hasSwap;
  }
  get swappiness(): number {
    return this.pages.swappiness;
  }
  get freePages(): number {
    return this.pages.freePages;
  }
  get highMarkPages(): number {
    return this.pages.highMarkPages;
  }
  get nowNs(): number {
    return this.pages.nowNs;
  }
  get isFault(): boolean {
    return this.pages.isFault;
  }
  isCandidate(page: Pfn): boolean {
    return this.pages.isCandidate(this.look(page));
  }
  takeReferences(page: Pfn): References {
    return this.pages.takeReferences(this.look(page));
  }
  takeReferenced(page: Pfn): boolean {
    return this.pages.takeReferenced(this.look(page));
  }
  isDirty(page: Pfn): boolean {
    return this.pages.isDirty(this.look(page));
  }
  /** Only of pages that are on the lists; anything else is the policy's mistake. */
  free(page: Pfn, dirty: 'write' | 'skip', why?: unknown, rank?: unknown): boolean {
    if (!this.pages.isCandidate(this.look(page))) return false;
    const isFreed = this.pages.free(page, dirty, knownWhy(why), Number.isInteger(rank) ? (rank as number) : 0);
    if (isFreed) this.freed++;
    return isFreed;
  }
  activate(page: Pfn): void {
    if (this.pages.isCandidate(this.look(page))) this.pages.activate(page);
  }
  deactivate(page: Pfn): void {
    if (this.pages.isCandidate(this.look(page))) this.pages.deactivate(page);
  }
  rotate(page: Pfn): void {
    this.pages.rotate(this.look(page));
  }
  setReferenced(page: Pfn): void {
    this.pages.setReferenced(this.look(page));
  }
  lookAround(page: Pfn, window: number, visitor: TableVisitor): number {
    return this.pages.lookAround(this.look(page), window, visitor);
  }
  walkTables(visitor: TableVisitor): void {
    this.looks -= this.frames.frameCount;
    this.pages.walkTables(visitor);
  }
  noteScanned(page: Pfn): void {
    this.pages.noteScanned(this.look(page));
  }
  startActive(page: Pfn): void {
    this.pages.startActive(this.look(page));
  }
  noteRefault(page: Pfn, what: 'activated' | 'restored'): void {
    this.pages.noteRefault(this.look(page), what);
  }
  markWorkingset(page: Pfn): void {
    this.pages.markWorkingset(this.look(page));
  }
  isWorkingset(page: Pfn): boolean {
    return this.pages.isWorkingset(this.look(page));
  }
}
