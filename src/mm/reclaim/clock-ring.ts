/**
 * A circle of numbered nodes in typed arrays, with hands that go around it. A node that leaves or moves lets the hands that point to
 * it go on first.
 */
export class ClockRing {
  length = 0;
  /** By hand: the node it points to, -1 while the circle is empty. */
  readonly hands: Int32Array;
  private readonly nexts: Int32Array;
  private readonly prevs: Int32Array;

  constructor(nodeCount: number, handCount: number) {
    this.hands = new Int32Array(handCount).fill(-1);
    this.nexts = new Int32Array(nodeCount).fill(-1);
    this.prevs = new Int32Array(nodeCount).fill(-1);
  }

  /** Just behind a hand: the last that it will come to. */
  insertBehind(hand: number, node: number): void {
    const { hands, nexts, prevs } = this;
    this.length++;
    if (this.length === 1) {
      nexts[node] = node;
      prevs[node] = node;
      hands.fill(node);
      return;
    }
    const after = hands[hand];
    const before = prevs[after];
    nexts[before] = node;
    prevs[node] = before;
    nexts[node] = after;
    prevs[after] = node;
  }

  insertAfter(place: number, node: number): void {
    const { nexts, prevs } = this;
    const after = nexts[place];
    nexts[place] = node;
    prevs[node] = place;
    nexts[node] = after;
    prevs[after] = node;
    this.length++;
  }

  remove(node: number): void {
    const { hands, nexts, prevs } = this;
    const after = this.length === 1 ? -1 : nexts[node];
    for (let hand = 0; hand < hands.length; hand++) if (hands[hand] === node) hands[hand] = after;
    nexts[prevs[node]] = nexts[node];
    prevs[nexts[node]] = prevs[node];
    nexts[node] = -1;
    prevs[node] = -1;
    this.length--;
  }

  advance(hand: number): void {
    this.hands[hand] = this.nexts[this.hands[hand]];
  }
}
