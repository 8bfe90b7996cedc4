import type { Pfn } from '../../machine/units.ts';
import { ClockRing } from './clock-ring.ts';
import type { ReclaimablePages, ReclaimPolicy } from './policy.ts';
import { takeUse } from './take-use.ts';

const HAND_HOT = 0;
const HAND_COLD = 1;
const HAND_TEST = 2;

/** What a node of the clock is; a ghost is a cold page that is not resident, in its test period. */
const ABSENT = 0;
const HOT = 1;
const COLD = 2;
const GHOST = 3;

/** Share of memory that cold pages have at first (the paper's, section 4: 1 %). */
const FIRST_COLD_SHARE = 0.01;

/**
 * CLOCK-Pro (S. Jiang, F. Chen, X. Zhang: "CLOCK-Pro: an effective improvement of the CLOCK replacement", USENIX 2005, section 4).
 * Hot pages, cold ones, and ghosts of cold ones stand on one clock with three hands; who is used within its test period is hot.
 *
 *   new --> cold in test --HAND_COLD, used--> hot --HAND_HOT, not used--> cold, no test
 *             |       ^                                                     |      |
 *             |       +---------------HAND_COLD, used: new test-------------+      |
 *             v HAND_COLD, not used                                    HAND_COLD, not used: free
 *           ghost --wanted again--> hot       ghost --HAND_HOT or HAND_TEST--> forgotten
 *
 * The list head is just behind HAND_HOT. The paper leaves two things open: a cold page that is used after its test begins a new one;
 * and as the access that brings a page in sets its use bit in the page table, the first look at a page takes this bit alone.
 */
export class ClockProPolicy implements ReclaimPolicy {
  readonly name = 'clock-pro';
  /** Nodes: frames, then ghosts. */
  private readonly ring: ClockRing;
  private readonly states: Uint8Array;
  private readonly inTest: Uint8Array;
  private readonly fresh: Uint8Array;
  private readonly returning: Uint8Array;
  private readonly frameCount: number;
  /** The numbers of ghosts, by node - frameCount; the nodes by number; and the nodes that are free. */
  private readonly ghostNumbers: Float64Array;
  private readonly ghostNodes = new Map<number, number>();
  private readonly freeNodes: number[] = [];
  private nextGhost = 0;
  private hot = 0;
  private cold = 0;
  /** m: what was resident when memory was short last. */
  private memory = 0;
  /** mc: how many cold pages there are to be. */
  private coldTarget = 0;

  constructor(frameCount: number) {
    this.frameCount = frameCount;
    this.ring = new ClockRing(2 * frameCount, 3);
    this.states = new Uint8Array(2 * frameCount);
    this.inTest = new Uint8Array(frameCount);
    this.fresh = new Uint8Array(frameCount);
    this.returning = new Uint8Array(frameCount);
    this.ghostNumbers = new Float64Array(frameCount);
    for (let node = 2 * frameCount - 1; node >= frameCount; node--) this.freeNodes.push(node);
  }

  added(page: Pfn): void {
    if (this.states[page] !== ABSENT) return;
    this.fresh[page] = 1;
    this.ring.insertBehind(HAND_HOT, page);
    this.inTest[page] = 1;
    if (this.returning[page] === 0) {
      this.states[page] = COLD;
      this.cold++;
    } else {
      this.returning[page] = 0;
      this.states[page] = HOT;
      this.hot++;
    }
  }

  removed(page: Pfn): void {
    if (this.states[page] === ABSENT) return;
    if (this.states[page] === HOT) this.hot--;
    else this.cold--;
    this.states[page] = ABSENT;
    this.ring.remove(page);
  }

  /** A cold page in its test period leaves a ghost where it stood. */
  evicted(_pages: ReclaimablePages, page: Pfn): number {
    const ghost = this.nextGhost;
    this.nextGhost = (this.nextGhost + 1) % 2 ** 32;
    if (this.states[page] !== COLD || this.inTest[page] === 0) return ghost;
    while (this.freeNodes.length === 0) this.runTestHand();
    const node = this.freeNodes.pop() as number;
    this.states[node] = GHOST;
    this.ghostNumbers[node - this.frameCount] = ghost;
    this.ghostNodes.set(ghost, node);
    this.ring.insertAfter(page, node);
    while (this.ghostNodes.size > this.memory) this.runTestHand();
    return ghost;
  }

  /** Within its test period: the page is hot, and HAND_HOT makes room for it. */
  refaulted(pages: ReclaimablePages, page: Pfn, ghost: number): void {
    const node = this.ghostNodes.get(ghost);
    if (node === undefined) return;
    this.dropGhost(node);
    this.returning[page] = 1;
    this.adapt(1);
    this.limitHot(pages, 1);
  }

  shrink(pages: ReclaimablePages, wanted: number, priority: number): number {
    this.memory = this.hot + this.cold;
    if (this.coldTarget === 0) this.coldTarget = Math.max(1, Math.floor(this.memory * FIRST_COLD_SHARE));
    let freed = 0;
    // A page may have to be looked at three times: it is new, it is used, it is cold.
    const looks = priority === 0 ? 4 * this.memory : Math.ceil(this.memory / 2 ** priority);
    for (let look = 0; look < looks && freed < wanted && this.hot + this.cold > 0; look++) {
      if (this.cold === 0) this.runHotHand(pages);
      if (this.runColdHand(pages)) freed++;
    }
    return freed;
  }

  /** Frees the next cold page that is not used; false: what it came to stays. */
  private runColdHand(pages: ReclaimablePages): boolean {
    const { ring, states } = this;
    while (states[ring.hands[HAND_COLD]] !== COLD) ring.advance(HAND_COLD);
    const page = ring.hands[HAND_COLD] as Pfn;
    if (!pages.isCandidate(page)) {
      ring.advance(HAND_COLD);
      return false;
    }
    pages.noteScanned(page);
    const isUsed = takeUse(pages, page);
    const isFirstLook = this.fresh[page] !== 0;
    this.fresh[page] = 0;
    if (isUsed && isFirstLook) ring.advance(HAND_COLD);
    else if (isUsed) this.reward(pages, page);
    else if (pages.free(page, 'write', 'cold')) return true;
    else if (ring.hands[HAND_COLD] === page) ring.advance(HAND_COLD);
    return false;
  }

  /** A cold page that is used goes to the list head: hot after a test, else in a new test. */
  private reward(pages: ReclaimablePages, page: Pfn): void {
    this.ring.remove(page);
    this.ring.insertBehind(HAND_HOT, page);
    if (this.inTest[page] === 0) {
      this.inTest[page] = 1;
      return;
    }
    this.states[page] = HOT;
    this.cold--;
    this.hot++;
    this.adapt(1);
    this.limitHot(pages, 0);
  }

  private limitHot(pages: ReclaimablePages, coming: number): void {
    while (this.hot > 0 && this.hot + coming > this.memory - this.coldTarget) this.runHotHand(pages);
  }

  /** The next hot page that is not used is cold from now on. Cold pages on the way end their test. */
  private runHotHand(pages: ReclaimablePages): void {
    const { ring, states } = this;
    this.stopAtHot();
    while (takeUse(pages, ring.hands[HAND_HOT] as Pfn)) {
      this.fresh[ring.hands[HAND_HOT]] = 0;
      ring.advance(HAND_HOT);
      this.stopAtHot();
    }
    const page = ring.hands[HAND_HOT];
    states[page] = COLD;
    this.inTest[page] = 0;
    this.fresh[page] = 0;
    this.hot--;
    this.cold++;
    ring.advance(HAND_HOT);
    if (this.hot > 0) this.stopAtHot();
  }

  private stopAtHot(): void {
    const { ring, states } = this;
    while (states[ring.hands[HAND_HOT]] !== HOT) {
      const node = ring.hands[HAND_HOT];
      this.endTest(node);
      if (ring.hands[HAND_HOT] === node) ring.advance(HAND_HOT);
    }
  }

  private runTestHand(): void {
    const { ring, states } = this;
    while (states[ring.hands[HAND_TEST]] === HOT) ring.advance(HAND_TEST);
    const node = ring.hands[HAND_TEST];
    this.endTest(node);
    if (ring.hands[HAND_TEST] === node) ring.advance(HAND_TEST);
  }

  /** A test period that passed without a use: cold pages need less room. */
  private endTest(node: number): void {
    if (this.states[node] === GHOST) this.dropGhost(node);
    else if (this.inTest[node] !== 0) this.inTest[node] = 0;
    else return;
    this.adapt(-1);
  }

  private dropGhost(node: number): void {
    this.ghostNodes.delete(this.ghostNumbers[node - this.frameCount]);
    this.states[node] = ABSENT;
    this.ring.remove(node);
    this.freeNodes.push(node);
  }

  private adapt(by: 1 | -1): void {
    this.coldTarget = Math.min(Math.max(1, this.memory), Math.max(1, this.coldTarget + by));
  }
}
