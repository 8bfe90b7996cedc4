import { assert } from '../../base/assert.ts';
import { EventSink } from '../../base/events.ts';
import { Rng } from '../../base/rng.ts';
import type { Pfn } from '../../machine/units.ts';
import { FrameTable } from '../phys/frame-table.ts';
import { LruLists, type Lruvec } from '../phys/lruvec.ts';
import { PG_active, PG_swapbacked } from '../phys/page-flags.ts';
import { DEF_PRIORITY, type ReclaimablePages, type ReclaimPolicy, type TableVisitor } from './policy.ts';

const NOT_THERE = -1;

/**
 * The least machine that a policy can run on: contents are numbers from 0, a few frames hold them, everything can go and nothing is
 * dirty. A reference sets the use bit of its frame, as hardware does.
 *
 * Invariant: contents and frameOf are the inverse of each other; a frame without contents is in freeFrames.
 */
export class PlainMemory implements ReclaimablePages {
  readonly frames: FrameTable;
  readonly nowNs = 0;
  readonly isFault = false;
  readonly lru: Lruvec;
  readonly rng: Rng;
  readonly hasSwap = true;
  readonly swappiness = 60;
  readonly freePages = 0;
  readonly highMarkPages = 0;
  misses = 0;
  private readonly policy: ReclaimPolicy;
  private readonly lists: LruLists;
  /** By frame. */
  private readonly contents: Int32Array;
  private readonly used: Uint8Array;
  private readonly freeFrames: Pfn[] = [];
  /** By contents: the frame; what the policy said when they went (ReclaimPolicy.evicted). */
  private frameOf: Int32Array<ArrayBuffer> = new Int32Array(1024).fill(NOT_THERE);
  private shadows: Float64Array<ArrayBuffer> = new Float64Array(1024).fill(NOT_THERE);

  constructor(createPolicy: (frames: FrameTable) => ReclaimPolicy, frames: number, seed = 1) {
    this.frames = new FrameTable(frames);
    this.policy = createPolicy(this.frames);
    this.rng = new Rng(seed);
    this.lists = new LruLists(this.frames, new EventSink({ nowNs: 0 }));
    this.lru = this.lists.root;
    this.lru.listener = this.policy;
    this.contents = new Int32Array(frames).fill(NOT_THERE);
    this.used = new Uint8Array(frames);
    for (let frame = frames - 1; frame >= 0; frame--) this.freeFrames.push(frame as Pfn);
  }

  reference(content: number): void {
    if (content >= this.frameOf.length) this.makeRoomFor(content);
    const found = this.frameOf[content];
    const frame = found === NOT_THERE ? this.bringIn(content) : (found as Pfn);
    this.used[frame] = 1;
    this.policy.referenced?.(frame);
  }

  private bringIn(content: number): Pfn {
    this.misses++;
    const shadow = this.shadows[content];
    if (shadow !== NOT_THERE) this.policy.wanted?.(shadow);
    if (this.freeFrames.length === 0) this.reclaim();
    const frame = this.freeFrames.pop() as Pfn;
    this.contents[frame] = content;
    this.frameOf[content] = frame;
    this.shadows[content] = NOT_THERE;
    if (shadow !== NOT_THERE) this.policy.refaulted?.(this, frame, shadow);
    this.frames.flags[frame] = PG_swapbacked;
    this.lists.add(frame);
    return frame;
  }

  /** As the kernel asks: with falling priority, and again and again before it gives up (MAX_RECLAIM_RETRIES). */
  private reclaim(): void {
    let freed = 0;
    for (let round = 0; freed === 0 && round < 16; round++)
      for (let priority = DEF_PRIORITY; freed === 0 && priority >= 0; priority--)
        freed = this.policy.shrink(this, 1, priority);
    assert(freed > 0, `${this.policy.name}: memory is full, every page can go, and it frees none`);
    assert(this.freeFrames.length === freed, `${this.policy.name}: it frees other pages than it says`);
  }

  private makeRoomFor(content: number): void {
    const length = 2 ** Math.ceil(Math.log2(content + 1)) * 2;
    const frameOf = new Int32Array(length).fill(NOT_THERE);
    frameOf.set(this.frameOf);
    this.frameOf = frameOf;
    const shadows = new Float64Array(length).fill(NOT_THERE);
    shadows.set(this.shadows);
    this.shadows = shadows;
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
    this.shadows[content] = this.policy.evicted?.(this, page) ?? 0;
    this.lists.remove(page);
    this.contents[page] = NOT_THERE;
    this.used[page] = 0;
    this.frameOf[content] = NOT_THERE;
    this.freeFrames.push(page);
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
export function missesOf(
  createPolicy: (frames: FrameTable) => ReclaimPolicy,
  references: readonly number[],
  frames: number,
): number {
  const memory = new PlainMemory(createPolicy, frames);
  for (const content of references) memory.reference(content);
  return memory.misses;
}
