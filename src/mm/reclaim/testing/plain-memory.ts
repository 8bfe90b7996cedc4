import { assert } from '../../../base/assert.ts';
import { EventSink } from '../../../base/events.ts';
import { Rng } from '../../../base/rng.ts';
import type { Pfn } from '../../../machine/units.ts';
import { FrameTable } from '../../phys/frame-table.ts';
import { LruLists, type Lruvec } from '../../phys/lruvec.ts';
import { PG_active, PG_swapbacked } from '../../phys/page-flags.ts';
import { DEF_PRIORITY, type ReclaimablePages, type ReclaimPolicy, type TableVisitor } from '../policy.ts';

/**
 * The least machine that a policy can run on: contents are numbers, a few frames hold them, everything can go and nothing is
 * dirty. A reference sets the use bit of its frame, as hardware does.
 */
export class PlainMemory implements ReclaimablePages {
  readonly frames: FrameTable;
  readonly nowNs = 0;
  readonly isFault = false;
  readonly lru: Lruvec;
  readonly rng = new Rng(1);
  readonly hasSwap = true;
  readonly swappiness = 60;
  readonly freePages = 0;
  readonly highMarkPages = 0;
  misses = 0;
  private readonly policy: ReclaimPolicy;
  private readonly lists: LruLists;
  /** Contents by frame, -1 none; and the other way round. */
  private readonly contents: Int32Array;
  private readonly frameOf = new Map<number, Pfn>();
  private readonly used: Uint8Array;
  private readonly shadows = new Map<number, number>();

  constructor(policy: ReclaimPolicy, frames: number) {
    this.policy = policy;
    this.frames = new FrameTable(frames);
    this.lists = new LruLists(this.frames, new EventSink({ nowNs: 0 }));
    this.lru = this.lists.root;
    this.lru.listener = policy;
    this.contents = new Int32Array(frames).fill(-1);
    this.used = new Uint8Array(frames);
  }

  reference(content: number): void {
    const frame = this.frameOf.get(content) ?? this.bringIn(content);
    this.used[frame] = 1;
    this.policy.referenced?.(frame);
  }

  private bringIn(content: number): Pfn {
    this.misses++;
    const shadow = this.shadows.get(content);
    if (shadow !== undefined) this.policy.wanted?.(shadow);
    if (this.frameOf.size === this.contents.length) this.makeRoom();
    const frame = this.contents.indexOf(-1) as Pfn;
    this.contents[frame] = content;
    this.frameOf.set(content, frame);
    this.shadows.delete(content);
    if (shadow !== undefined) this.policy.refaulted?.(this, frame, shadow);
    this.frames.flags[frame] = PG_swapbacked;
    this.lists.add(frame);
    return frame;
  }

  /** As the kernel asks: with falling priority, and again and again before it gives up (MAX_RECLAIM_RETRIES). */
  private makeRoom(): void {
    const before = this.frameOf.size;
    let freed = 0;
    for (let round = 0; freed === 0 && round < 16; round++)
      for (let priority = DEF_PRIORITY; freed === 0 && priority >= 0; priority--)
        freed = this.policy.shrink(this, 1, priority);
    assert(freed > 0, `${this.policy.name}: memory is full, every page can go, and it frees none`);
    assert(this.frameOf.size === before - freed, `${this.policy.name}: it frees other pages than it says`);
  }

  isCandidate(page: Pfn): boolean {
    return this.contents[page] >= 0;
  }
  takeReferences(page: Pfn): { count: number; vmFlags: number } {
    const count = this.used[page];
    this.used[page] = 0;
    return { count, vmFlags: 0 };
  }
  lookAround(page: Pfn): number {
    return this.takeReferences(page).count;
  }
  walkTables(visitor: TableVisitor): void {
    for (let page = 0; page < this.used.length; page++)
      if (this.takeReferences(page as Pfn).count > 0) visitor.pageIsYoung(page as Pfn);
  }
  takeReferenced(): boolean {
    return false;
  }
  isDirty(): boolean {
    return false;
  }
  free(page: Pfn): boolean {
    const content = this.contents[page];
    assert(content >= 0, `${this.policy.name}: freed a page that is not there`);
    this.shadows.set(content, this.policy.evicted?.(this, page) ?? 0);
    this.lists.remove(page);
    this.contents[page] = -1;
    this.used[page] = 0;
    this.frameOf.delete(content);
    return true;
  }
  activate(page: Pfn): void {
    this.lists.changeFlags(page, PG_active, 0);
  }
  deactivate(page: Pfn): void {
    this.lists.changeFlags(page, 0, PG_active);
  }
  rotate(page: Pfn): void {
    this.lists.rotateToFront(page);
  }
  setReferenced(): void {}
  noteScanned(): void {}
  startActive(page: Pfn): void {
    this.activate(page);
  }
  noteRefault(): void {}
  markWorkingset(): void {}
  isWorkingset(): boolean {
    return false;
  }
}

/** How often a policy misses on a page-reference string, with so many frames. */
export function missesOf(policy: ReclaimPolicy, references: readonly number[], frames: number): number {
  const memory = new PlainMemory(policy, frames);
  for (const content of references) memory.reference(content);
  return memory.misses;
}
